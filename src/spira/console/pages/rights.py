"""Requests: the one register of what people ask of us: what is due, answering it, and the receipts of erasures.

Whoever asks by letter or phone is looked up from here (`console/pages/requests.py`), or their request is filed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from spira.console.carrying import carried
from spira.console.pages.people import trait_labels
from spira.console.render import done, page
from spira.console.telling import Told
from spira.kernel.viewer import Viewer
from spira.server.api import rights
from spira.server.api.requests import GIVE_OUT
from spira.server.api.rights import NewRequest, zipped
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import ERASE, whole
from spira.unify.affected import Affected
from spira.unify.restrictions import RELATIVES
from spira.unify.rights import LAWS, RIGHTS

Asked = Request[Any, Any, Any]
FIRST = ("events", "deliveries", "members", "enrolments", "traits")  # what the card tells by its own words
KINDS = ("email", "phone", "user_id", "member_card", "anonymous_id")  # of identifiers that people tell


@get("/requests", opt={**whole(ERASE), "data": "/api/requests"}, sync_to_thread=True)
def register(
    request: Asked,
    core: Core,
    viewer: Asking,
    status: FromQuery[str] = "",
    right: FromQuery[str] = "",
    receipt: FromQuery[int] = 0,
) -> Response[str]:
    """What people asked for, the most pressing first; looking somebody up, filing for them, and the erasures."""
    return draw(request, core, viewer, status=status, right=right, receipt=receipt)


@get("/rights", opt={"leads": "/requests"}, sync_to_thread=True)
def old_register(request: Asked) -> Redirect:
    """Where the register was before; addresses that were kept go on to it."""
    asked = request.url.query
    return Redirect(path=f"/requests{'?' + asked if asked else ''}", status_code=301)


@get("/rights/{request_id:str}", opt={"leads": "/requests"}, sync_to_thread=True)
def old_one(request_id: FromPath[str]) -> Redirect:
    """Where a request was before."""
    return Redirect(path=f"/requests/{quote(request_id, safe='')}", status_code=301)


@get("/requests/{request_id:str}", opt={**whole(ERASE), "data": "/api/requests/{request_id}"}, sync_to_thread=True)
def one(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[str]:
    """One request, and answering it."""
    return _one(request, core, viewer, request_id)


@post("/requests", opt=whole(ERASE), status_code=200)
async def file(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """File a request for somebody."""
    form = {name: str(value) for name, value in (await request.form()).items()}

    def act() -> Response[Any]:
        return done(f"/requests/{rights.file(core, viewer, _new(form)).request_id}", "right_filed")

    return await carried(viewer, act, lambda fault: draw(request, core, viewer, form=form, fault=fault))


@post("/requests/{request_id:str}/carry-out", opt=whole(ERASE), status_code=200)
async def carry_out(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Do what a request asks for, and close it."""
    answer = await _answer(request)
    return await _act(
        request, core, viewer, request_id, "right_done", lambda: rights.carry_out(core, viewer, request_id, answer)
    )


@post("/requests/{request_id:str}/refuse", opt=whole(ERASE), status_code=200)
async def refuse(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Refuse a request, with a reason."""
    answer = await _answer(request)
    return await _act(
        request, core, viewer, request_id, "right_refused", lambda: rights.refuse(core, viewer, request_id, answer)
    )


@post("/requests/{request_id:str}/extend", opt=whole(ERASE), status_code=200)
async def extend(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Extend a request's deadline, once."""
    return await _act(
        request, core, viewer, request_id, "right_extended", lambda: rights.extend(core, viewer, request_id)
    )


@post("/requests/{request_id:str}/lift", opt=whole(ERASE), status_code=200)
async def lift(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Lift the restriction of whoever filed a request."""
    return await _act(request, core, viewer, request_id, "right_lifted", lambda: rights.lift(core, viewer, request_id))


@post("/requests/{request_id:str}/package", opt=rights.PACK, status_code=200)
async def packed(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Everything that is known of whoever filed a request, as a zip."""

    return await carried(
        viewer,
        lambda: zipped(*rights.packed(core, viewer, request_id)),
        lambda fault: _one(request, core, viewer, request_id, fault=fault),
    )


async def _answer(request: Asked) -> str:
    return str((await request.form()).get("answer", "")).strip()


async def _act(
    request: Asked, core: AnyCore, viewer: Asking, request_id: str, word: str, act: Callable[[], object]
) -> Response[Any]:
    """Do something to a request, and lead back to it; what is wrong is told on its page."""

    def lead() -> Response[Any]:
        act()
        return done(f"/requests/{request_id}", word)

    return await carried(viewer, lead, lambda fault: _one(request, core, viewer, request_id, fault=fault))


def _new(form: dict[str, str]) -> NewRequest:
    written, kind = form.get("identifier", "").strip(), form.get("kind", "")
    trait, value = form.get("trait", "").strip(), form.get("value", "").strip()
    law = form.get("law", "")
    return NewRequest(
        identifier=f"{kind}:{written}" if kind else written,
        right=form.get("right", ""),  # type: ignore[arg-type]  # an unknown one is refused below
        law=law if law in LAWS else None,
        note=form.get("note", ""),
        corrections={trait: value} if trait else {},
        relative=next((each for each in RELATIVES if each == form.get("relative")), None),
    )


def draw(
    request: Asked,
    core: AnyCore,
    viewer: Viewer,
    *,
    status: str = "",
    right: str = "",
    receipt: int = 0,
    form: dict[str, str] | None = None,
    identifier: str = "",
    found: Affected | None = None,
    fault: Told | None = None,
) -> Response[str]:
    """The register's page, with what was typed, and the card of whoever was looked up by an identifier."""
    kind, _, written = identifier.partition(":")
    return page(
        request,
        core,
        "requests.html",
        status=fault.status if fault else 200,
        data=rights.view(core, status=status, right=right, receipt=receipt),
        asked={"status": status, "right": right},
        statuses=rights.STATUSES,
        rights=RIGHTS,
        laws=LAWS,
        relatives=RELATIVES,
        traits=trait_labels(core, viewer.language),
        kinds=KINDS,
        form=form or {},
        identifier=identifier,
        kind=kind,
        written=written,
        found=found,
        name=name_of(found) if found else "",
        first=FIRST,
        may_export=viewer.has(*GIVE_OUT),
        fault=fault,
    )


def name_of(found: Affected) -> str:
    """What is typed to confirm an erasure: the profile's id, or the word for somebody who has none yet."""
    return found.person.id if found.person else "erase"


def _one(request: Asked, core: AnyCore, viewer: Asking, request_id: str, *, fault: Told | None = None) -> Response[str]:
    return page(
        request,
        core,
        "right.html",
        status=fault.status if fault else 200,
        data=rights.one(core, viewer, request_id),
        traits=trait_labels(core, viewer.language),
        may_export=viewer.has(*GIVE_OUT),
        fault=fault,
    )


ROUTES = [register, old_register, old_one, one, file, carry_out, refuse, extend, lift, packed]
