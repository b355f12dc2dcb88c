"""Consent: what people allow, by purpose and channel, how that came to be, and what is shut off."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from spira.console.pages.people import event_labels
from spira.console.render import page
from spira.kernel.i18n import catalogue, choose, say
from spira.server.api.asked import profile_of
from spira.server.api.consent import of_person, view
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import ALL, PEOPLE
from spira.unify import people
from spira.unify.allowed import Consents

Asked = Request[Any, Any, Any]


@get("/consent", opt={"roles": ALL, "data": "/api/consent"}, sync_to_thread=True)
def consent_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The page."""
    shown = view(core, viewer)
    return page(request, core, "consent.html", data=shown, chart=chart_of(shown, viewer.language))


@get("/people/{profile:str}/consents", opt={"roles": PEOPLE, "data": "/api/profiles/{profile}/consents"},
     sync_to_thread=True)  # fmt: skip
def consents_page(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> Response[str]:
    """What one person allows, with every word behind it and the text that it was said to."""
    found = of_person(core, viewer, profile)
    (row,) = people.rows(core.lane(), core.vault, viewer, [profile_of(found.profile_id)])
    events, texts = event_labels(core, viewer.language), texts_of(core, viewer.language)
    return page(request, core, "person_consents.html", data=found, person=row, events=events, texts=texts)


def texts_of(core: AnyCore, language: str) -> dict[tuple[str, int], str]:
    """The text of each version of each notice; of a language that it lacks, another."""
    return {
        (each.notice, version.version): choose(version.text, language)
        for each in core.applied.of("notice")
        for version in each.versions
    }


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


ROUTES = [consent_page, consents_page]
