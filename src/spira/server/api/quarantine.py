"""`/api/quarantine`: the calls that could not become events."""

from __future__ import annotations

from datetime import date
from typing import Any

from litestar import get
from litestar.params import FromPath, FromQuery

from spira.collect import quarantine
from spira.collect.quarantine import STATES, Filters, QuarantinePage, RefusedView, State
from spira.collect.tracking import plan_of
from spira.server.core import AnyCore, Core, as_of
from spira.server.errors import Unacceptable
from spira.server.roles import CONNECT, whole
from spira.server.wire import plain


def day_of(text: str) -> date | None:
    """A day as a form sends it, `2026-11-26`; None for an empty field."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unacceptable(f"`{text[:40]}` is not a day", help="write one as 2026-11-26") from None


def filters_of(source: str, event: str, reason: str, day: str, state: str = "open") -> Filters:
    """The filters of an address; an empty one is none."""
    known: State = next((each for each in STATES if each == state), "open")
    return Filters(source=source or None, event=event or None, reason=reason or None, day=day_of(day), state=known)


def view(core: AnyCore, filters: Filters, *, before: str = "") -> QuarantinePage:
    """A page of the refused calls."""
    zone = core.settings.workspace.zone
    return quarantine.page(core.lane(), filters, as_of=as_of(core), zone=zone, before=before or None)


def one(core: AnyCore, call: str) -> RefusedView:
    """One refused call, as far as it may be shown."""
    return quarantine.call(core.lane(), core.keys, plan_of(core.applied.of("tracking")), call)


@get("/api/quarantine", opt=whole(CONNECT), sync_to_thread=True)
def list_refused(
    core: Core,
    source: FromQuery[str] = "",
    event: FromQuery[str] = "",
    reason: FromQuery[str] = "",
    day: FromQuery[str] = "",
    show: FromQuery[str] = "open",
    before: FromQuery[str] = "",
) -> dict[str, Any]:
    """Refused calls, newest first, with counts by reason; `show` is open, done (replayed and loaded) or all."""
    return plain(view(core, filters_of(source, event, reason, day, show), before=before))  # type: ignore[no-any-return]


@get("/api/quarantine/{call:str}", opt=whole(CONNECT), sync_to_thread=True)
def show_refused(core: Core, call: FromPath[str]) -> dict[str, Any]:
    """One refused call: why, its text without contact values, and a tracking plan that would take it."""
    return plain(one(core, call))  # type: ignore[no-any-return]


ROUTES = [list_refused, show_refused]
