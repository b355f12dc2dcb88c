"""Tags of everyone, worked out for a stretch of ids at a time, so that many people take no more memory than few.

Reads   what `tags.py` reads
Writes  `tag_stage`    what the first scan has found, until all is in place
        `tag_parts`    which stretches of ids are in it
        `tags`, `tag_inputs`, `tag_changes`   all rows at once, in the transaction of the caller

What looks at everyone (a rank) needs one value of each: these wait in `tag_stage`, a stretch in one transaction.
A refresh that was killed goes on behind the last stretch that was staged, for the instant at which it began; who
has changed since is worked out by the refresh of the changed that follows. The new tables take the old ones'
places in one transaction: a reader sees all of the old values or all of the new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise, takewhile
from typing import Any

from sqlglot import exp

from spira.segment import passes
from spira.segment.divisions import ends
from spira.segment.drafting import add_layer, bound, widen
from spira.segment.passes import DRAFT, Pass, Program
from spira.segment.rewrite import stored
from spira.segment.tables import TAG_INPUTS, TAG_STAGE, TAGS
from spira.storage import ddl
from spira.storage.tables import Column, Table
from spira.storage.warehouse import Warehouse

PEOPLE = 2_000_000
STALE = timedelta(days=1)  # what was begun longer ago is begun again
_FAR = 1 << 62  # further than any id lies


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The batch and the instant that a refresh stands at."""

    batch: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """The profiles from `low` to below `high`."""

    low: int
    high: int

    @property
    def bounds(self) -> dict[str, int]:
        """As the parameters of a statement."""
        return {"low": self.low, "high": self.high}


def parts(people: int) -> int:
    """In how many stretches so many people are worked out."""
    return max(-(-people // PEOPLE), 1)


def stretches(warehouse: Warehouse) -> list[Stretch]:
    """Stretches of ids with equally many profiles in each; together they hold every id."""
    wanted = parts(int(warehouse.value(_PEOPLE)))
    shares = [part / wanted for part in range(1, wanted)]
    inner = warehouse.value(_SPLITS, {"shares": shares}) if shares else []
    return [Stretch(low, high) for low, high in pairwise([-_FAR, *inner, _FAR])]


def stage(warehouse: Warehouse, wanted: Program, now: Standing, every: Sequence[Stretch]) -> Standing:
    """Scan for everyone, stretch by stretch; what was staged by one that was killed counts, and so does its instant."""
    begun = warehouse.query(_BEGUN, {"fingerprint": wanted.fingerprint, "since": now.as_of - STALE})
    if begun:
        now = Standing(batch=begun[0][0], as_of=begun[0][1])
        todo = [Stretch(low, high) for _, _, low, high, is_done in begun if not is_done]
    else:
        todo = list(every)
        with warehouse.transaction():
            warehouse.execute(_FORGET_PARTS)
            for each in todo:
                row = {"fingerprint": wanted.fingerprint, "batch": now.batch, "as_of": now.as_of}
                warehouse.execute(_PLAN, row | each.bounds)
    group, is_first = _groups(wanted)[0], len(todo) == max(len(begun), len(todo))
    for each in todo:
        _draft_first(warehouse, group, now.as_of, each)
        with warehouse.transaction():
            warehouse.execute(_FIRST_STAGED if is_first else _NEXT_STAGED)
            warehouse.execute(_STAGED, each.bounds)
        is_first = False
    return now


def write(warehouse: Warehouse, wanted: Program, now: Standing, *, anew: bool, drafted: bool) -> int:
    """Put what was staged, and what builds on it, in the place of `tags` and `tag_inputs`; how many profiles.

    With `drafted` it is all in the draft. It belongs into the transaction of the caller, who finds in the temporary
    table `tags_different` whose tags are others than before: all of them if `anew`.
    """
    for table, columns in ((TAGS, wanted.tags), (TAG_INPUTS, wanted.inputs)):
        warehouse.execute(ddl.create(_wide(table, columns), name=f"{table.name}_next"))
    warehouse.execute(_START_DIFFERENT)
    if drafted:
        count = _put(warehouse, wanted, Stretch(-_FAR, _FAR), anew=anew)
        if warehouse.one(_PARTS):  # of a refresh that nobody goes on with
            _empty_stage(warehouse)
    else:
        count = _write_staged(warehouse, wanted, now, anew=anew)
    for table in (TAGS, TAG_INPUTS):
        for statement in ddl.swap(table.name, f"{table.name}_next"):
            warehouse.execute(statement)
    warehouse.execute(_FORGET_PARTS)
    return count


def _write_staged(warehouse: Warehouse, wanted: Program, now: Standing, *, anew: bool) -> int:
    every = [Stretch(low, high) for low, high in warehouse.query(_PARTS)]
    groups = _groups(wanted)[1:] or [()]
    source, count = TAG_STAGE.name, 0
    for place, group in enumerate(groups):
        found, is_last = _of_everyone(warehouse, group, now.as_of, source), place == len(groups) - 1
        for each in every:
            _draft_next(warehouse, group, now.as_of, each, source, found)
            if is_last:
                count += _put(warehouse, wanted, each, anew=anew)
            else:
                made = _FIRST_STAGE if each == every[0] else _NEXT_STAGE
                warehouse.execute(made.format(name=ddl.quote(f"tag_stage_{place}")))
        warehouse.execute(_DROP.format(name=ddl.quote(source)))
        source = f"tag_stage_{place}"
    _empty_stage(warehouse)
    return count


def _empty_stage(warehouse: Warehouse) -> None:
    warehouse.execute(_DROP.format(name=ddl.quote(TAG_STAGE.name)))
    warehouse.execute(ddl.create(TAG_STAGE))


def _groups(wanted: Program) -> list[tuple[Pass, ...]]:
    """The passes, parted before each that needs a value of everyone."""
    found: list[list[Pass]] = [[]]
    for each in wanted.passes:
        if each.divisions or each.ranks:
            found.append([])
        found[-1].append(each)
    return [tuple(each) for each in found]


def _draft_first(warehouse: Warehouse, group: Sequence[Pass], as_of: datetime, each: Stretch) -> None:
    if not group:
        warehouse.execute(_START, each.bounds)
        return
    warehouse.execute(group[0].part, bound(group[0].part, as_of, each.bounds))
    add_layer(warehouse, first=True)
    _on(warehouse, group[1:], as_of, each)


def _of_everyone(warehouse: Warehouse, group: Sequence[Pass], as_of: datetime, source: str) -> dict[str, Any]:
    """What a group's first pass has to know of everyone: the ends of parts, or `tags_ranked`."""
    if group and group[0].divisions:
        return ends(warehouse, source, group[0].divisions)
    if group and group[0].ranks:
        warehouse.execute(_DROP.format(name=DRAFT))
        warehouse.execute(_AS_DRAFT.format(name=ddl.quote(source)))
        warehouse.execute(group[0].everyone, bound(group[0].everyone, as_of))
        warehouse.execute(_NO_DRAFT)
    return {}


def _draft_next(
    warehouse: Warehouse, group: Sequence[Pass], as_of: datetime, each: Stretch, source: str, ends: dict[str, Any]
) -> None:
    if group and group[0].ranks:
        warehouse.execute(_WITH_RANKS.format(name=ddl.quote(source)), each.bounds)
        _on(warehouse, group[1:], as_of, each)
        return
    beside = list(takewhile(lambda one: one.rows is not None, group))
    person = exp.column("profile_id")
    low, high = exp.Placeholder(this="low"), exp.Placeholder(this="high")
    rows = (
        exp.select("*")
        .from_(exp.to_table(source))
        .where(exp.and_(exp.GTE(this=person, expression=low), exp.LT(this=person.copy(), expression=high)))
    )
    sql = stored(passes.widened(beside, rows), DRAFT)
    warehouse.execute(sql, bound(sql, as_of, ends | each.bounds))
    _on(warehouse, group[len(beside) :], as_of, each)


def _on(warehouse: Warehouse, group: Sequence[Pass], as_of: datetime, each: Stretch) -> None:
    """Further passes over a stretch's draft."""
    for rows, run in groupby(group, key=lambda one: one.rows is not None):
        if rows:
            widen(warehouse, list(run), as_of)
            continue
        for one in run:
            warehouse.execute(one.part, bound(one.part, as_of, each.bounds))
            add_layer(warehouse, first=False)


def _put(warehouse: Warehouse, wanted: Program, each: Stretch, *, anew: bool) -> int:
    """Add a stretch's draft to the new tables, and those of it who differ to `tags_different`."""
    tags, inputs = (("profile_id", *(one.name for one in columns)) for columns in (wanted.tags, wanted.inputs))
    if anew:
        warehouse.execute(_ALL_DIFFERENT)
    else:
        warehouse.execute(_DIFFERENT.format(tags=ddl.names(tags)), each.bounds)
    if len(inputs) > 1:
        warehouse.execute(_WRITE.format(table="tag_inputs_next", columns=ddl.names(inputs)))
    return warehouse.execute(_WRITE.format(table="tags_next", columns=ddl.names((*tags, "next_edge_at"))))


def _wide(table: Table, columns: Sequence[Column]) -> Table:
    return Table(name=table.name, store=table.store, stage=table.stage, columns=(*table.columns, *columns))


_PEOPLE = "select count(*) from profiles"
_SPLITS = "select quantile_disc(profile_id, $shares) from profiles"
_BEGUN = """
select batch, as_of, low, high, is_done from tag_parts where fingerprint = $fingerprint and as_of >= $since order by low
"""
_PARTS = "select low, high from tag_parts order by low"
_PLAN = """
insert into tag_parts (fingerprint, batch, as_of, low, high, is_done)
values ($fingerprint, $batch, $as_of, $low, $high, false)
"""
_STAGED = "update tag_parts set is_done = true where low = $low and high = $high"
_FORGET_PARTS = "delete from tag_parts"
_FIRST_STAGED = "create or replace table tag_stage as select * from tags_draft"
_NEXT_STAGED = "insert into tag_stage by name select * from tags_draft"
_START = """
create or replace temp table tags_draft as
select profile_id, null::timestamp as next_edge_at from profiles
where profile_id >= $low and profile_id < $high and profile_id not in (select profile_id from restricted)
"""
_AS_DRAFT = "create temp view tags_draft as select * from {name}"
_NO_DRAFT = "drop view tags_draft"
_WITH_RANKS = """
create or replace temp table tags_draft as
select known.*, more.* exclude (profile_id) from {name} known join tags_ranked more using (profile_id)
where known.profile_id >= $low and known.profile_id < $high
"""
_FIRST_STAGE = "create or replace table {name} as select * from tags_draft"
_NEXT_STAGE = "insert into {name} by name select * from tags_draft"
_DROP = "drop table if exists {name}"
_WRITE = "insert into {table} by name select {columns} from tags_draft order by profile_id"
_START_DIFFERENT = "create or replace temp table tags_different (profile_id bigint)"
_ALL_DIFFERENT = "insert into tags_different select profile_id from tags_draft"
# A hash of all tags of a row stands for them: comparing one number takes a third of comparing each.
_DIFFERENT = """
insert into tags_different
select coalesce(now.profile_id, old.profile_id)
from (select profile_id, hash({tags}) as said from tags_draft) now
full join (select profile_id, hash({tags}) as said from tags where profile_id >= $low and profile_id < $high) old
  on old.profile_id = now.profile_id
where now.said is distinct from old.said
"""
