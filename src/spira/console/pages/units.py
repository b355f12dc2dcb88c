"""Units: the tree of the organisation with the people and staff in each, and changing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromPath

from spira.console.render import done, page
from spira.console.telling import Told, told
from spira.kernel.clock import RealClock
from spira.kernel.errors import SpiraError
from spira.server.api.units import ChangedUnit, ConfirmedUnit, NewUnit, add, change, remove, tree
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import ADMINISTER, whole

Asked = Request[Any, Any, Any]


@get("/staff/units", opt={**whole(ADMINISTER), "data": "/api/units/tree"}, sync_to_thread=True)
def units_page(request: Asked, core: Core) -> Response[str]:
    """The tree."""
    return _draw(request, core, {}, None)


@post("/staff/units", opt=whole(ADMINISTER), status_code=200)
async def add_unit(request: Asked, core: Core, viewer: Asking) -> Response[Any]:
    """Back to the tree; or the tree again with what is wrong."""
    form = await _typed(request)

    def carry_out() -> Response[Any]:
        add(core, viewer, NewUnit(code=form.get("code", ""), name=form.get("name", ""), parent=form.get("parent")))
        return done("/staff/units", "unit_added")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, form, carry_out))


@post("/staff/place-people", opt=whole(ADMINISTER), status_code=200, sync_to_thread=True)
def place_people(request: Asked, core: Core) -> Response[Any]:
    """Refresh now, by which people find their units; back to the tree, or the tree with what is wrong."""

    def carry_out() -> Response[Any]:
        core.refresh()
        return done("/staff/units", "people_placed")

    return _or_fault(request, core, {}, carry_out)


@post("/staff/units/{code:str}", opt=whole(ADMINISTER), status_code=200)
async def change_unit(request: Asked, core: Core, viewer: Asking, code: FromPath[str]) -> Response[Any]:
    """Back to the tree; or the tree again with what is wrong."""
    form = await _typed(request)

    def carry_out() -> Response[Any]:
        change(core, viewer, code, ChangedUnit(name=form.get("name", ""), parent=form.get("parent")))
        return done("/staff/units", "unit_changed")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, {}, carry_out))


@post("/staff/units/{code:str}/remove", opt=whole(ADMINISTER), status_code=200)
async def remove_unit(request: Asked, core: Core, viewer: Asking, code: FromPath[str]) -> Response[Any]:
    """Back to the tree; or the tree again with what is wrong."""
    form = await _typed(request)

    def carry_out() -> Response[Any]:
        remove(core, viewer, code, ConfirmedUnit(confirm=form.get("confirm", "")))
        return done("/staff/units", "unit_removed")

    return await anyio.to_thread.run_sync(lambda: _or_fault(request, core, {}, carry_out))


async def _typed(request: Asked) -> dict[str, str]:
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    return {name: value for name, value in form.items() if value}


def _or_fault(
    request: Asked, core: AnyCore, form: dict[str, str], carry_out: Callable[[], Response[Any]]
) -> Response[Any]:
    try:
        return carry_out()
    except SpiraError as error:
        return _draw(request, core, form, told(error, request.scope["user"].language))


def _draw(request: Asked, core: AnyCore, form: dict[str, str], fault: Told | None) -> Response[str]:
    status = fault.status if fault else 200
    by_itself = isinstance(core.clock, RealClock)
    shown = tree(core)
    return page(request, core, "units.html", status=status, data=shown, form=form, fault=fault, by_itself=by_itself)


ROUTES = [units_page, add_unit, place_people, change_unit, remove_unit]
