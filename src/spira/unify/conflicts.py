"""Conflicts: where evidence contradicts itself, so that somebody looks at it instead of a guess being made.

Reads   `identity_conflicts`, `identifiers`, `moved`, `profiles`, and the vault by way of `unify.masks`
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from spira.kernel.ids import read_profile, show_profile
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.vault import Vault
from spira.storage.warehouse import Row, Warehouse
from spira.unify import masks, people
from spira.unify.kinds import is_contact
from spira.unify.portrait import PersonRow, says

Reason = Literal["shared", "torn", "several", "against", "likely", "crowd", "blocked"]
REASONS: tuple[Reason, ...] = get_args(Reason)
PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class EndView:
    """One side of a conflict."""

    id: str = says("the identifier's own p_ id, which decisions may name")
    kind: str = says("user_id, phone…")
    shown: str = says("its value, masked if it is a contact value")
    person: PersonRow | None = says("whose it is now; none for a person without an event, or one not to be seen")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictView:
    """Two who contradict each other, or one value that joins nobody."""

    reason: Reason = says("shared, torn, several, against or likely; crowd or blocked for one value")
    kind: str = says("the kind of what is claimed twice, or of which there is too much")
    one: EndView = says("one side")
    two: EndView | None = says("the other side; none for one value that joins nobody")
    via: EndView | None = says("what stands between the two, if it is one identifier")
    links: int = says("how many claim it, or how many identifiers it was seen with")
    settled: bool = says("whether staff said that the two are different people")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflicts:
    """A page of conflicts, the open ones."""

    rows: tuple[ConflictView, ...] = says("the conflicts, those with the most behind them first")
    counts: dict[str, int] = says("how many there are by reason, among all people")
    settled: int = says("how many of them staff settled")
    next: int | None = says("where the next page begins; none on the last one")


def page_of(
    warehouse: Warehouse, vault: Vault, viewer: Viewer, *, reason: Reason | None = None, start: int = 0
) -> Conflicts:
    """The conflicts that wait for somebody, as far as the viewer may see both people."""
    people.require(viewer)
    rows = warehouse.query(_ROWS, {"reason": reason, "start": start, "limit": PAGE + 1, **bound_units(viewer)})
    ends = _ends(warehouse, vault, viewer, {end for row in rows[:PAGE] for end in row[:3] if end})
    return Conflicts(
        rows=tuple(_view(row, ends) for row in rows[:PAGE]),
        counts=dict(warehouse.query(_COUNTS)),
        settled=int(warehouse.value(_SETTLED)),
        next=start + PAGE if len(rows) > PAGE else None,
    )


def about(warehouse: Warehouse, vault: Vault, viewer: Viewer, subjects: list[int]) -> tuple[ConflictView, ...]:
    """The conflicts in which any of the subjects has a part."""
    rows = warehouse.query(_ABOUT, {"subjects": subjects, "limit": PAGE})
    ends = _ends(warehouse, vault, viewer, {end for row in rows for end in row[:3] if end})
    return tuple(_view(row, ends) for row in rows)


def _ends(warehouse: Warehouse, vault: Vault, viewer: Viewer, subjects: set[int]) -> dict[int, EndView]:
    found = warehouse.query(_ENDS, {"subjects": sorted(subjects)})
    rows = people.rows(warehouse, vault, viewer, sorted({row[4] for row in found}))
    seen = {read_profile(row.id): row for row in rows}
    mine = [row for row in found if row[4] in seen or viewer.units is None]
    shown = masks.seen(vault, viewer, (row[2] for row in mine if row[3] is None or is_contact(row[1])), clear=False)
    return {row[0]: _end(row, seen.get(row[4]), shown, visible=row in mine) for row in found}


def _end(row: Row, person: PersonRow | None, shown: Mapping[str, str], *, visible: bool) -> EndView:
    subject, kind, key, value, _ = row
    text = shown.get(key, masks.HIDDEN)
    if value is not None and not is_contact(kind):
        text = value if visible else masks.HIDDEN
    return EndView(id=show_profile(subject), kind=kind, shown=text, person=person)


def _view(row: Row, ends: dict[int, EndView]) -> ConflictView:
    one, two, via, reason, kind, links, settled = row
    return ConflictView(
        reason=reason,
        kind=kind,
        one=ends[one],
        two=None if one == two else ends[two],
        via=ends.get(via),
        links=links,
        settled=settled,
    )


_COLUMNS = """
conflict.subject_id, conflict.other_id, conflict.via_id, conflict.reason, conflict.kind, conflict.links, settled
"""
_ROWS = f"""
select {_COLUMNS}
from identity_conflicts conflict
left join moved mine on mine.subject_id = conflict.subject_id
left join moved theirs on theirs.subject_id = conflict.other_id
where (reason = $reason or ($reason is null and not settled))
  and ($units::bigint[] is null or (
    select count(*) from profiles
    where profile_id in (coalesce(mine.profile_id, conflict.subject_id), coalesce(theirs.profile_id, conflict.other_id))
      and list_contains($units, unit_id)
  ) = case when coalesce(mine.profile_id, conflict.subject_id) = coalesce(theirs.profile_id, conflict.other_id)
           then 1 else 2 end)
order by links desc, conflict.subject_id, conflict.other_id, conflict.via_id, reason
limit $limit offset $start
"""
_ABOUT = f"""
select {_COLUMNS} from identity_conflicts conflict
where subject_id in (select unnest($subjects::bigint[])) or other_id in (select unnest($subjects::bigint[]))
   or via_id in (select unnest($subjects::bigint[]))
order by settled, links desc, subject_id, other_id, via_id, reason limit $limit
"""
_COUNTS = "select reason, count(*) from identity_conflicts group by reason order by reason"
_SETTLED = "select count(*) from identity_conflicts where settled and reason not in ('crowd', 'blocked')"
_ENDS = """
select subject_id, kind, subject_key, value, coalesce(moved.profile_id, subject_id)
from identifiers left join moved using (subject_id)
where subject_id in (select unnest($subjects::bigint[]))
"""
