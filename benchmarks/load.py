"""How many events a second go from the log into the warehouse: read, unsealed, decoded, checked, deduplicated, joined.

The demo's first calls (20,000 when small, all when full: baskets with their lines, identifies, coupons)
are put into the log of a fresh workspace as the batches a shop would send; then one `load` brings them
all in on one lane, decoding in a child process, whose start is included. The limit is what the engine
needs to write the very same rows: `create table as` of the finished events and lines, in the same file.
"""

from __future__ import annotations

import argparse

from common import Measured, fresh_workspace, run, timed

from spira.collect import sources
from spira.collect.envelope import Accepted, encode
from spira.kernel.viewer import SYSTEM
from spira.sandbox.shop import Shop
from spira.worker.core import Core

SMALL = 20_000
COPY = "create table copied_events as from events; create table copied_lines as from order_lines"


def measure(chosen: argparse.Namespace) -> Measured:
    """Fill the log, then load it."""
    with fresh_workspace() as directory, Core.open(directory) as core:
        core.apply(SYSTEM)
        sources.add(core.state, core.clock, "shop")
        calls = _fill(core, most=SMALL if chosen.size == "small" else None)
        seconds = timed(core.load) / 1000
        lane = core.worker_lane
        events, lines = lane.value("select count(*) from events"), lane.value("select count(*) from order_lines")
        if events != calls:
            raise SystemExit(f"{calls} calls were sent and {events} events arrived")
        writing = sum(timed(lambda asked=statement: lane.execute(asked)) for statement in COPY.split(";")) / 1000
    figures = {
        "events": events,
        "lines": lines,
        "load_s": round(seconds, 2),
        "events_per_s": round(events / seconds),
        "lines_per_s": round(lines / seconds),
        "write_only_s": round(writing, 2),
    }
    return Measured(figures=figures, ratios={"load of writing alone": round(seconds / writing, 1)})


def _fill(core: Core, *, most: int | None) -> int:
    """Append the shop's batches; how many calls they hold."""
    shop, calls = Shop(), 0
    try:
        core.step_clock(shop.end)
        for batch in shop.batches(None, shop.end):
            core.log.append([encode(Accepted("shop", core.clock.now(), "batch", batch.body))])
            calls += batch.calls
            if most is not None and calls >= most:
                break
    finally:
        shop.close()
    return calls


if __name__ == "__main__":
    run("load", __doc__, measure)
