"""Identities: the queue of contradictions, and the forms by which staff say who is one person and who is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from spira.console.graphs import drawn
from spira.console.pages.people import event_labels
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer
from spira.server.api.identity import Outcome, Pair, Split, decide, split, take_back, view
from spira.server.api.profiles import explanation
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import DECIDE, PEOPLE
from spira.unify.decisions import Verdict

Asked = Request[Any, Any, Any]


@get("/identity", opt={"roles": PEOPLE, "data": "/api/identity/conflicts"}, sync_to_thread=True)
def conflicts_page(
    request: Asked, core: Core, viewer: Asking, reason: FromQuery[str] = "", start: FromQuery[int] = 0
) -> Response[str]:
    """Where evidence contradicts itself, both sides beside each other, with the two buttons."""
    return _queue(request, core, viewer, reason=reason, start=start)


@get("/people/{profile:str}/identity", opt={"roles": PEOPLE, "data": "/api/profiles/{profile}/identity"},
     sync_to_thread=True)  # fmt: skip
def identity_page(request: Asked, core: Core, viewer: Asking, profile: FromPath[str]) -> Response[str]:
    """Why these identifiers are one person: a drawing of the links, the same as a list, and what undoes them."""
    return _person(request, core, viewer, profile)


@post("/identity/join", opt={"roles": DECIDE}, status_code=200)
async def join_form(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Say that two are the same person."""
    return await _decide(request, core, viewer, "same")


@post("/identity/part", opt={"roles": DECIDE}, status_code=200)
async def part_form(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Say that two are different people."""
    return await _decide(request, core, viewer, "different")


@post("/identity/cut", opt={"roles": DECIDE}, status_code=200)
async def cut_form(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Let a link count for nothing."""
    return await _decide(request, core, viewer, "cut")


@post("/identity/split", opt={"roles": DECIDE}, status_code=200)
async def split_form(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Take the chosen identifiers out of a profile."""
    form = await request.form()
    wanted = Split(profile=str(form.get("profile", "")), away=[str(each) for each in form.getall("away", [])])
    return await _carry_out(
        request, core, viewer, wanted.profile, lambda: split(core, viewer, wanted), "identity_split"
    )


@post("/identity/decisions/{decision:str}/take-back", opt={"roles": DECIDE}, status_code=200)
async def take_back_form(request: Asked, core: Core, viewer: Asking, decision: FromPath[str]) -> Response[Any]:
    """Take a decision back."""
    back = str((await request.form()).get("profile", ""))
    return await _carry_out(
        request, core, viewer, back, lambda: take_back(core, viewer, decision), "identity_taken_back"
    )


async def _decide(request: Asked, core: AnyCore, viewer: Viewer, verdict: Verdict) -> Response[Any]:
    form = await request.form()
    pair = Pair(one=str(form.get("one", "")), two=str(form.get("two", "")))
    back = str(form.get("profile", ""))
    return await _carry_out(
        request, core, viewer, back, lambda: decide(core, viewer, verdict, pair), f"identity_{verdict}"
    )


async def _carry_out(
    request: Asked, core: AnyCore, viewer: Viewer, back: str, act: Callable[[], Outcome | int], what: str
) -> Response[Any]:
    """Do it, and lead back to the person or to the queue; what can't be done is told there."""

    def attempt() -> Response[Any]:
        try:
            act()
        except SpiraError as error:
            fault = told(error, viewer.language)
            if back:
                return _person(request, core, viewer, back, fault=fault)
            return _queue(request, core, viewer, fault=fault)
        return done(f"/people/{back}/identity" if back else "/identity", what)

    return await anyio.to_thread.run_sync(attempt)


def _queue(
    request: Asked, core: AnyCore, viewer: Viewer, *, reason: str = "", start: int = 0, fault: Told | None = None
) -> Response[str]:
    data = view(core, viewer, reason=reason, start=start)
    may_decide = bool(viewer.roles.intersection(DECIDE))
    return page(request, core, "conflicts.html", data=data, reason=reason, fault=fault, may_decide=may_decide)


def _person(request: Asked, core: AnyCore, viewer: Viewer, profile: str, *, fault: Told | None = None) -> Response[str]:
    found = explanation(core, viewer, profile)
    return page(
        request,
        core,
        "identity.html",
        data=found,
        graph=drawn(found),
        events=event_labels(core, viewer.language),
        fault=fault,
        may_decide=bool(viewer.roles.intersection(DECIDE)),
    )


ROUTES = [conflicts_page, identity_page, join_form, part_form, cut_form, split_form, take_back_form]
