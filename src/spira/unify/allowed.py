"""Allowed: what the people of a viewer allow, by purpose and channel, and how that came to be.

Reads   `profiles`, `permissions`, `profile_events`, `suppressions`, `identifiers`, `moved`

Counts are of the viewer's own people. Who sees aggregates only is told no group of fewer than
five: small groups are merged, and what could be worked out by subtraction is left out with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from spira.kernel.clock import local
from spira.kernel.viewer import FEWEST, Viewer, bound_units
from spira.storage.warehouse import Warehouse
from spira.unify.consent import GIVEN, UNSUBSCRIBED, WITHDRAWN

DAYS = 30
OTHERS = ""  # the name of groups that were merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What people said of one purpose on one channel; a count is none where the group is too small to tell."""

    purpose: str = field(metadata={"help": "what for; empty for merged small groups"})
    channel: str = field(metadata={"help": "by which channel; empty for merged small groups"})
    granted: int | None = field(metadata={"help": "people who allow it"})
    withdrawn: int | None = field(metadata={"help": "people who were asked and do not allow it"})
    never: int | None = field(metadata={"help": "people who never said anything, which means no"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDay:
    """One local day."""

    day: date = field(metadata={"help": "the day in the workspace's zone"})
    given: int | None = field(metadata={"help": "consents given"})
    withdrawn: int | None = field(metadata={"help": "consents withdrawn, unsubscribing included"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentSource:
    """Where consents came from."""

    source: str = field(metadata={"help": "the source; empty for merged small groups"})
    given: int = field(metadata={"help": "consents given, ever"})
    withdrawn: int = field(metadata={"help": "consents withdrawn, ever"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressed:
    """Addresses that are never written to again."""

    reason: str = field(metadata={"help": "hard_bounce or complaint; empty for merged small groups"})
    channel: str = field(metadata={"help": "of which channel"})
    addresses: int = field(metadata={"help": "how many"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    """Everything that the page of consent shows."""

    as_of: datetime = field(metadata={"help": "the instant the counts speak of"})
    people: int = field(metadata={"help": "how many people the viewer has"})
    coarse: bool = field(metadata={"help": "whether groups of fewer than five are merged"})
    permissions: tuple[Permission, ...] = field(metadata={"help": "by purpose and channel"})
    days: tuple[ConsentDay, ...] = field(metadata={"help": "the last 30 days, oldest first"})
    sources: tuple[ConsentSource, ...] = field(metadata={"help": "where consents came from"})
    suppressed: tuple[Suppressed, ...] = field(metadata={"help": "addresses that are shut off"})


def consents(warehouse: Warehouse, viewer: Viewer, *, as_of: datetime, zone: str) -> Consents:
    """What the viewer's people allow."""
    units = bound_units(viewer)
    coarse = not viewer.sees_people
    people = int(warehouse.value(_PEOPLE, units))
    permissions = [
        Permission(
            purpose=purpose, channel=channel, granted=granted, withdrawn=refused, never=people - granted - refused
        )
        for purpose, channel, granted, refused in warehouse.query(_PERMISSIONS, units)
    ]
    words = {"given": GIVEN, "withdrawn": [WITHDRAWN, UNSUBSCRIBED]}
    since = as_of - timedelta(days=DAYS)
    days = _days(warehouse.query(_QUARTERS, {**units, **words, "since": since}), as_of=as_of, zone=zone)
    sources = [ConsentSource(**row) for row in warehouse.rows(_SOURCES, {**units, **words})]
    suppressed = [Suppressed(**row) for row in warehouse.rows(_SUPPRESSED, units)]
    return Consents(
        as_of=as_of,
        people=people,
        coarse=coarse,
        permissions=tuple(_coarse_permissions(permissions) if coarse else permissions),
        days=tuple(map(_coarse_day, days) if coarse else days),
        sources=tuple(_coarse_sources(sources) if coarse else sources),
        suppressed=tuple(_coarse_suppressed(suppressed) if coarse else suppressed),
    )


def _days(quarters: Iterable[tuple[Any, ...]], *, as_of: datetime, zone: str) -> list[ConsentDay]:
    today = local(as_of, zone).date()
    found = {today - timedelta(days=back): [0, 0] for back in range(DAYS - 1, -1, -1)}
    for at, given, withdrawn in quarters:
        if (counts := found.get(local(at, zone).date())) is not None:
            counts[0] += given
            counts[1] += withdrawn
    return [ConsentDay(day=day, given=given, withdrawn=withdrawn) for day, (given, withdrawn) in found.items()]


def _few(count: int | None) -> bool:
    """Whether a group is there and too small to be told of."""
    return count is not None and 0 < count < FEWEST


def _coarse_permissions(rows: Iterable[Permission]) -> list[Permission]:
    """Pairs hardly anybody was asked about become one row; in the others, a part that is too small takes all with it.

    Of three groups that add up to a known whole, hiding one would hide nothing.
    """
    kept, small = [], []
    for row in rows:
        asked = (row.granted or 0) + (row.withdrawn or 0)
        if asked < FEWEST:
            small.append(row)
        elif any(map(_few, (row.granted, row.withdrawn, row.never))):
            kept.append(Permission(purpose=row.purpose, channel=row.channel, granted=None, withdrawn=None, never=None))
        else:
            kept.append(row)
    if small:
        kept.append(Permission(purpose=OTHERS, channel=OTHERS, granted=None, withdrawn=None, never=None))
    return kept


def _coarse_day(row: ConsentDay) -> ConsentDay:
    return ConsentDay(
        day=row.day,
        given=None if _few(row.given) else row.given,
        withdrawn=None if _few(row.withdrawn) else row.withdrawn,
    )


def _coarse_sources(rows: list[ConsentSource]) -> list[ConsentSource]:
    kept = [row for row in rows if not _few(row.given) and not _few(row.withdrawn)]
    small = [row for row in rows if row not in kept]
    others = ConsentSource(
        source=OTHERS, given=sum(row.given for row in small), withdrawn=sum(row.withdrawn for row in small)
    )
    return [*kept, others] if small and not _few(others.given) and not _few(others.withdrawn) else kept


def _coarse_suppressed(rows: list[Suppressed]) -> list[Suppressed]:
    kept = [row for row in rows if row.addresses >= FEWEST]
    others = sum(row.addresses for row in rows) - sum(row.addresses for row in kept)
    return [*kept, Suppressed(reason=OTHERS, channel=OTHERS, addresses=others)] if others >= FEWEST else kept


_PEOPLE = "select count(*) from profiles where $units::bigint[] is null or list_contains($units, unit_id)"
_PERMISSIONS = """
select purpose, channel, count(*) filter (where granted) as granted, count(*) filter (where not granted) as withdrawn
from permissions join profiles using (profile_id)
where $units::bigint[] is null or list_contains($units, profiles.unit_id)
group by purpose, channel order by granted desc, purpose, channel
"""
_QUARTERS = """
select time_bucket(interval '15 minutes', ts) as quarter,
       count(*) filter (where event = $given) as given,
       count(*) filter (where event in (select unnest($withdrawn::varchar[]))) as withdrawn
from profile_events join profiles using (profile_id)
where ts > $since and (event = $given or event in (select unnest($withdrawn::varchar[])))
  and ($units::bigint[] is null or list_contains($units, profiles.unit_id))
group by quarter
"""
_SOURCES = """
select source, count(*) filter (where event = $given) as given,
       count(*) filter (where event in (select unnest($withdrawn::varchar[]))) as withdrawn
from profile_events join profiles using (profile_id)
where (event = $given or event in (select unnest($withdrawn::varchar[])))
  and ($units::bigint[] is null or list_contains($units, profiles.unit_id))
group by source order by given desc, source
"""
# An address of nobody who is known belongs to the whole brand.
_SUPPRESSED = """
select reason, suppressions.channel, count(*) as addresses
from suppressions
left join identifiers on identifiers.subject_key = suppressions.address_key
left join moved on moved.subject_id = identifiers.subject_id
left join profiles on profiles.profile_id = coalesce(moved.profile_id, identifiers.subject_id)
where $units::bigint[] is null or list_contains($units, profiles.unit_id)
group by reason, suppressions.channel order by addresses desc, reason
"""
