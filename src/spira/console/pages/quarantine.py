"""Quarantine: the calls that could not become events, why, and what to do next."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery

from spira.console.pages.people import event_labels
from spira.console.render import page
from spira.server.api.quarantine import filters_of, one, view
from spira.server.core import Asking, Core
from spira.server.roles import CONNECT, whole

Asked = Request[Any, Any, Any]
_QUOTED = re.compile(r"`[^`]+`")


@get("/quarantine", opt={**whole(CONNECT), "data": "/api/quarantine"}, sync_to_thread=True)
def quarantine_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    source: FromQuery[str] = "",
    event: FromQuery[str] = "",
    reason: FromQuery[str] = "",
    day: FromQuery[str] = "",
    before: FromQuery[str] = "",
) -> Response[str]:
    """A page of refused calls, with counts by reason."""
    filters = filters_of(source, event, reason, day)
    return page(
        request,
        core,
        "quarantine.html",
        data=view(core, filters, before=before),
        filters=filters,
        said=partial(said_of, language=viewer.language),
        labels=event_labels(core, viewer.language),
    )


@get("/quarantine/{call:str}", opt={**whole(CONNECT), "data": "/api/quarantine/{call}"}, sync_to_thread=True)
def refused_page(request: Asked, core: Core, viewer: Asking, call: FromPath[str]) -> Response[str]:
    """One refused call."""
    language = viewer.language
    said, labels = partial(said_of, language=language), event_labels(core, language)
    return page(request, core, "refused.html", data=one(core, call), said=said, labels=labels)


def said_of(detail: str, *, language: str) -> str:
    """What is wrong with a call, in English; in another language what it is about, beside the reason's own words."""
    return detail if language == "en" else " ".join(_QUOTED.findall(detail))


ROUTES = [quarantine_page, refused_page]
