"""Tallies: what the loader counts beside what it keeps.

Reads   `incoming_events`, `incoming_undeclared`, `incoming_personal`, `batch_kept`   in the loader's transaction
Writes  `tallies`      per source and hour of receipt: events loaded, what came twice, how long loading took
        `undeclared`   per source, day, event, property and type: how often it was seen
        `personal`     the same with what it was recognised as

The delay of an event is from its receipt to the commit that made it findable.
"""

from __future__ import annotations

from datetime import datetime

from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse

TALLIES = table(
    Table(
        name="tallies",
        store="warehouse",
        stage="collect.load",
        columns=columns(
            """
            source VARCHAR required
            hour TIMESTAMP required
            loaded BIGINT required
            duplicates BIGINT required
            delay DOUBLE required
            slowest DOUBLE required
            """
        ),
        key=("source", "hour"),
    )
)


def tally(warehouse: Warehouse, *, at: datetime) -> None:
    """Add the events of this batch, loaded at this instant, to their hours."""
    warehouse.execute(_OF_BATCH, {"at": at})
    warehouse.execute(_ADD)
    warehouse.execute(_MAKE)


def count_seen(warehouse: Warehouse, name: str, *, batch: int) -> None:
    """Add what a batch saw of something that is only counted, to its day."""
    names = {"table": name, "incoming": f"incoming_{name}", "what": _WHAT[name]}
    warehouse.execute(_COUNT_ON.format(**names), {"batch": batch})
    warehouse.execute(_COUNT_ANEW.format(**names), {"batch": batch})


# What is counted only, by the column that says what was seen of a property.
_WHAT = {"undeclared": "type", "personal": "kind"}
COUNTED = frozenset(_WHAT)
_SAME = """known.source = said.source and known.day = said.day and known.event = said.event
    and known.property = said.property and known.{what} = said.{what}"""
_COUNT_ON = "update {table} known set seen = known.seen + said.seen, batch = $batch from {incoming} said where " + _SAME
_COUNT_ANEW = (
    "insert into {table} by name select *, $batch as batch from {incoming} said where not exists "
    "(select 1 from {table} known where " + _SAME + ")"
)
_OF_BATCH = """
create or replace temp table batch_tallies as
select source, date_trunc('hour', received_at) as hour, count(*) filter (where is_new) as loaded,
       count(*) filter (where not is_new) as duplicates,
       coalesce(sum(delay) filter (where is_new), 0) as delay, coalesce(max(delay) filter (where is_new), 0) as slowest
from (select said.source, said.received_at, kept.item is not null as is_new,
             greatest(0, epoch($at::timestamp) - epoch(said.received_at)) as delay
      from incoming_events said left join batch_kept kept using (item))
group by all
"""
_ADD = """
update tallies
set loaded = tallies.loaded + said.loaded, duplicates = tallies.duplicates + said.duplicates,
    delay = tallies.delay + said.delay, slowest = greatest(tallies.slowest, said.slowest)
from batch_tallies said
where tallies.source = said.source and tallies.hour = said.hour
"""
_MAKE = """
insert into tallies by name
select * from batch_tallies said
where not exists (select 1 from tallies known where known.source = said.source and known.hour = said.hour)
"""
