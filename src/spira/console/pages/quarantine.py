"""Quarantine: the calls that could not become events, why, and what to do next."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.datastructures import MultiDict
from litestar.params import FromPath, FromQuery

from spira.collect.replay import Assay, Replay
from spira.console.pages.people import event_labels
from spira.console.render import page
from spira.console.telling import Told, told
from spira.kernel.clock import RealClock
from spira.kernel.errors import SpiraError
from spira.kernel.i18n import catalogue, say
from spira.kernel.viewer import Viewer
from spira.server.api.quarantine import filters_of, one, view
from spira.server.api.replay import Wish, carry_out, foreseen
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import CONNECT, whole

Asked = Request[Any, Any, Any]
MOST_CALLS = 500  # that one form may name
_QUOTED = re.compile(r"`[^`]+`")
_CAME = re.compile(r"^(`[^`]+`) .*: a JSON (\w+) was found$")  # as `collect.typed` says it


@get("/quarantine", opt={**whole(CONNECT), "data": "/api/quarantine"}, sync_to_thread=True)
def quarantine_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    source: FromQuery[str] = "",
    event: FromQuery[str] = "",
    reason: FromQuery[str] = "",
    day: FromQuery[str] = "",
    show: FromQuery[str] = "open",
    before: FromQuery[str] = "",
) -> Response[str]:
    """A page of refused calls, with counts by reason."""
    filters = filters_of(source, event, reason, day, show)
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
    if language == "en":
        return detail
    texts, found = catalogue("spira.console", language), _CAME.match(detail)
    if found and (came := texts.get(f"json_type.{found[2]}")):
        return say(texts, "quarantine.came", property=found[1], came=came)
    return " ".join(_QUOTED.findall(detail))


@get("/quarantine/replay", opt={**whole(CONNECT), "data": "/api/quarantine/replay"}, sync_to_thread=True)
def replay_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """What would become of the chosen calls, and the button that has them read again."""
    wish = _wish(request.query_params)
    try:
        return _replay(request, viewer, core, wish, data=foreseen(core, wish))
    except SpiraError as error:
        return _replay(request, viewer, core, wish, fault=told(error, viewer.language))


@post("/quarantine/replay", opt=whole(CONNECT), status_code=200)
async def replay_calls(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """Have them read again; the answer says how many, and goes on with the rest."""
    wish = _wish(MultiDict((await request.form()).multi_items()))

    def act() -> Response[str]:
        try:
            return _replay(request, viewer, core, wish, result=carry_out(core, viewer, wish))
        except SpiraError as error:
            return _replay(request, viewer, core, wish, fault=told(error, viewer.language))

    return await anyio.to_thread.run_sync(act)


def _wish(given: MultiDict[Any]) -> Wish:
    names = ("source", "event", "reason", "day", "event_to", "rename", "read", "after")
    calls = [str(each) for each in given.getall("call", [])]
    return Wish(calls=calls[:MOST_CALLS], **{name: str(given.get(name, "")).strip() for name in names})


def _replay(
    request: Asked,
    viewer: Viewer,
    core: AnyCore,
    wish: Wish,
    *,
    data: Assay | None = None,
    result: Replay | None = None,
    fault: Told | None = None,
) -> Response[str]:
    language = viewer.language
    return page(
        request,
        core,
        "replay.html",
        status=fault.status if fault else 200,
        data=data,
        wish=wish,
        result=result,
        fault=fault,
        said=partial(said_of, language=language),
        labels=event_labels(core, language),
        by_hand=not isinstance(core.clock, RealClock),
    )


ROUTES = [quarantine_page, replay_page, replay_calls, refused_page]
