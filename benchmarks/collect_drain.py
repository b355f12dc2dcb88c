"""How fast a backlog drains: events that lie in the log become rows, decode, identity and sealing included.

The log of a fresh workspace is filled with batches of a hundred as collection keeps them, then one `load`
brings them all in: the core writes, a child decodes, both on the two cores; the child's start is included.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from collect_events import body, events
from collect_servers import SOURCE, cpu_seconds, make_workspace

from spira.collect.envelope import Accepted, encode
from spira.worker.core import Core

_TOGETHER = 500  # bodies appended at once while filling


def drained(folder: Path, count: int) -> dict[str, float]:
    """Fill, load, and see that all arrived."""
    directory, _ = make_workspace(folder / "drain")
    with Core.open(directory) as core:
        _fill(core, count)
        before, started = cpu_seconds(os.getpid()), time.perf_counter()
        core.load()
        seconds, after = time.perf_counter() - started, cpu_seconds(os.getpid())
        lane = core.worker_lane
        there = lane.value("select count(*) from events where source = $source", {"source": SOURCE})
        people = lane.value("select count(distinct profile_id) from events")
        sealed = core.vault.count()
        if there != count:
            raise SystemExit(f"{count} events were in the log and {there} arrived")
    spent = {role: after[role] - before.get(role, 0.0) for role in after}
    return {
        "drain: events": count,
        "drain: people": people,
        "drain: sealed values": sealed,
        "drain: seconds": round(seconds, 2),
        "drain: events_per_s": round(count / seconds),
        "drain: core cpu_us_per_event": round(spent.get("core", 0.0) / count * 1e6, 2),
        "drain: decoder cpu_us_per_event": round(spent.get("decoder", 0.0) / count * 1e6, 2),
    }


def _fill(core: Core, count: int) -> None:
    source, lot = events("drain"), []
    for number in range(count // 100):
        lot.append(encode(Accepted(SOURCE, core.clock.now(), "batch", body(source, 100))))
        if len(lot) == _TOGETHER or number + 1 == count // 100:
            core.log.append(lot)
            lot = []
