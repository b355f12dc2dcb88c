"""The summary: a workspace in one screen of counts, for the demo, for tests, and for a first look.

Reads   nearly every table, counting only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from spira.storage.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What there is, by count."""

    as_of: datetime = field(metadata={"help": "the instant it speaks of"})
    events: int = field(metadata={"help": "events loaded"})
    lines: int = field(metadata={"help": "order lines loaded"})
    quarantined: int = field(metadata={"help": "events refused, with their reasons kept"})
    profiles: int = field(metadata={"help": "people known"})
    revenue: float | None = field(metadata={"help": "the sum of revenue of all completed orders"})
    tags: int = field(metadata={"help": "tags computed for every profile"})
    audiences: Mapping[str, int] = field(metadata={"help": "members of each audience"})
    enrolments: Mapping[str, Mapping[str, int]] = field(metadata={"help": "walks by journey and state"})
    deliveries: Mapping[str, int] = field(metadata={"help": "messages by state"})
    reasons: Mapping[str, int] = field(metadata={"help": "messages withheld, held or failed, by reason"})
    opened: int = field(metadata={"help": "messages opened at least once"})
    clicked: int = field(metadata={"help": "messages clicked at least once"})


def summary(warehouse: Warehouse, *, as_of: datetime, audiences: tuple[str, ...], tags: int) -> Summary:
    """Count everything; `audiences` are the applied ones, so that an empty one shows as 0."""
    members: dict[str, int] = dict(warehouse.query(_MEMBERS))
    walks: dict[str, dict[str, int]] = {}
    for journey, state, count in warehouse.query(_WALKS):
        walks.setdefault(journey, {})[state] = count
    events, lines, quarantined, profiles, opened, clicked = warehouse.query(_COUNTS)[0]
    with_revenue = "revenue" in warehouse.columns("events")
    revenue = warehouse.value(_REVENUE) if with_revenue else None
    return Summary(
        as_of=as_of,
        events=events,
        lines=lines,
        quarantined=quarantined,
        profiles=profiles,
        revenue=None if revenue is None else float(revenue),
        tags=tags,
        audiences={name: members.get(name, 0) for name in audiences},
        enrolments=walks,
        deliveries=dict(warehouse.query(_DELIVERIES)),
        reasons=dict(warehouse.query(_REASONS)),
        opened=opened,
        clicked=clicked,
    )


_COUNTS = """
select (select count(*) from events), (select count(*) from order_lines), (select count(*) from quarantine),
       (select count(*) from profiles),
       (select count(opened_at) from deliveries), (select count(clicked_at) from deliveries)
"""
_REVENUE = "select sum(revenue) from events where event = 'Order Completed'"
_MEMBERS = "select audience, count(*) from members group by audience"
_WALKS = "select journey, state, count(*) from enrolments group by all order by all"
_DELIVERIES = "select state, count(*) from deliveries group by state order by state"
_REASONS = "select reason, count(*) from deliveries where reason is not null group by reason order by reason"
