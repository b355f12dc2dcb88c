"""The refresh of twenty tags: ours, by hand in SQL, by Polars, by PySpark; and that all say the same.

Each returns seconds, seconds of all cores, the process's peak memory, and a sum over every tag's column.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from segment_world import MEMORY, NOON, TAGS, World, touch

from spira.segment import tags, whole
from spira.storage import progress
from spira.worker.paths import Paths

SQL = Path(__file__).parent / "segment_sql"
READ = 8 + 8 + 16 + 8 + 8 * 0.05 + 16 * 0.4 + 8  # bytes an event: whose, by which id, name, when, money, category, id
CHANGED = 250_000


def ours(world: World) -> dict[str, Any]:
    """Stage 4 for everybody, as `spira refresh --full` runs it, over tags that are there."""
    with world.core() as core, core.exclusive():
        lane = core.worker_lane
        if not is_refreshed(world, lane.columns("tags")):
            tags.compute(lane, core.applied, core.catalog, NOON, full=True)
        with _measured() as done:
            tags.compute(lane, core.applied, core.catalog, NOON, full=True)
        return done | {"sums": _sums(lane.query, "tags")}


def of_changed(world: World) -> dict[str, Any]:
    """Stage 4 after one more event of each of many people, and of a quarter of an hour."""
    profiles = min(CHANGED, world.people // 8)
    with world.core() as core, core.exclusive():
        as_of = touch(core, world, profiles)
        with _measured() as done:
            looked_at = tags.compute(core.worker_lane, core.applied, core.catalog, as_of)
        return done | {"profiles": profiles, "looked at": looked_at}


def by_hand(world: World) -> dict[str, Any]:
    """The same tags into a table: `refresh_scan.sql` for as many people at a time as ours, then `refresh_ranks.sql`."""
    ranks = (SQL / "refresh_ranks.sql").read_text()
    scan = (SQL / "refresh_scan.sql").read_text()
    with hand(world) as lane:
        spans = list(_stretches(world))
        with _measured() as done:
            for place, (low, high) in enumerate(spans):
                made = "create or replace table hand_scanned as" if place == 0 else "insert into hand_scanned"
                lane.execute(f"{made} {scan}", {"as_of": NOON, "low": low, "high": high})
            lane.execute(f"create or replace table hand_tags as {ranks}", {"as_of": NOON})
        sums = _sums(lambda sql: lane.execute(sql).fetchall(), "hand_tags")
        lane.execute("drop table hand_tags")
        lane.execute("drop table hand_scanned")
    return done | {"sums": sums}


def by_polars(world: World) -> dict[str, Any]:
    """The same tags into Parquet, by Polars' streaming engine over Parquet files of the five kinds of events."""
    if importlib.util.find_spec("polars") is None:
        return {"missing": "not installed: pip install spira[bench]"}
    from segment_polars import compute

    return _by_peer(world, lambda files: lambda to: compute(files, to, NOON))


def by_spark(world: World) -> dict[str, Any]:
    """The same tags into Parquet, by PySpark `local[2]`; the session's start is not counted."""
    if importlib.util.find_spec("pyspark") is None:
        return {"missing": "not installed: pip install spira[bench]"}
    if shutil.which("java") is None:
        return {"missing": "there is no Java 17"}
    from segment_spark import prepare

    done = _by_peer(world, lambda files: prepare(files, NOON))
    return {"seconds": done["seconds"], "sums": done["sums"]}  # what the JVM takes is not ours to see


def agree(world: World, ours: dict[str, Any], theirs: dict[str, Any], who: str) -> None:
    """End with a message where any tag is another one."""
    wrong = [name for name in TAGS if ours["sums"][name] != theirs["sums"][name]]
    if wrong:
        shown = {name: (ours["sums"][name], theirs["sums"][name]) for name in wrong}
        raise SystemExit(f"{who}, over {world.people:,} people, other tags than ours: {shown}")


def is_refreshed(world: World, columns: dict[str, str] | None = None) -> bool:
    """Whether the tags are there; a world that was just made has none."""
    if columns is None:
        with world.core() as core:
            return is_refreshed(world, core.lane().columns("tags"))
    return set(TAGS) <= columns.keys()


def sums_of(world: World) -> dict[str, Any]:
    """The sums over our tags, if they stand at noon; else none."""
    with world.core() as core:
        return {"sums": _sums(core.lane().query, "tags"), "as of": progress.stood_at(core.lane(), tags.STAGE)}


@contextmanager
def hand(world: World) -> Iterator[duckdb.DuckDBPyConnection]:
    """The workspace's file, opened by nothing of ours, with the same memory and cores."""
    with duckdb.connect(str(Paths(world.directory).warehouse), config={"memory_limit": MEMORY, "threads": 2}) as lane:
        lane.execute("set TimeZone = 'UTC'")
        lane.execute("set enable_progress_bar = false")
        yield lane


def _by_peer(world: World, ready: Callable[[Path], Callable[[Path], object]]) -> dict[str, Any]:
    files, to = world.directory / "peers" / "events.parquet", world.directory / "peers" / "tags.parquet"
    files.parent.mkdir(exist_ok=True)
    with hand(world) as lane:
        if not files.is_file():
            lane.execute(_EXPORT.format(to=files), {"as_of": NOON})
            lane.execute(f"copy (select profile_id from profiles) to '{files.with_name('people.parquet')}'")
    work = ready(files)
    with _measured(children=True) as done:
        work(to)
    read = f"'{to}/*.parquet'" if to.is_dir() else f"'{to}'"
    with duckdb.connect() as lane:
        sums = _sums(lambda sql: lane.execute(sql).fetchall(), read)
    shutil.rmtree(to) if to.is_dir() else to.unlink()
    return done | {"sums": sums}


def _stretches(world: World) -> Iterator[tuple[int, int]]:
    parts = whole.parts(world.people)
    size = -(-world.people // parts)
    for low in range(1, world.people + 1, size):
        yield low, low + size


@contextmanager
def _measured(*, children: bool = False) -> Iterator[dict[str, Any]]:
    """Seconds, seconds of all cores, and the peak of this process (and of the largest it has started) in GB."""
    whose = (resource.RUSAGE_SELF, *((resource.RUSAGE_CHILDREN,) if children else ()))
    found: dict[str, Any] = {}
    before, started = os.times(), time.perf_counter()
    yield found
    found["seconds"] = time.perf_counter() - started
    after = os.times()
    found["cpu"] = after.user + after.system - before.user - before.system
    found["peak_gb"] = max(resource.getrusage(each).ru_maxrss for each in whose) / 1_048_576


def _sums(query: Callable[[str], list[Any]], table: str) -> dict[str, Any]:
    """A number for each tag, which any other value of anybody would change; averages to six places."""
    shown = [f"sum(hash(profile_id, {_comparable(name)}) // 4096)::varchar" for name in TAGS]
    (row,) = query(f"select {', '.join(shown)} from {table}")
    return dict(zip(TAGS, row, strict=True))


def _comparable(name: str) -> str:
    if name.endswith("_at"):
        return f"epoch_us({name}::timestamp)"
    if name.startswith("revenue") or name == "order_largest":
        return f"{name}::decimal(18, 4)"
    if name == "order_average":
        return f"round({name}, 6)"
    return f"{name}::varchar"


_EXPORT = """
copy (select profile_id, event_id, event, ts, revenue, category from profile_events
      where event in ('Order Completed', 'Product Viewed', 'Product Added', 'Coupon Applied', 'Page Viewed')
        and ts < $as_of)
to '{to}'
"""
