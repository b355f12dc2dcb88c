"""Export: everything that is known of one person, in clear, for the person who asks for it.

Reads   what `unify.people` reads, all events with their lines, `deliveries`, `enrolments`,
        `membership_changes`, `suppressions`

Only a privacy officer is given one, and whoever calls is told the person's id so that it is
written down. Nothing is left out but what is the house's own: numbers of rows, keys, hashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spira.kernel.errors import NotAllowed
from spira.kernel.viewer import Viewer
from spira.storage import ddl
from spira.storage.tables import TABLES
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import people
from spira.unify.people import OnShow
from spira.unify.portrait import (
    DeliveryView,
    IdentifierView,
    MembershipView,
    PermissionView,
    PersonRow,
    PersonView,
    ScoreView,
    TagView,
    TraitView,
)

_INTERNAL = frozenset({"event_id", "subject_id", "profile_id", "batch", "line", "address_key", "delivery_id"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFile:
    """One event with all it carries."""

    event: str = field(metadata={"help": "what happened"})
    ts: datetime = field(metadata={"help": "when"})
    source: str = field(metadata={"help": "the source that told it"})
    details: Mapping[str, Any] = field(metadata={"help": "everything else that was told with it"})
    lines: tuple[Mapping[str, Any], ...] = field(metadata={"help": "its lines, such as the products of an order"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentFile:
    """One walk through a journey."""

    journey: str = field(metadata={"help": "the journey"})
    entered_at: datetime = field(metadata={"help": "since when"})
    state: str = field(metadata={"help": "active or ended"})
    held_out: bool = field(metadata={"help": "whether no message was sent, for comparison"})
    goal_at: datetime | None = field(metadata={"help": "when the goal was reached"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFile:
    """Entering or leaving an audience."""

    audience: str = field(metadata={"help": "the audience"})
    entered: bool = field(metadata={"help": "whether it was entered, or else left"})
    at: datetime = field(metadata={"help": "when"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionFile:
    """An address that is never written to again."""

    channel: str = field(metadata={"help": "of which channel"})
    reason: str = field(metadata={"help": "why"})
    since: datetime = field(metadata={"help": "since when"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFile:
    """Everything that is known of one person."""

    exported_at: datetime = field(metadata={"help": "when this was made"})
    person: PersonRow = field(metadata={"help": "who"})
    identifiers: tuple[IdentifierView, ...] = field(metadata={"help": "addresses and ids, in clear"})
    traits: tuple[TraitView, ...] = field(metadata={"help": "lasting attributes with every telling, in clear"})
    permissions: tuple[PermissionView, ...] = field(metadata={"help": "what the person allows"})
    suppressions: tuple[SuppressionFile, ...] = field(metadata={"help": "addresses that are shut off"})
    tags: tuple[TagView, ...] = field(metadata={"help": "what was computed about the person"})
    scores: tuple[ScoreView, ...] = field(metadata={"help": "what is expected of the person"})
    audiences: tuple[MembershipView, ...] = field(metadata={"help": "the audiences the person is in"})
    audience_changes: tuple[ChangeFile, ...] = field(metadata={"help": "every entering and leaving"})
    journeys: tuple[EnrolmentFile, ...] = field(metadata={"help": "every walk through a journey"})
    deliveries: tuple[DeliveryView, ...] = field(metadata={"help": "every message that was sent or withheld"})
    events: tuple[EventFile, ...] = field(metadata={"help": "everything that was recorded, newest first"})


def export(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, profile_id: int, *, at: datetime, on_show: OnShow
) -> PersonFile:
    """Everything about one person; NotAllowed for anyone but a privacy officer."""
    if not viewer.has("privacy_officer"):
        raise NotAllowed("a person's data is given out by a privacy officer", help="ask one to do it")
    profile = people.locate(warehouse, viewer, profile_id)
    view: PersonView = people.person(warehouse, vault, viewer, profile, on_show=on_show)
    who = {"profile": profile}
    return PersonFile(
        exported_at=at,
        person=view.person,
        identifiers=view.identifiers,
        traits=view.traits,
        permissions=view.permissions,
        suppressions=tuple(SuppressionFile(**row) for row in warehouse.rows(_SUPPRESSIONS, who)),
        tags=tuple(each for each in view.tags if each.value is not None),
        scores=view.scores,
        audiences=view.audiences,
        audience_changes=tuple(ChangeFile(**row) for row in warehouse.rows(_CHANGES, who)),
        journeys=tuple(EnrolmentFile(**row) for row in warehouse.rows(_ENROLMENTS, who)),
        deliveries=tuple(DeliveryView(**row) for row in warehouse.rows(_DELIVERIES, who)),
        events=_events(warehouse, profile),
    )


def _events(warehouse: Warehouse, profile: int) -> tuple[EventFile, ...]:
    lines = _lines(warehouse, profile)
    return tuple(
        EventFile(
            event=row["event"],
            ts=row["ts"],
            source=row["source"],
            details=_told(row, ("event", "ts", "source")),
            lines=tuple(lines.get(row["event_id"], ())),
        )
        for row in warehouse.rows(_EVENTS, {"profile": profile})
    )


def _lines(warehouse: Warehouse, profile: int) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for declared in map(TABLES.get, TABLES):
        view = f"profile_{declared.name}"
        if declared.name.endswith("_lines") and declared.store == "warehouse" and warehouse.columns(view):
            for row in warehouse.rows(_LINES.format(view=ddl.quote(view)), {"profile": profile}):
                found.setdefault(row["event_id"], []).append(_told(row, ("event", "ts")))
    return found


def _told(row: Mapping[str, Any], already: tuple[str, ...]) -> dict[str, Any]:
    """What a row says, without what is told already and what is the house's own."""
    return {
        name: value
        for name, value in row.items()
        if value is not None and name not in _INTERNAL and name not in already
    }


_EVENTS = "select * from profile_events where profile_id = $profile order by ts desc, event_id desc"
_LINES = "select * from {view} where profile_id = $profile order by event_id desc, line"
_DELIVERIES = """
select delivery_id, channel, template, journey, state, reason, created_at, sent_at, opened_at, clicked_at
from deliveries where profile_id = $profile order by created_at desc, delivery_id desc
"""
_ENROLMENTS = """
select journey, entered_at, state, held_out, goal_at
from enrolments where profile_id = $profile order by entered_at desc, enrolment_id desc
"""
_CHANGES = """
select audience, entered, "at" from membership_changes where profile_id = $profile order by "at" desc, change_id desc
"""
_SUPPRESSIONS = """
select suppressions.channel, reason, since
from suppressions
join identifiers on identifiers.subject_key = suppressions.address_key
left join moved using (subject_id)
where coalesce(moved.profile_id, subject_id) = $profile
order by since desc
"""
