"""How long an audience preview takes over a finished demo: the six checks and three more typical conditions.

Each condition is asked 21 times (5 when small) of the preview, of its peer and of the limit, in turns,
so that the machine's moods hit all alike; medians. The preview is the whole call as the console makes
it: statement cached, scope, count, total, sample. The peer is SQL written by hand over the package's
Parquet files, loaded beforehand into DuckDB's memory, in its narrowest form for this one question. The
limit is one pass over the lines in Spira's own file: `select count(*), sum(value) from order_lines`.
Counts must agree with the peer's, or nothing is reported.
"""

from __future__ import annotations

import argparse
from datetime import datetime

import duckdb
from agreement import CHECKS, by_hand
from common import Measured, copy_of, median, run, timed

from spira.kernel.viewer import SYSTEM
from spira.segment.preview import preview
from spira.worker.core import Core

LIMIT_MS = 30
PASS = "select count(*), sum(value) from order_lines"
TYPICAL = {
    "days_since('Order Completed') > 30": """
        select count(*) from (select household_id from baskets group by 1
                              having epoch(max(ts)) <= epoch($now) - 31 * 86400)""",
    "sum_of(revenue, 'Order Completed', within => '90 days') >= 500": """
        select count(*) from (select household_id from lines join baskets b using (household_id, basket_id)
                              where b.ts >= $now - interval 90 day and b.ts < $now
                              group by 1 having sum(sales_value::decimal(18, 4)) >= 500)""",
    "count_of('Order Completed', products.department = 'PRODUCE', within => '90 days') > 5": """
        select count(*) from (select household_id from lines join baskets b using (household_id, basket_id)
                              where department = 'PRODUCE' and b.ts >= $now - interval 90 day and b.ts < $now
                              group by 1 having count(*) > 5)""",
}


def measure(chosen: argparse.Namespace) -> Measured:
    """All conditions, round after round."""
    rounds = 5 if chosen.size == "small" else 21
    found = Measured()
    with copy_of(chosen.dir) as directory, Core.open(directory) as core, by_hand() as database:
        passes = [timed(lambda: core.lane().one(PASS)) for _ in range(rounds)]
        found.figures["one pass over lines"] = limit = median(passes)
        for condition, statement in {**CHECKS, **TYPICAL}.items():
            ours, hand = _both(core, database, condition, statement, rounds)
            found.figures[condition] = ours
            found.figures[f"by hand: {condition}"] = hand
            found.ratios[f"of by hand: {condition}"] = round(ours / hand, 1)
            found.ratios[f"of one pass: {condition}"] = round(ours / limit, 1)
            found.limits[condition] = LIMIT_MS
    return found


def _both(
    core: Core, database: duckdb.DuckDBPyConnection, condition: str, statement: str, rounds: int
) -> tuple[float, float]:
    """Median milliseconds of the preview and of the hand-written statement."""
    now, lane = core.clock.now(), core.lane()

    def asked() -> int:
        return preview(lane, core.catalog, SYSTEM, condition, as_of=now, vault=core.vault).count

    if asked() != (expected := _counted(database, statement, now)):
        raise SystemExit(f"{condition}: {asked()} people, and {expected} by hand")
    ours, hand = [], []
    for _ in range(rounds):
        ours.append(timed(asked))
        hand.append(timed(lambda: _counted(database, statement, now)))
    return median(ours), median(hand)


def _counted(database: duckdb.DuckDBPyConnection, statement: str, now: datetime) -> int:
    return int(database.execute(statement, {"now": now} if "$now" in statement else None).fetchall()[0][0])


if __name__ == "__main__":
    run("preview", __doc__, measure)
