"""`/api/sources/{name}/health` and the door: how sources are, what is refused, and what a source keeps to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.collect import health as healths
from spira.collect import sources
from spira.collect.health import DoorView, SourceHealth
from spira.collect.sources import Source
from spira.collect.traffic import SourceRow
from spira.kernel.viewer import Viewer
from spira.server.api.sources import listing
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.errors import Unacceptable
from spira.server.roles import CONNECT, whole
from spira.server.wire import plain

AS_PLANNED = "plan"  # the mode of a source that says nothing: what the tracking plan says


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What a source keeps to. What is left out stays; `plan` and 0 take the source's own word back."""

    mode: str | None = None
    silent_minutes: int | None = None


def view(core: AnyCore, name: str) -> SourceHealth:
    """How one source is."""
    source = sources.get(core.state, name)
    return core.kept(("health", source), lambda: healths.health(core.lane(), core.state, source, as_of=as_of(core)))


def door_view(core: AnyCore) -> DoorView:
    """What is refused at the door, and what changed its type."""
    return core.kept("door", lambda: healths.door(core.lane(), core.state, as_of=as_of(core)))


def alarms(core: AnyCore, viewer: Viewer) -> tuple[SourceRow, ...]:
    """The sources that are silent, for those who may do something about it."""
    if not viewer.has(*CONNECT) or viewer.units is not None:
        return ()
    return tuple(each for each in listing(core).sources if each.silent)


def keep_to(core: AnyCore, viewer: Viewer, name: str, keeping: Keeping) -> Source:
    """Set a source's mode and its alarm, written down."""
    now = sources.get(core.state, name)
    mode = now.mode if keeping.mode is None else None if keeping.mode == AS_PLANNED else keeping.mode
    if mode is not None and mode not in sources.SOURCE_MODES:
        raise Unacceptable(f"`{mode}` is not a mode", help=f"write one of: {', '.join(sources.SOURCE_MODES)}, plan")
    minutes = now.silent_minutes if keeping.silent_minutes is None else keeping.silent_minutes or None
    if minutes is not None and not 1 <= minutes <= sources.LONGEST_SILENCE:
        raise Unacceptable("a silence that alarms lasts from 1 minute to 30 days", help="write a number of minutes")
    made = sources.adjust(core.state, name, mode=mode, silent_minutes=minutes)
    audit(core, viewer, "source.set", name, mode=mode or AS_PLANNED, silent_minutes=minutes or 0)
    return made


@get("/api/sources/{name:str}/health", opt=whole(CONNECT), sync_to_thread=True)
def show_health(core: Core, name: FromPath[str]) -> dict[str, Any]:
    """How one source is: rate, lag, duplicates, what is refused, what changed its type, what personal was taken out."""
    return plain(view(core, name))  # type: ignore[no-any-return]


@get("/api/door", opt=whole(CONNECT), sync_to_thread=True)
def show_door(core: Core) -> dict[str, Any]:
    """What was refused at the door in 24 hours, wrong keys included, and properties that changed their type."""
    return plain(door_view(core))  # type: ignore[no-any-return]


@post("/api/sources/{name:str}/settings", opt=whole(CONNECT), status_code=200, sync_to_thread=True)
def set_source(core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[Keeping]) -> dict[str, Any]:
    """Set a source's mode (observe, quarantine, block, or plan) and after how many minutes its silence alarms."""
    made = keep_to(core, viewer, name, data)
    return {"source": made.source, "mode": made.mode, "silent_minutes": made.silent_minutes}


ROUTES = [show_health, show_door, set_source]
