"""`/api/live`: the events that came in last."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from litestar import get
from litestar.params import FromQuery

from spira.collect import live
from spira.collect.live import Choices, LiveEvent, Wanted
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, as_of
from spira.server.roles import PEOPLE, whole
from spira.server.wire import plain
from spira.unify import people
from spira.unify.portrait import PersonRow


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRow:
    """One accepted event and whose it is."""

    event_id: int = field(metadata={"help": "the event's number; newer ones have greater numbers"})
    event: str = field(metadata={"help": "what happened"})
    type: str = field(metadata={"help": "the kind of call that told it"})
    ts: datetime = field(metadata={"help": "when it happened"})
    received_at: datetime = field(metadata={"help": "when it was received"})
    source: str = field(metadata={"help": "the source that told it"})
    touchpoint: str | None = field(metadata={"help": "where brand and person met"})
    profile: str = field(metadata={"help": "the profile's outside name"})
    person: PersonRow | None = field(metadata={"help": "whose it is, masked; none until the profile is computed"})
    properties: dict[str, Any] = field(metadata={"help": "its declared properties"})
    undeclared: dict[str, Any] = field(metadata={"help": "what it holds that no tracking plan declares"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveView:
    """The newest events, newest first."""

    as_of: datetime = field(metadata={"help": "when this was looked up"})
    events: tuple[LiveRow, ...] = field(metadata={"help": "the events, newest first"})
    after: int = field(metadata={"help": "where the next look begins"})


def view(core: AnyCore, viewer: Viewer, wanted: Wanted, *, after: int = 0) -> LiveView:
    """The newest events that are wanted, with their people masked for the viewer."""
    found = live.latest(core.lane(), wanted, after=max(0, min(after, 2**62)))
    profiles = list(dict.fromkeys(each.profile_id for each in found.events))
    known = {row.id: row for row in people.rows(core.lane(), core.vault, viewer, profiles)}
    return LiveView(as_of=as_of(core), events=tuple(_row(each, known) for each in found.events), after=found.after)


def choices(core: AnyCore) -> Choices:
    """What the newest events can be chosen by."""
    return live.choices(core.lane())


def _row(event: LiveEvent, known: dict[str, PersonRow]) -> LiveRow:
    profile = show_profile(event.profile_id)
    return LiveRow(
        event_id=event.event_id,
        event=event.event,
        type=event.type,
        ts=event.ts,
        received_at=event.received_at,
        source=event.source,
        touchpoint=event.touchpoint,
        profile=profile,
        person=known.get(profile),
        properties=event.properties,
        undeclared=event.undeclared,
    )


@get("/api/live", opt=whole(PEOPLE), sync_to_thread=True)
def show_live(
    core: Core,
    viewer: Asking,
    source: FromQuery[str] = "",
    event: FromQuery[str] = "",
    touchpoint: FromQuery[str] = "",
    after: FromQuery[int] = 0,
) -> dict[str, Any]:
    """The last fifty accepted events, or those after the number `after`; contact values are taken out."""
    wanted = Wanted(source=source or None, event=event or None, touchpoint=touchpoint or None)
    return plain(view(core, viewer, wanted, after=after))  # type: ignore[no-any-return]


ROUTES = [show_live]
