"""Comparison: two or three audiences beside each other, who is in which of them, and what sets each apart.

Reads   `members`, `profiles`, `tags`

A viewer's figures are about the people of their units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from spira.kernel.viewer import Viewer, bound_units
from spira.segment.audience_facts import Difference, differences
from spira.segment.conditions.catalog import Catalog
from spira.storage.warehouse import Warehouse
from spira.unify.portrait import says

FEWEST, MOST = 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One of the audiences."""

    audience: str = says("its name")
    members: int = says("how many it has")
    more: tuple[Difference, ...] = says("values more frequent in it than in the others, numbers in fifths of everyone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Those who are in exactly these of the audiences."""

    within: tuple[str, ...] = says("the audiences they are in, and in no other of them")
    people: int = says("how many they are")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Audiences beside each other."""

    audiences: tuple[Compared, ...] = says("the audiences, as they were asked for")
    people: int = says("how many people are in any of them")
    regions: tuple[Region, ...] = says("who is in which; those in one only first, those in all last")


def compare(lane: Warehouse, viewer: Viewer, names: Sequence[str], catalog: Catalog) -> Comparison:
    """Two or three audiences: who is in which, and what sets each apart from the others."""
    three = [*names, *[None] * (MOST - len(names))]
    asked = dict(zip(("one", "two", "three"), three, strict=True))
    found = {row[:3]: int(row[3]) for row in lane.query(_REGIONS, {**asked, **bound_units(viewer)})}
    places = [each for each in product((True, False), repeat=MOST) if any(each) and not any(each[len(names) :])]
    regions = tuple(
        Region(within=tuple(name for name, is_in in zip(names, each, strict=False) if is_in), people=found.get(each, 0))
        for each in sorted(places, key=lambda each: (sum(each), [not is_in for is_in in each]))
    )
    return Comparison(
        audiences=tuple(
            Compared(
                audience=name,
                members=sum(each.people for each in regions if name in each.within),
                more=differences(
                    lane, viewer, name, catalog, against=[other for other in names if other != name], numbers=True
                ),
            )
            for name in names
        ),
        people=sum(each.people for each in regions),
        regions=regions,
    )


_REGIONS = """
select in_one, in_two, in_three, count(*)
from (
  select profile_id, bool_or(audience = $one) as in_one, bool_or(audience = $two) as in_two,
         coalesce(bool_or(audience = $three::varchar), false) as in_three
  from members join profiles using (profile_id)
  where (audience in ($one, $two) or audience = $three::varchar)
    and ($units::bigint[] is null or list_contains($units, unit_id))
  group by profile_id
) as each
group by all
"""
