"""A draft of the tags of some profiles, in temporary tables: pass by pass, as `passes.py` has compiled them.

Reads   what the passes read, `restricted`, and the temporary table `changed`
Writes  `tags_draft`   (temporary) a row for each of the profiles, a column for each tag and each input
        `changed`      more profiles, whose ranks were moved by others
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from spira.segment import passes
from spira.segment.divisions import ends
from spira.segment.passes import Pass, Program
from spira.segment.rewrite import stored
from spira.storage.warehouse import Warehouse


def draft(warehouse: Warehouse, wanted: Program, as_of: datetime, *, full: bool) -> None:
    """Work the chosen profiles out into the temporary table `tags_draft`; nothing else is written."""
    if not wanted.passes:
        warehouse.execute(_START_FULL if full else _START)
    for place, run in enumerate(_runs(wanted.passes)):
        each = run[0]
        if each.rows is not None:
            _add_rows(warehouse, run, as_of, full=full)
        elif each.ranks:
            warehouse.execute(each.everyone if full else each.changed, bound(each.everyone, as_of))
            if not full:
                _grow(warehouse, each, {})
            warehouse.execute(_ADD_RANKS)
            replaced(warehouse)
        else:
            warehouse.execute(each.everyone if full else each.changed, bound(each.everyone, as_of))
            add_layer(warehouse, first=place == 0)


def _runs(all_passes: Iterable[Pass]) -> list[list[Pass]]:
    """The passes, those together that only add columns, up to where a value of everyone is needed.

    By then every column is in the draft, for profiles may be added to it whose ranks were moved.
    """
    found: list[list[Pass]] = []
    for each in all_passes:
        goes_on = each.rows is not None and not each.divisions
        if found and goes_on and found[-1][0].rows is not None:
            found[-1].append(each)
        else:
            found.append([each])
    return found


def add_layer(warehouse: Warehouse, *, first: bool) -> None:
    """Take what a scan made into the draft; the first one is the draft."""
    if first:
        warehouse.execute(_LEAVE_OUT)
        warehouse.execute(_FORGET_OLD)
        warehouse.execute(_IS_DRAFT)
        return
    warehouse.execute(_WIDEN)
    replaced(warehouse)


def replaced(warehouse: Warehouse) -> None:
    """Put what was widened in the draft's place."""
    warehouse.execute(_FORGET_NARROW)
    warehouse.execute(_RENAME)


def bound(sql: str, as_of: datetime, more: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """The parameters of a statement: its instant if it asks for one, and what else it takes."""
    found = dict(more or {})
    if "$as_of" in sql:
        found["as_of"] = as_of
    return found or None


def _add_rows(warehouse: Warehouse, run: Sequence[Pass], as_of: datetime, *, full: bool) -> None:
    each, found = run[0], dict[str, Any]()
    if each.divisions:
        if not full:
            warehouse.execute(each.ranked_by)
        found = ends(warehouse, passes.DRAFT if full else passes.RANKED_BY, each.divisions)
        if not full:
            warehouse.execute(_FORGET_RANKED_BY)
            _grow(warehouse, each, found)
    widen(warehouse, run, as_of, found)


def widen(warehouse: Warehouse, beside: Sequence[Pass], as_of: datetime, ends: Mapping[str, Any] | None = None) -> None:
    """Add the columns of passes over the draft, all in one statement."""
    sql = stored(passes.widened(beside), passes.WIDER)
    warehouse.execute(sql, bound(sql, as_of, ends))
    replaced(warehouse)


def _grow(warehouse: Warehouse, each: Pass, ends: Mapping[str, Any]) -> None:
    """Add to the draft everyone whose rank was moved by others."""
    warehouse.execute(_MOVED_RANKS + each.moved, dict(ends) or None)
    if warehouse.value(_ANY_MOVED):
        warehouse.execute(_GROW_DRAFT + each.grow)
        warehouse.execute(_GROW_CHANGED)


_START = """
create or replace temp table tags_draft as
select profile_id, null::timestamp as next_edge_at from profiles
where profile_id in (select profile_id from changed) and profile_id not in (select profile_id from restricted)
"""
_START_FULL = """
create or replace temp table tags_draft as
select profile_id, null::timestamp as next_edge_at from profiles
where profile_id not in (select profile_id from restricted)
"""
_LEAVE_OUT = "delete from tags_layer where profile_id in (select profile_id from restricted)"
_FORGET_OLD = "drop table if exists tags_draft"
_IS_DRAFT = "alter table tags_layer rename to tags_draft"
_WIDEN = """
create or replace temp table tags_wider as
select known.* replace (least(known.next_edge_at, more.next_edge_at) as next_edge_at),
       more.* exclude (profile_id, next_edge_at)
from tags_draft known join tags_layer more using (profile_id)
"""
_ADD_RANKS = """
create or replace temp table tags_wider as
select known.*, more.* exclude (profile_id)
from tags_draft known join tags_ranked more using (profile_id)
"""
_FORGET_NARROW = "drop table tags_draft"
_RENAME = "alter table tags_wider rename to tags_draft"
_FORGET_RANKED_BY = "drop table tags_ranked_by"
_MOVED_RANKS = "create or replace temp table moved_ranks as "
_ANY_MOVED = "select exists (from moved_ranks)"
_GROW_DRAFT = "insert into tags_draft by name "
_GROW_CHANGED = "insert into changed select profile_id from moved_ranks"
