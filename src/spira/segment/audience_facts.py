"""What there is to say of audiences: how many, since when, what they overlap with, and what sets them apart.

Reads   `members`, `membership_changes`, `profiles`, `tags`

A viewer's figures are about the people of their units. The members of a day that is gone are worked
out from those of now, by taking back what changed since; a day before the first membership is missing,
which is not the same as nobody.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlglot import exp

from spira.kernel.clock import local, midnight
from spira.kernel.viewer import Viewer, bound_units
from spira.segment.audiences import STAGE
from spira.segment.conditions.catalog import Catalog
from spira.storage import ddl, progress
from spira.storage.warehouse import Warehouse
from spira.unify.portrait import says

DAYS = 30
SPANS = (1, 7, 30)
TOP = 8
FEWEST = 20  # members with a value, below which it says nothing of the audience
LEAST_LIFT = 1.1
NUMBERS = ("integer", "number", "money")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One local day of an audience."""

    day: date = says("the day in the workspace's zone")
    members: int | None = says("how many were in at its end, or now for the last; null before there was an audience")
    entered: int = says("how often somebody entered on it")
    left: int = says("how often somebody left on it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How much an audience moved in the days before now."""

    days: int = says("how many days back")
    entered: int = says("how often somebody entered")
    left: int = says("how often somebody left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an audience stands among the viewer's people."""

    audience: str = says("the audience's name")
    members: int | None = says("how many are in it; null before a refresh has worked it out")
    total: int = says("how many people there are")
    share: float | None = says("the members as a part of everyone; null when there is no one, or no figure yet")
    as_of: datetime | None = says("the instant of the last refresh; null before the first")
    moved: tuple[Moved, ...] = says("entered and left in the last day, week and thirty days")
    days: tuple[Day, ...] = says("day by day, oldest first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Another audience that shares members."""

    audience: str = says("the other audience")
    members: int = says("how many it has")
    both: int = says("how many are in both")
    jaccard: float = says("those in both as a part of those in either")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A value of a tag that is more frequent in an audience than among those it is compared with."""

    tag: str = says("the tag")
    value: str = says("the value")
    members: int = says("how many members have it")
    others: int = says("how many of those compared with have it")
    share: float = says("the part of the members that has it")
    other_share: float = says("the part of the others that has it")
    lift: float = says("how many times as frequent it is")
    above: float | None = says("of a number: the value is above this; null for the lowest, and for other tags")
    upto: float | None = says("of a number: and at most this; null for the highest, and for other tags")


def everyone(lane: Warehouse, viewer: Viewer) -> int:
    """How many people the viewer may see."""
    return int(lane.value(_TOTAL, bound_units(viewer)))


def standings(
    lane: Warehouse,
    viewer: Viewer,
    names: Sequence[str],
    *,
    as_of: datetime,
    zone: str,
    days: int = DAYS,
    known: Collection[str],
) -> tuple[Standing, ...]:
    """How each of the audiences stands, in the order of `names`, with `days` days of its past.

    One that never had a member is empty when it is among those `known` to be worked out, and has no figure if not.
    """
    last = local(as_of, zone).date()
    dates = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    starts = [midnight(day, zone) for day in dates]
    asked = {"names": list(names), **bound_units(viewer)}
    total = everyone(lane, viewer)
    now: dict[str, int] = dict(lane.query(_MEMBERS, asked))
    begun: dict[str, datetime] = dict(lane.query(_BEGUN, {"names": list(names)}))
    changes: dict[tuple[str, datetime], tuple[int, int]] = {
        (audience, start): (entered, left)
        for audience, start, entered, left in lane.query(_BY_DAY, {**asked, "starts": starts})
    }
    spans = {
        days: {name: (entered, left) for name, entered, left in lane.query(_SINCE, {**asked, "since": since})}
        for days, since in ((days, as_of - timedelta(days=days)) for days in SPANS)
    }
    stood = progress.stood_at(lane, STAGE)
    found = []
    for name in names:
        moves = [changes.get((name, start), (0, 0)) for start in starts]
        members = now.get(name, 0 if name in known or name in begun else None)
        found.append(
            Standing(
                audience=name,
                members=members,
                total=total,
                share=members / total if total and members is not None else None,
                as_of=stood,
                moved=tuple(_moved(days, spans[days].get(name, (0, 0))) for days in SPANS),
                days=_days(dates, starts, moves, members or 0, begun.get(name)),
            )
        )
    return tuple(found)


def overlaps(lane: Warehouse, viewer: Viewer, audience: str, names: Sequence[str]) -> tuple[Overlap, ...]:
    """The audiences among `names` that share most members with one, most shared first."""
    found = lane.query(_OVERLAPS, {"audience": audience, "names": list(names), "top": TOP, **bound_units(viewer)})
    return tuple(
        Overlap(audience=name, members=members, both=both, jaccard=both / (own + members - both))
        for name, members, both, own in found
    )


def differences(
    lane: Warehouse,
    viewer: Viewer,
    audience: str,
    catalog: Catalog,
    *,
    against: Sequence[str] | None = None,
    without: frozenset[str] = frozenset(),
    numbers: bool = False,
) -> tuple[Difference, ...]:
    """The values that set an audience apart from everyone, or from the members of others.

    Tags that hold a text or a truth are looked at, and with `numbers` those that hold a number too, in fifths of
    everyone; those in `without` are left out: what an audience is chosen by says nothing new of it.
    """
    known = lane.columns("tags")
    names = [name for name in catalog.tags if name in known and name not in without]
    plain = [name for name in names if catalog.tags[name] in ("text", "boolean")]
    cuts = _cuts(lane, viewer, [name for name in names if catalog.tags[name] in NUMBERS]) if numbers else {}
    if not plain and not cuts:
        return ()
    columns = [_as_text(name) for name in plain] + [_as_band(name, each) for name, each in cuts.items()]
    valued = exp.select("profile_id", *columns).from_("tags").sql(dialect="duckdb")
    asked = {
        "audience": audience,
        "against": None if against is None else list(against),
        "fewest": FEWEST,
        "least": LEAST_LIFT,
        "top": TOP,
    }
    found = lane.rows(_DIFFERENCES.format(valued=valued), {**asked, **bound_units(viewer)})
    edges = [_edges(cuts.get(row["tag"]), row["value"]) for row in found]
    return tuple(Difference(**row, above=above, upto=upto) for row, (above, upto) in zip(found, edges, strict=True))


def _moved(days: int, moves: tuple[int, int]) -> Moved:
    return Moved(days=days, entered=moves[0], left=moves[1])


def _days(
    dates: Sequence[date],
    starts: Sequence[datetime],
    moves: Sequence[tuple[int, int]],
    members: int,
    begun: datetime | None,
) -> tuple[Day, ...]:
    """From now backwards: what a day ended with is what the next one began with."""
    ends: list[datetime | None] = [*starts[1:], None]
    found, level = [], members
    for day, end, (entered, left) in reversed(list(zip(dates, ends, moves, strict=True))):
        there = begun is not None and (end is None or begun < end)
        found.append(Day(day=day, members=level if there else None, entered=entered, left=left))
        level += left - entered
    return tuple(reversed(found))


def _cuts(lane: Warehouse, viewer: Viewer, names: Sequence[str]) -> dict[str, list[float]]:
    """Where the fifths of each number begin among the viewer's people, about; only where there is more than one."""
    if not names:
        return {}
    fifths = ", ".join(f"approx_quantile({ddl.quote(name)}::double, [0.2, 0.4, 0.6, 0.8])" for name in names)
    row = lane.one(_CUTS.format(fifths=fifths), bound_units(viewer)) or ()
    found = {name: sorted(set(each)) for name, each in zip(names, row, strict=False) if each}
    return {name: each for name, each in found.items() if each}


def _as_band(name: str, cuts: Sequence[float]) -> exp.Expr:
    """In which band a number lies, from 0: at most the first cut, above it and at most the second, and so on."""
    column = exp.cast(exp.column(name, quoted=True), "double")
    band = exp.Case()
    band = band.when(exp.Is(this=column.copy(), expression=exp.Null()), exp.Null())
    for place, cut in enumerate(cuts):
        band = band.when(exp.LTE(this=column.copy(), expression=exp.Literal.number(cut)), exp.Literal.string(place))
    return exp.alias_(band.else_(exp.Literal.string(len(cuts))), name, quoted=True)


def _edges(cuts: Sequence[float] | None, value: str) -> tuple[float | None, float | None]:
    """What a band lies above, and what it reaches up to."""
    if cuts is None:
        return None, None
    band = int(value)
    return cuts[band - 1] if band else None, cuts[band] if band < len(cuts) else None


def _as_text(name: str) -> exp.Expr:
    return exp.alias_(exp.cast(exp.column(name, quoted=True), "varchar"), name, quoted=True)


_TOTAL = "select count(*) from profiles where $units::bigint[] is null or list_contains($units, unit_id)"
_MEMBERS = """
select audience, count(*) from members join profiles using (profile_id)
where audience in (select unnest($names::varchar[]))
  and ($units::bigint[] is null or list_contains($units, unit_id))
group by audience
"""
_BEGUN = """
select audience, min("at") from (
  select audience, "at" from membership_changes union all select audience, since as "at" from members
) as known
where audience in (select unnest($names::varchar[])) group by audience
"""
# Who is no profile of their own any more counts for the whole brand, so that the past adds up.
_BY_DAY = """
select audience, day.start, count(*) filter (entered), count(*) filter (not entered)
from membership_changes as change
left join profiles using (profile_id)
asof join (select unnest($starts::timestamp[]) as start) as day on change."at" >= day.start
where audience in (select unnest($names::varchar[]))
  and ($units::bigint[] is null or list_contains($units, unit_id))
group by all
"""
_SINCE = """
select audience, count(*) filter (entered), count(*) filter (not entered)
from membership_changes left join profiles using (profile_id)
where audience in (select unnest($names::varchar[])) and membership_changes."at" > $since
  and ($units::bigint[] is null or list_contains($units, unit_id))
group by audience
"""
_OVERLAPS = """
with seen as (
  select audience, profile_id from members join profiles using (profile_id)
  where $units::bigint[] is null or list_contains($units, unit_id)
), sizes as (
  select audience, count(*) as size from seen group by audience
), shared as (
  select other.audience, count(*) as common
  from seen as own join seen as other using (profile_id)
  where own.audience = $audience and other.audience <> $audience
    and other.audience in (select unnest($names::varchar[]))
  group by other.audience
)
select audience, size, common, (select size from sizes where audience = $audience)
from shared join sizes using (audience) order by common desc, audience limit $top
"""
_CUTS = """
select {fifths} from tags
where profile_id in (
  select profile_id from profiles where $units::bigint[] is null or list_contains($units, unit_id)
)
"""
_DIFFERENCES = """
with valued as ({valued}), seen as (
  select profile_id from profiles where $units::bigint[] is null or list_contains($units, unit_id)
), own as (
  select profile_id from members semi join seen using (profile_id) where audience = $audience
), base as (
  select distinct profile_id from members semi join seen using (profile_id)
  where list_contains($against::varchar[], audience)
  union all select profile_id from seen where $against::varchar[] is null
), sizes as (
  select (select count(*) from own) as own, (select count(*) from base) as base
), pairs as (
  unpivot valued on columns(* exclude (profile_id)) into name tag value value
), counted as (
  select tag, value, count(*) filter (profile_id in (select profile_id from own)) as members,
         count(*) filter (profile_id in (select profile_id from base)) as others
  from pairs group by tag, value
), compared as (
  select tag, value, members, others, members / sizes.own as share, others / sizes.base as other_share,
         (members / sizes.own) / (others / sizes.base) as lift
  from counted, sizes where members >= $fewest and others > 0
)
select * from compared where lift >= $least order by lift desc, members desc, tag, value limit $top
"""
