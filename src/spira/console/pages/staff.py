"""Staff: who may sign in, inviting somebody, one of them, and what each role may do.

A one-time link is shown on the answer to the form that made it, and never again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import ROLES, Viewer
from spira.server.api.staff import (
    Change,
    Confirmed,
    Invitation,
    SignInLink,
    admit,
    change,
    finish,
    relink,
    reset,
)
from spira.server.auth import wall_of
from spira.server.core import AnyCore, Asking, Core
from spira.server.powers import matrix
from spira.server.roles import ADMINISTER, whole
from spira.server.roster import STANDINGS, one, roster
from spira.unify.units import all_units

Asked = Request[Any, Any, Any]
Form = Mapping[str, Any]


@get("/staff", opt={**whole(ADMINISTER), "data": "/api/staff"}, sync_to_thread=True)
def staff_page(
    request: Asked,
    core: Core,
    q: FromQuery[str] = "",
    standing: FromQuery[str | None] = None,
    role: FromQuery[str | None] = None,
) -> Response[str]:
    """The list."""
    shown = roster(core.state, text=q, standing=standing or None, role=role or None)
    return page(
        request,
        core,
        "staff.html",
        data=shown,
        text=q,
        standing=standing,
        role=role,
        standings=STANDINGS,
        all_roles=ROLES,
    )


@get("/staff/new", opt={**whole(ADMINISTER), "data": None}, sync_to_thread=True)
def new_staff_page(request: Asked, core: Core) -> Response[str]:
    """The form of an invitation."""
    return _form(request, core, {"roles": []}, None)


@get("/staff/roles", opt={**whole(ADMINISTER), "data": "/api/roles"}, sync_to_thread=True)
def roles_page(request: Asked, core: Core) -> Response[str]:
    """What each role may do."""
    return page(request, core, "staff_roles.html", data=matrix(request.app))


@post("/staff", opt=whole(ADMINISTER), status_code=201)
async def invite_staff(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The one-time link, shown this once; or the form again with what is wrong."""
    form = await typed_form(request)
    return await anyio.to_thread.run_sync(lambda: _invite(request, core, viewer, form))


@get("/staff/{staff_id:str}", opt={**whole(ADMINISTER), "data": "/api/staff/{staff_id}"}, sync_to_thread=True)
def one_page(request: Asked, core: Core, staff_id: FromPath[str]) -> Response[str]:
    """One of the staff."""
    return _one(request, core, staff_id, None)


@post("/staff/{staff_id:str}", opt=whole(ADMINISTER), status_code=200)
async def change_staff(request: Asked, core: Core, viewer: Asking, staff_id: FromPath[str]) -> Response[Any]:
    """Back to the page; or the page again with what is wrong."""
    form = await typed_form(request)

    def carry_out() -> Response[Any]:
        wanted = Change(name=form.get("name", ""), roles=form["roles"], unit=form.get("unit") or None)
        change(core, viewer, staff_id, wanted)
        return done(f"/staff/{staff_id}", "staff_changed")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, staff_id, carry_out))


@post("/staff/{staff_id:str}/link", opt=whole(ADMINISTER), status_code=200)
async def link_staff(request: Asked, core: Core, viewer: Asking, staff_id: FromPath[str]) -> Response[Any]:
    """A new one-time link, shown this once."""

    def carry_out() -> Response[Any]:
        return _link(request, core, relink(core, viewer, staff_id), staff_id, status=200)

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, staff_id, carry_out))


@post("/staff/{staff_id:str}/end", opt=whole(ADMINISTER), status_code=200)
async def end_staff(request: Asked, core: Core, viewer: Asking, staff_id: FromPath[str]) -> Response[Any]:
    """Back to the list; or the page again with what is wrong."""
    form = await typed_form(request)

    def carry_out() -> Response[Any]:
        finish(core, viewer, staff_id, Confirmed(confirm=form.get("confirm", "")))
        return done("/staff", "staff_ended")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, staff_id, carry_out))


@post("/staff/{staff_id:str}/reset-second-factor", opt=whole(ADMINISTER), status_code=200)
async def reset_staff(request: Asked, core: Core, viewer: Asking, staff_id: FromPath[str]) -> Response[Any]:
    """Back to the page; or the page again with what is wrong."""
    form = await typed_form(request)

    def carry_out() -> Response[Any]:
        reset(core, viewer, staff_id, Confirmed(confirm=form.get("confirm", "")))
        return done(f"/staff/{staff_id}", "staff_factor_reset")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, staff_id, carry_out))


async def typed_form(request: Asked) -> dict[str, Any]:
    """What was typed, with every role that was ticked."""
    form = await request.form()
    roles = [str(each) for each in form.getall("roles", [])]
    return {**{name: str(value).strip() for name, value in form.items()}, "roles": roles}


def _invite(request: Asked, core: AnyCore, viewer: Viewer, form: Form) -> Response[str]:
    try:
        wanted = Invitation(
            email=form.get("email", ""), name=form.get("name", ""), roles=form["roles"], unit=form.get("unit") or None
        )
        link = admit(core, viewer, wanted)
    except SpiraError as error:
        return _form(request, core, form, told(error, viewer.language))
    return _link(request, core, link, None, status=201)


def _form(request: Asked, core: AnyCore, form: Form, fault: Told | None) -> Response[str]:
    return page(
        request,
        core,
        "staff_new.html",
        status=fault.status if fault else 200,
        form=form,
        fault=fault,
        all_roles=ROLES,
        units=all_units(core.state),
    )


def _link(request: Asked, core: AnyCore, link: SignInLink, staff_id: str | None, *, status: int) -> Response[str]:
    url = link.url if "://" in link.url else str(request.base_url).rstrip("/") + link.url
    return page(request, core, "staff_link.html", status=status, link=link, url=url, staff_id=staff_id)


def _or_fault(request: Asked, core: AnyCore, staff_id: str, carry_out: Callable[[], Response[Any]]) -> Response[Any]:
    try:
        return carry_out()
    except SpiraError as error:
        if error.status == 404:
            raise
        return _one(request, core, staff_id, told(error, request.scope["user"].language))


def _one(request: Asked, core: AnyCore, staff_id: str, fault: Told | None) -> Response[str]:
    return page(
        request,
        core,
        "staff_one.html",
        status=fault.status if fault else 200,
        data=one(core.state, staff_id, at=wall_of(request).now()),
        fault=fault,
        all_roles=ROLES,
        units=all_units(core.state),
    )


ROUTES = [
    staff_page,
    new_staff_page,
    roles_page,
    invite_staff,
    one_page,
    change_staff,
    link_staff,
    end_staff,
    reset_staff,
]
