"""Consent: what people allow, by purpose and channel, how that came to be, and what is shut off."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from spira.console.render import page
from spira.kernel.i18n import catalogue, say
from spira.server.api.consent import view
from spira.server.core import Asking, Core
from spira.server.roles import ALL
from spira.unify.allowed import Consents

Asked = Request[Any, Any, Any]


@get("/consent", opt={"roles": ALL, "data": "/api/consent"}, sync_to_thread=True)
def consent_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page."""
    shown = view(core, viewer)
    return page(request, core, "consent.html", data=shown, chart=chart_of(shown, viewer.language))


def chart_of(shown: Consents, language: str) -> dict[str, Any]:
    """Consents given and withdrawn by day, as a chart's spec; what is too small to tell is missing."""
    texts = catalogue("spira.console", language)
    return {
        "x": [each.day.isoformat() for each in shown.days],
        "series": [
            {"name": say(texts, "consent.given"), "type": "bar", "unit": "count",
             "values": [each.given for each in shown.days]},
            {"name": say(texts, "consent.withdrawn"), "type": "bar", "unit": "count",
             "values": [each.withdrawn for each in shown.days]},
        ],
    }  # fmt: skip


ROUTES = [consent_page]
