"""Rights: the register of what people ask for, what is due, and answering it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from spira.console.pages.people import trait_labels
from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.server.api import rights
from spira.server.api.requests import GIVE_OUT
from spira.server.api.rights import NewRequest, zipped
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import ERASE, whole
from spira.unify.rights import LAWS, RIGHTS, Status

Asked = Request[Any, Any, Any]


@get("/rights", opt={**whole(ERASE), "data": "/api/rights"}, sync_to_thread=True)
def register(
    request: Asked, core: Core, viewer: Asking, status: FromQuery[str] = "", right: FromQuery[str] = ""
) -> Response[str]:
    """What people asked for, the most pressing first, and filing a request for somebody."""
    return _list(request, core, viewer, status=status, right=right)


@get("/rights/{request_id:str}", opt={**whole(ERASE), "data": "/api/rights/{request_id}"}, sync_to_thread=True)
def one(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[str]:
    """One request, and answering it."""
    return _one(request, core, viewer, request_id)


@post("/rights", opt=whole(ERASE), status_code=200)
async def file(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """File a request for somebody."""
    form = {name: str(value) for name, value in (await request.form()).items()}

    def carry() -> Response[Any] | Redirect:
        try:
            made = rights.file(core, viewer, _new(form))
        except SpiraError as error:
            return _list(request, core, viewer, form=form, fault=told(error, viewer.language))
        return done(f"/rights/{made.request_id}", "right_filed")

    return await anyio.to_thread.run_sync(carry)


@post("/rights/{request_id:str}/carry-out", opt=whole(ERASE), status_code=200)
async def carry_out(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Do what a request asks for, and close it."""
    answer = await _answer(request)
    return await _act(
        request, core, viewer, request_id, "right_done", lambda: rights.carry_out(core, viewer, request_id, answer)
    )


@post("/rights/{request_id:str}/refuse", opt=whole(ERASE), status_code=200)
async def refuse(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Refuse a request, with a reason."""
    answer = await _answer(request)
    return await _act(
        request, core, viewer, request_id, "right_refused", lambda: rights.refuse(core, viewer, request_id, answer)
    )


@post("/rights/{request_id:str}/extend", opt=whole(ERASE), status_code=200)
async def extend(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Extend a request's deadline, once."""
    return await _act(
        request, core, viewer, request_id, "right_extended", lambda: rights.extend(core, viewer, request_id)
    )


@post("/rights/{request_id:str}/lift", opt=whole(ERASE), status_code=200)
async def lift(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Lift the restriction of whoever filed a request."""
    return await _act(request, core, viewer, request_id, "right_lifted", lambda: rights.lift(core, viewer, request_id))


@post("/rights/{request_id:str}/package", opt=rights.PACK, status_code=200)
async def packed(request: Asked, core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[Any]:
    """Everything that is known of whoever filed a request, as a zip."""

    def carry() -> Response[Any]:
        try:
            return zipped(*rights.packed(core, viewer, request_id))
        except SpiraError as error:
            return _one(request, core, viewer, request_id, fault=told(error, viewer.language))

    return await anyio.to_thread.run_sync(carry)


async def _answer(request: Asked) -> str:
    return str((await request.form()).get("answer", "")).strip()


async def _act(
    request: Asked, core: AnyCore, viewer: Asking, request_id: str, word: str, act: Callable[[], object]
) -> Response[Any]:
    """Do something to a request, and lead back to it; what is wrong is told on its page."""

    def carry() -> Response[Any] | Redirect:
        try:
            act()
        except SpiraError as error:
            return _one(request, core, viewer, request_id, fault=told(error, viewer.language))
        return done(f"/rights/{request_id}", word)

    return await anyio.to_thread.run_sync(carry)


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
    )


def _list(
    request: Asked,
    core: AnyCore,
    viewer: Asking,
    *,
    status: str = "",
    right: str = "",
    form: dict[str, str] | None = None,
    fault: Told | None = None,
) -> Response[str]:
    return page(
        request,
        core,
        "rights.html",
        status=fault.status if fault else 200,
        data=rights.view(core, status=status, right=right),
        asked={"status": status, "right": right},
        statuses=get_args(Status),
        rights=RIGHTS,
        laws=LAWS,
        law=core.settings.rights.law,
        traits=trait_labels(core, viewer.language),
        form=form or {},
        fault=fault,
    )


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


ROUTES = [register, one, file, carry_out, refuse, extend, lift, packed]
