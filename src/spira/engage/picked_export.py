"""Picked: people who were picked from a list, as the rows of a sheet, for a purpose that is named.

Reads   `profiles`, `tags`, and what reach reads

The same rules as the export of an audience (`audience_export`): for writing to people only those
leave whom the channel may write to for that purpose; names are masked, an address is there only
for a role that may see it, on an explicit wish. Whoever the viewer may not see is as if not picked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from spira.engage import reach
from spira.engage.audience_export import ADDRESS, MARK, Wish, may_leave
from spira.engage.sheets import sheet
from spira.kernel.clock import iso
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify import masks, people
from spira.unify.listing import Wanted, beside

HEADS = ("id", "name", "number", "unit", "first_seen", "last_seen")
Leaving = tuple[tuple[int, str | None], ...]


def leaving(lane: Warehouse, viewer: Viewer, wish: Wish, profiles: Sequence[int], rules: reach.Rules) -> Leaving:
    """Those of `profiles` who may leave, in their order, each with the address if one is wanted."""
    people.require(viewer)
    own = exp.select("profile_id").from_("profiles").where("list_contains($picked, profile_id)", dialect="duckdb")
    of, bound = may_leave(own, viewer, wish.purpose, wish.channel, rules, recipient=wish.recipient)
    found = lane.query(of.sql(dialect="duckdb"), {**bound, "picked": list(profiles)})
    by_id = {profile: address for profile, address in found}  # noqa: C416  (rows are wider than pairs to the types)
    return tuple((profile, by_id[profile]) for profile in dict.fromkeys(profiles) if profile in by_id)


def lines(
    lane: Warehouse, vault: Vault, viewer: Viewer, wish: Wish, found: Leaving, *, units: Mapping[int, str]
) -> str:
    """The whole sheet as CSV, with its line of heads."""
    profiles = [profile for profile, _ in found]
    shown = {row.id: row for row in people.rows(lane, vault, viewer, profiles)}
    more = beside(lane, vault, viewer, profiles, Wanted(tags=wish.tags))
    opened = masks.seen(vault, viewer, [key for _, key in found], clear=True) if wish.contacts else {}
    rows: list[Sequence[object]] = [(*HEADS, *wish.tags, *((ADDRESS, MARK) if wish.contacts else ()))]
    for profile, key in found:
        person = shown[show_profile(profile)]
        unit = units.get(person.unit_id, "") if person.unit_id is not None else ""
        told = more[profile]
        row = [person.id, person.name, person.number, unit, iso(person.first_seen), iso(person.last_seen)]
        row += [told.tags.get(name) for name in wish.tags]
        rows.append([*row, opened.get(key or "", ""), wish.mark] if wish.contacts else row)
    return sheet(rows)
