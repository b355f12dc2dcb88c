"""How long a million CSV rows take: until they are durable in the log, and until all of them can be queried.

`spira import` reads and maps the file in its own process and hands the calls to `spira serve`, which
loads them meanwhile; both share the machine's cores. The rows are all distinct: an order each of
ten columns, with telephone numbers and amounts to be normalised and a local time to be read. `limit`
is pyarrow reading the same file and nothing else. The row count is 20,000 when small.

    python benchmarks/imports.py [--size small|full] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.csv
from common import Measured, run

from spira.kernel.viewer import SYSTEM
from spira.testing.families import Family
from spira.testing.workspaces import SETTINGS, make_workspace
from spira.worker.core import Core

FULL, SMALL = 1_000_000, 20_000
MOST_SECONDS = 40.0
GIVE_UP_SECONDS = 600.0
FILES = {
    "tracking/shop.yaml": """\
tracking: shop
events:
  Order Completed:
    properties: {order_id: text, revenue: money, currency: text, store_id: text, city: text, channel: text}
""",
    "mappings/orders.yaml": """\
mapping: orders
zone: Asia/Shanghai
columns:
  order_id: {from: 订单编号, required: true}
  member: {from: 会员号}
  email: {from: 邮箱, type: email}
  phone: {from: 手机, type: phone}
  paid: {from: 实付金额, type: money}
  currency: {from: 币种}
  store: {from: 门店}
  city: {from: 城市}
  channel: {from: 渠道}
  at: {from: 付款时间, type: time}
key: order_id
calls:
  - call: track
    event: Order Completed
    user_id: member
    at: at
    properties: {order_id: order_id, revenue: paid, currency: currency, store_id: store, city: city, channel: channel}
""",
}


def measure(chosen: argparse.Namespace) -> Measured:
    """Write the table, import it through a running server, and wait until the last row is an event."""
    rows = SMALL if chosen.size == "small" else FULL
    with tempfile.TemporaryDirectory(prefix="spira-bench-") as folder:
        directory = make_workspace(Path(folder) / "ws", FILES, settings=SETTINGS.replace('"manual"', '"real"'))
        table = _write(Path(folder) / "orders.csv", rows)
        size = table.stat().st_size
        started = time.perf_counter()
        pyarrow.csv.read_csv(table)
        reading = time.perf_counter() - started
        with Core.open(directory) as core:
            core.apply(SYSTEM)
        family = Family(directory)
        try:
            family.start()
            family.post("/api/sources", {"name": "till"})
            started = time.perf_counter()
            told = _import(directory, table)
            durable = time.perf_counter() - started
            while family.get("/api/system")["backlog_bytes"] > 0:
                if time.perf_counter() - started > GIVE_UP_SECONDS:
                    raise SystemExit("loading does not come to an end; see what /api/system says of its stages")
                time.sleep(0.2)
            queryable = time.perf_counter() - started
            (source,) = family.get("/api/sources")["sources"]
        finally:
            family.stop()
    if told["calls"] != rows:
        raise SystemExit(f"{rows} rows were written and {told['calls']} calls were made")
    figures = {
        "rows": rows,
        "bytes": size,
        "durable_s": round(durable, 2),
        "rows_per_s_durable": round(rows / durable),
        "queryable_s": round(queryable, 2),
        "rows_per_s_queryable": round(rows / queryable),
        "read_only_s": round(reading, 2),
        "events_seen": source["month"],
    }
    limits = {"durable_s": MOST_SECONDS} if chosen.size == "full" else {}
    return Measured(figures=figures, ratios={"import of reading alone": round(durable / reading, 1)}, limits=limits)


def _import(directory: Path, table: Path) -> dict[str, int]:
    """Run the command, as a person would."""
    mapping = directory / "mappings" / "orders.yaml"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "spira.cli.main", "import", str(table), "--source", "till"),
            *("--mapping", str(mapping), "--dir", str(directory), "--json"),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, int] = json.loads(ran.stdout)
    return told


def _write(path: Path, rows: int) -> Path:
    """The table: every row another order."""
    with path.open("w", encoding="utf-8") as file:
        file.write("订单编号,会员号,邮箱,手机,实付金额,币种,门店,城市,渠道,付款时间\n")
        for row in range(rows):
            member = row * 7 % 200_000
            file.write(
                f"T{row:010d},m{member},m{member}@example.com,138{member:08d},{row % 900}.{row % 100:02d},CNY,"
                f"s{row % 300},青岛,store,2026-{row % 9 + 1:02d}-{row % 27 + 1:02d} {row % 24:02d}:{row % 60:02d}:00\n"
            )
    return path


if __name__ == "__main__":
    run("imports", __doc__, measure)
