"""Backfill: a property declared late takes over the values that were kept as JSON, slice by slice.

Reads   `backfills`, the JSON of `events` and of the line tables
Writes  `backfills` (how far each column is), the columns themselves, `carried`, `changes` and `loaded` (its batch)

Few rows are filled at once, when the column is made. With many, each turn of the loader fills one
slice in a transaction of its own, between its batches, so that loading and pages go on; killed
anywhere, the next turn goes on where the last slice ended. The profiles of a filled slice count as
changed, so that what is computed from the column follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spira.collect import carried
from spira.storage import ddl
from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse

AT_ONCE = 200_000  # events up to which a column is filled when it is made
SLICE = 250_000  # events of one slice: about two row groups

BACKFILLS = table(
    Table(
        name="backfills",
        store="warehouse",
        stage="collect.load",
        columns=columns(
            """
            table_name VARCHAR required
            column_name VARCHAR required
            type VARCHAR required
            next_event BIGINT required
            last_event BIGINT required
            filled BIGINT required
            """
        ),
        key=("table_name", "column_name"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A column that is being filled."""

    table: str = field(metadata={"help": "the table"})
    column: str = field(metadata={"help": "the column"})
    share: float = field(metadata={"help": "how much of the events has been looked through"})
    filled: int = field(metadata={"help": "how many values it has been given"})


def begin(warehouse: Warehouse, table: str, fresh: Sequence[tuple[str, str]], *, at_once: int = AT_ONCE) -> None:
    """Fill columns that were just made, given with their types; now where the events are few, else in slices."""
    last = int(warehouse.value(_LAST) or 0) if fresh else 0
    if not last:  # in a new workspace there is nothing to look through
        return
    if table == "events":
        for column, _ in fresh:
            carried.note_filled(warehouse, column)
    if last <= at_once:
        warehouse.execute(_update(table, fresh), _paths(fresh) | {"first": 0, "next": last + 1})
        return
    for column, sql_type in fresh:
        row = {"table": table, "column": column, "type": sql_type, "last": last}
        warehouse.execute(_FORGET, {"table": table, "column": column})
        warehouse.execute(_BEGIN, row)


def retype(warehouse: Warehouse, table: str, column: str, sql_type: str) -> None:
    """Let a column that is being filled go on with its new type."""
    warehouse.execute(_RETYPE, {"table": table, "column": column, "type": sql_type})


def step(warehouse: Warehouse, *, slice: int = SLICE) -> int:
    """Fill one slice of the columns that are behind most; how many values there were, 0 when all is done."""
    first = warehouse.one(_NEXT)
    if first is None:
        return 0
    table, next_event = first
    here = {"table": table, "next": next_event}
    pending = warehouse.query(_PENDING, here)
    wanted = [(column, kind) for column, kind, _ in pending]
    end = min(next_event + slice, max(last for _, _, last in pending) + 1)
    bound = _paths(wanted) | {"first": next_event, "next": end}
    with warehouse.transaction():
        filled = warehouse.execute(_update(table, wanted), bound)
        if filled:
            warehouse.execute(_NEW_BATCH)
            range = {"first": next_event, "next": end}
            warehouse.execute(_CHANGED.format(table=ddl.quote(table), any=_any(wanted)), range)
        warehouse.execute(_MOVE, {**here, "end": end, "filled": filled})
        warehouse.execute(_DONE)
    return max(filled, 1)


def pending(warehouse: Warehouse) -> tuple[Backfill, ...]:
    """The columns that are still being filled."""
    return tuple(Backfill(**row) for row in warehouse.rows(_PROGRESS))


def _paths(wanted: Sequence[tuple[str, str]]) -> dict[str, str | int]:
    return {f"p{place}": _path(column) for place, (column, _) in enumerate(wanted)}


def _update(table: str, wanted: Sequence[tuple[str, str]]) -> str:
    sets = ", ".join(
        _SET.format(column=ddl.quote(column), place=place, type=kind) for place, (column, kind) in enumerate(wanted)
    )
    some = " or ".join(_HAS.format(place=place) for place in range(len(wanted)))
    return _UPDATE.format(table=ddl.quote(table), sets=sets, some=some)


def _any(wanted: Sequence[tuple[str, str]]) -> str:
    return " or ".join(f"{ddl.quote(column)} is not null" for column, _ in wanted)


def _path(column: str) -> str:
    return f'$."{column}"'


_SET = "{column} = coalesce({column}, try_cast(json_extract_string(properties, $p{place}) as {type}))"
_HAS = "json_extract_string(properties, $p{place}) is not null"
_UPDATE = """
update {table} set {sets}
where event_id >= $first and event_id < $next and properties is not null and ({some})
"""
_LAST = "select max(event_id) from events"
_FORGET = "delete from backfills where table_name = $table and column_name = $column"
_BEGIN = """
insert into backfills by name
select $table as table_name, $column as column_name, $type as type, 1 as next_event, $last as last_event, 0 as filled
"""
_RETYPE = "update backfills set type = $type where table_name = $table and column_name = $column"
_NEXT = "select table_name, next_event from backfills order by next_event, table_name limit 1"
_PENDING = """
select column_name, type, last_event from backfills where table_name = $table and next_event = $next
order by column_name
"""
# The slice counts as a batch, so that every stage sees the profiles it changed.
_NEW_BATCH = "update loaded set batch = batch + 1"
_CHANGED = """
insert into changes by name
select distinct profile_id, (select max(batch) from loaded) as batch from {table}
where event_id >= $first and event_id < $next and properties is not null and ({any})
order by profile_id
"""
_MOVE = """
update backfills set next_event = $end, filled = filled + $filled where table_name = $table and next_event = $next
"""
_DONE = "delete from backfills where next_event > last_event"
_PROGRESS = """
select table_name as "table", column_name as "column", ((next_event - 1) / last_event)::double as share, filled
from backfills order by table_name, column_name
"""
