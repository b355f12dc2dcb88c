"""People by province: how many live in each, and how many of them bought lately, for one viewer.

Reads   `profiles`, `traits` (`province` and `city`), `profile_events`

A person's place is their trait `province`; for whom has none, that of their `city`. What can't be read
as a place in China is unknown, and counted so: the parts add up to everyone. To who sees aggregates
only, a province of a few people is no part of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from spira.kernel.viewer import FEWEST, Viewer, bound_units, is_of_few
from spira.measure.places import province_of
from spira.storage.warehouse import Warehouse

DAYS = 30
PROVINCE, CITY = "province", "city"
COMMONEST = 10_000  # pairs of texts that are read; free text has no end, and what is rarer counts as unknown
MOST_WRITTEN = 200  # ways of writing one province that a condition names; with more it has none


@dataclass(frozen=True, slots=True, kw_only=True)
class Province:
    """One province. `condition` chooses exactly its people, where both traits may be spoken of."""

    code: str = field(metadata={"help": "the first two digits of its code, as in 37"})
    people: int = field(metadata={"help": "people whose place it is"})
    active: int | None = field(
        metadata={"help": "of them, who ordered in the last thirty days; null when too few to say"}
    )
    condition: str | None = field(
        metadata={"help": "the condition that chooses them; null when the traits it needs are not declared"}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provinces:
    """The map: provinces with somebody in them, the most people first; and those of whom it isn't known."""

    provinces: tuple[Province, ...] = field(metadata={"help": "provinces with people, the most first"})
    unknown: int = field(metadata={"help": "people without a place, or with one that could not be read"})
    unknown_active: int | None = field(metadata={"help": "of them, who ordered lately; null for who sees figures only"})


@dataclass(slots=True)
class _Tile:
    people: int = 0
    active: int = 0
    provinces: set[str] = field(default_factory=set)
    cities: set[str] = field(default_factory=set)


def provinces(
    warehouse: Warehouse, viewer: Viewer, *, as_of: datetime, declared: Collection[str] = ()
) -> Provinces | None:
    """The viewer's people by province; None when nobody's place is known. `declared` are traits conditions may name."""
    if not warehouse.value(_ANY):
        return None
    bound = {**bound_units(viewer), "as_of": as_of, "start": as_of - timedelta(days=DAYS)}
    rows = warehouse.query(_PLACES, bound | {"most": COMMONEST})
    tiles: dict[str | None, _Tile] = {}
    for province, city, people, active in rows:
        tile = tiles.setdefault(_place(province, city), _Tile())
        tile.people, tile.active = tile.people + people, tile.active + active
        if province is not None:
            tile.provinces.add(province)
        elif city is not None:
            tile.cities.add(city)
    tiles.pop(None, None)
    if not tiles:
        return None
    everyone, active = warehouse.query(_EVERYONE, bound)[0]
    found = Provinces(
        provinces=_told(tiles, declared, by_city_alone=all(province is None for province, *_ in rows)),
        unknown=everyone - sum(each.people for each in tiles.values()),
        unknown_active=active - sum(each.active for each in tiles.values()),
    )
    return found if viewer.sees_people else discreet(found)


def discreet(found: Provinces) -> Provinces | None:
    """The map without a province, or an unknown rest, of a few people; what it loses is unknown."""
    kept = [each for each in found.provinces if each.people >= FEWEST]
    rest = found.unknown + sum(each.people for each in found.provinces if each.people < FEWEST)
    while kept and 0 < rest < FEWEST:
        rest += kept.pop().people
    shown = tuple(replace(each, active=_enough(each.active, each.people)) for each in kept)
    return Provinces(provinces=shown, unknown=rest, unknown_active=None) if kept else None


def _enough(active: int | None, people: int) -> int | None:
    """A part of some people, unless it or what is left of them is about a few."""
    return None if active is None or is_of_few(active, people) else active


def _place(province: str | None, city: str | None) -> str | None:
    written = province if province is not None else city
    return province_of(written) if written else None


def _told(tiles: Mapping[str | None, _Tile], declared: Collection[str], *, by_city_alone: bool) -> tuple[Province, ...]:
    found = [
        Province(
            code=code,
            people=tile.people,
            active=tile.active,
            condition=_condition(tile, declared, by_city_alone=by_city_alone),
        )
        for code, tile in tiles.items()
        if code is not None
    ]
    return tuple(sorted(found, key=lambda each: (-each.people, each.code)))


def _condition(tile: _Tile, declared: Collection[str], *, by_city_alone: bool) -> str | None:
    """The people of a tile in the language for who: every way in which their place is written."""
    needed = {name for name, used in ((PROVINCE, not by_city_alone), (CITY, tile.cities)) if used}
    if not needed <= set(declared) or len(tile.provinces) + len(tile.cities) > MOST_WRITTEN:
        return None
    of_province = f"{PROVINCE} in {_texts(tile.provinces)}"
    of_city = f"{CITY} in {_texts(tile.cities)}"
    if by_city_alone or not tile.cities:
        return of_city if by_city_alone else of_province
    of_city = f"{PROVINCE} is null and {of_city}"
    return f"{of_province} or ({of_city})" if tile.provinces else of_city


def _texts(written: Iterable[str]) -> str:
    """Texts as the language writes them."""
    return "(" + ", ".join("'" + each.replace("'", "''") + "'" for each in sorted(written)) + ")"


_ANY = "select exists (select 1 from traits where name in ('province', 'city') and value is not null)"
_BOUGHT = """
bought as (
    select distinct profile_id, true as bought from profile_events
    where event = 'Order Completed' and ts >= $start and ts < $as_of
)
"""
_PLACES = (
    "with"
    + _BOUGHT
    + """
, told as (
    select profile_id, any_value(value) filter (name = 'province') as province,
           any_value(value) filter (name = 'city') as city
    from traits where name in ('province', 'city') and value is not null
    group by profile_id
)
select province, case when province is null then city end as city, count(*) as people, count(bought) as active
from told join profiles using (profile_id) left join bought using (profile_id)
where ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by all order by people desc, 1, 2 limit $most
"""
)
_EVERYONE = (
    "with"
    + _BOUGHT
    + """
select count(*), count(bought) from profiles left join bought using (profile_id)
where ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
"""
)
