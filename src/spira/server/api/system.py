"""`/api/health`, `/api/clock`, `/api/refresh`, `/api/tick`, `/api/system`: the house itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import Any

from litestar import get, post
from litestar.params import JSONBody

from spira.kernel.clock import iso, parse_instant
from spira.kernel.priority import giving_way
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.roles import RUN, whole
from spira.server.wire import plain
from spira.worker.report import Run, SystemReport

UNTOLD = "the stage failed; whoever runs the server sees why"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """The workspace's clock."""

    mode: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepClock:
    """Where a manual clock is to stand; an ISO 8601 instant."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """Whether all profiles are computed, or those that changed."""

    full: bool = False


def clock_view(core: AnyCore) -> ClockView:
    """What the clock says, and whether it is the machine's."""
    return ClockView(mode="manual" if hasattr(core.clock, "step") else "real", now=core.clock.now())


def ran(runs: Mapping[str, Run]) -> dict[str, Any]:
    """What a turn did, stage by stage."""
    return {"stages": [plain(each) for each in runs.values()]}


@get("/api/health", opt={"public": True}, sync_to_thread=True)
def health() -> dict[str, str]:
    """The server answers."""
    return {"status": "ok", "version": version("spira")}


@get("/api/clock", sync_to_thread=True)
def show_clock(core: Core) -> dict[str, Any]:
    """The workspace's clock."""
    return plain(clock_view(core))  # type: ignore[no-any-return]


@post("/api/clock", opt=whole(RUN), status_code=200, sync_to_thread=True)
def step_clock(core: Core, viewer: Asking, data: JSONBody[StepClock]) -> dict[str, Any]:
    """Step a manual clock; Conflict when the clock is the machine's."""
    try:
        to = parse_instant(data.to)
    except ValueError:
        raise Unacceptable(f"`{data.to}` is not an instant", help="write one as 2026-11-22T10:00:00Z") from None
    core.step_clock(to)
    audit(core, viewer, "clock.step", iso(to))
    return plain(clock_view(core))  # type: ignore[no-any-return]


@post("/api/refresh", opt=whole(RUN), status_code=200, sync_to_thread=True)
def refresh(core: Core, data: JSONBody[Refresh | None] = None) -> dict[str, Any]:
    """Run stages 2 to 6 now."""
    full = bool(data and data.full)
    return ran(giving_way(lambda: core.refresh(full=full)))


@post("/api/tick", opt=whole(RUN), status_code=200, sync_to_thread=True)
def tick(core: Core) -> dict[str, Any]:
    """Run stages 2 to 13 now."""
    return ran(giving_way(core.tick))


def report(core: AnyCore, viewer: Viewer) -> SystemReport:
    """How the stages and stores are; what a fault says only to those who run turns, since it may quote data."""
    told = core.report()
    if viewer.has(*RUN):
        return told
    kept = (replace(each, run=replace(each.run, fault=each.run.fault and UNTOLD)) for each in told.stages)
    return replace(told, stages=tuple(kept), children=())


@get("/api/system", sync_to_thread=True)
def show_system(core: Core, viewer: Asking) -> dict[str, Any]:
    """Each stage's last run and lag, and the stores' sizes."""
    return plain(report(core, viewer))  # type: ignore[no-any-return]


ROUTES = [health, show_clock, step_clock, refresh, tick, show_system]
