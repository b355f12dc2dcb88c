"""The reasons for a person's score: a page of its own, and the part that unfolds beside the score."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from spira.console.pages.people import event_labels
from spira.console.render import page
from spira.kernel.i18n import choose
from spira.server.api.scores import view
from spira.server.core import Asking, Core
from spira.server.roles import PEOPLE


@get(
    "/people/{profile:str}/scores/{model:str}",
    opt={"roles": PEOPLE, "data": "/api/profiles/{profile}/scores/{model}"},
    sync_to_thread=True,
)
def score_page(
    request: Request[Any, Any, Any], core: Core, viewer: Asking, profile: FromPath[str], model: FromPath[str]
) -> Response[str]:
    """Why a person has a score; htmx takes the part alone."""
    found = view(core, viewer, profile, model)
    events = event_labels(core, viewer.language)
    return page(
        request,
        core,
        "parts/score.html" if request.headers.get("hx-request") else "score.html",
        data=found,
        title=choose(found.label, viewer.language, default=model),
        whole=False,
        event=events.get(found.reason.event, found.reason.event),
    )


ROUTES = [score_page]
