"""How long it takes to tell which of 20,000 message ids are known, among very many that are.

A warehouse is filled with events that have a random UUID each (2 million when small, 100 million when
full), in the order in which loading writes them. Each batch then holds 20,000 ids: 19,600 new ones, 200
that came within the last million events as retries do, and 200 from anywhere before. Both ways are asked
about the very same batches in turn: the plain anti-join against all of `events.message_id`, and
`spira.collect.known`; their answers are compared, and the new events are kept before the next batch. First
comes a start from nothing, which reads all there is. Memory is the process's own (anonymous) and, apart
from it, what lies in files that the system may drop. The limit is that of the project: 100 ms for a batch.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from common import Measured, median, percentile, run, timed

from spira.collect.known import KnownIds
from spira.storage.warehouse import Warehouse, open_warehouse

EVENTS = {"small": 2_000_000, "full": 100_000_000}
BATCHES = {"small": 30, "full": 100}
MEMORY = "4GB"  # what a workspace has unless its settings say otherwise

_MADE = "create table events (event_id BIGINT not null, message_id VARCHAR not null)"
_FILL = "insert into events select range + 1 as event_id, uuid()::varchar as message_id from range($first, $last)"
_BATCH = """
create or replace temp table batch_first as
select row_number() over ()::INTEGER as item, message_id
from (select uuid()::varchar as message_id from range(19600)
      union all select message_id from events where event_id in (select unnest($again)))
"""
_AGAIN = """
select distinct (case when range < 200 then $last - random() * 1000000 else 1 + random() * ($last - 1) end)::BIGINT
from range(400)
"""
_PLAIN = """
create or replace temp table batch_plain as
select item from batch_first first
where exists (select 1 from events known where known.message_id = first.message_id)
"""
_SAME = "select count(*) from (select item from batch_plain except select item from batch_known)"
_KEEP = """
insert into events
select $last + row_number() over (order by item), message_id from batch_first
where item not in (select item from batch_known)
"""


def measure(chosen: argparse.Namespace) -> Measured:
    """Fill, start from nothing, then ask both ways batch by batch."""
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd()) as folder,
        open_warehouse(Path(folder) / "warehouse.duckdb", memory=MEMORY) as warehouse,
    ):
        return _asked(warehouse, Path(folder), EVENTS[chosen.size], BATCHES[chosen.size])


def _asked(warehouse: Warehouse, folder: Path, events: int, batches: int) -> Measured:
    _fill(warehouse, events)
    before = _memory()
    known = KnownIds(folder / "scratch")
    start = timed(lambda: known.catch_up(warehouse, events))
    plain, marked = [], []
    for turn in range(batches):
        last = warehouse.value("select max(event_id) from events")
        again = [each for (each,) in warehouse.query(_AGAIN, {"last": last})]
        warehouse.execute(_BATCH, {"again": again})
        if turn % 10 == 0:
            plain.append(timed(lambda: warehouse.execute(_PLAIN)))
        with warehouse.transaction():
            marked.append(timed(lambda newest=last: known.mark(warehouse, newest)))
            if turn % 10 == 0 and warehouse.value(_SAME):
                raise SystemExit("the two ways do not agree")
            warehouse.execute(_KEEP, {"last": last})
    own, files = (now - then for now, then in zip(_memory(), before, strict=True))
    figures = {
        "events": events,
        "batches": batches,
        "start_s": round(start / 1000, 2),
        "batch_p50_ms": median(marked),
        "batch_p95_ms": percentile(marked, 0.95),
        "batch_longest_ms": max(round(each, 1) for each in marked),
        "plain_p50_ms": median(plain),
        "own_memory_mb": own,
        "file_memory_mb": files,
    }
    ratios = {"plain of known, at the median": round(median(plain) / median(marked), 1)}
    return Measured(figures=figures, ratios=ratios, limits={"batch_p95_ms": 100})


def _fill(warehouse: Warehouse, events: int) -> None:
    """In stretches, as a transaction holds what it writes in memory."""
    warehouse.execute(_MADE)
    for first in range(0, events, 5_000_000):
        warehouse.execute(_FILL, {"first": first, "last": min(events, first + 5_000_000)})
    warehouse.checkpoint()


def _memory() -> tuple[int, int]:
    """Megabytes that this process holds for itself, and of files that it has mapped (DuckDB's are read, not mapped)."""
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return tuple(int(lines[name].split()[0]) // 1024 for name in ("RssAnon", "RssFile"))  # type: ignore[return-value]


if __name__ == "__main__":
    run("dedupe", __doc__, measure)
