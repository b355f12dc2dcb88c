"""Tallies: per source and hour, how many events were loaded, how many came twice, and how long loading took.

Reads   `incoming_events`, `batch_kept`   within the loader's transaction
Writes  `tallies`   one row per source and hour of receipt

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
