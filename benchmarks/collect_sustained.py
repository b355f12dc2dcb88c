"""Events that keep coming while people use the console: what is refused, when it can be seen, how pages answer.

One collector and the core on a clock that is real, so that the loader runs each second and a whole turn each
half minute, as in life. Before the clock starts the workspace is given some events and a turn, so that pages
have something to show. Then requests of 20 calls come at their own instants, 15,000 events a second, whatever
became of the last; a process beside them asks for pages and marks events (`collect_watch.py`).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
from collect_cells import WAITING_SECONDS, Cell, observe, send
from collect_events import Requests, Workload, write
from collect_servers import Target, api, end, loaded, make_workspace, spira
from collect_watch import Watch, Watched
from common import Measured, percentile

from spira.kernel.settings import environment

EVENTS_PER_S, SIZE = 15_000, 20
PAUSE = 0.25
VISIBLE_P99_MS, PAGE_P95_MS = 3_000, 250
_BATCHES = Workload(name="sustained", size=SIZE)


def sustained(found: Measured, folder: Path, *, seconds: float, warm: int) -> None:
    """Fill, watch, send, and note what was seen."""
    directory, key = make_workspace(folder / "sustained")
    first = write(folder / "warm", "warm", _BATCHES, requests=warm // SIZE, write_key=key)
    count = round(EVENTS_PER_S * seconds / SIZE)
    made = write(folder / "requests", "kept", _BATCHES, requests=count, write_key=key)
    with spira("sustained", directory, collectors=1) as target:
        send(target, first, seconds=WAITING_SECONDS)
        target.settle()
        before = _turn(target)
        cell, watched = _both(target, made, key, seconds)
        after = _runs(target)
        behind = target.settle()
    for each in (first, made):
        each.remove()
    there, expected = loaded(target), target.acknowledged + len(watched.markers) + watched.unseen
    if there != expected:
        raise SystemExit(f"{expected} events were acknowledged and {there} are there")
    _note(found, cell, watched, count * SIZE)
    found.figures["sustained: backlog_after_s"] = round(behind, 1)
    for stage, (runs, spent) in after.items():
        if spent - before.get(stage, (0, 0.0))[1] >= 0.05:
            found.figures[f"sustained: stage {stage}"] = (
                f"{runs - before.get(stage, (0, 0.0))[0]} runs, {spent - before.get(stage, (0, 0.0))[1]:.1f} s"
            )


def _both(target: Target, made: Requests, key: str, seconds: float) -> tuple[Cell, Watched]:
    assert target.server
    watch = Watch(
        url=target.server.url,
        token=target.server.token,
        collecting=f"http://{target.host}:{target.port}",
        write_key=key,
        people=["user-warm-0", "user-warm-1", "user-warm-2"],
        pause=PAUSE,
    )
    script = Path(__file__).with_name("collect_watch.py")
    asked = [sys.executable, str(script), msgspec.json.encode(watch).decode()]
    watcher = subprocess.Popen(asked, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    try:
        assert watcher.stdout
        if watcher.stdout.readline() != b"ready\n":
            raise SystemExit("the watcher did not start")
        cell = observe(target, made, seconds=seconds + WAITING_SECONDS, rate=EVENTS_PER_S / SIZE, connections=64)
        told, _ = watcher.communicate(b"end\n", timeout=5 * WAITING_SECONDS)
    finally:
        if watcher.poll() is None:
            end(watcher)
    watched = msgspec.convert(json.loads(told), type=Watched)
    if watched.faults:
        raise SystemExit(f"the watcher failed: {watched.faults}")
    return cell, watched


def _turn(target: Target) -> dict[str, tuple[int, float]]:
    """Run one whole turn; what all runs took so far."""
    assert target.server
    with api(target.server) as client:
        client.post("/api/tick", timeout=600).raise_for_status()
    return _runs(target)


def _runs(target: Target) -> dict[str, tuple[int, float]]:
    assert target.server
    with api(target.server) as client:
        stages = client.get("/api/system").raise_for_status().json()["stages"]
    return {each["name"]: (each["run"]["runs"], each["run"]["total_seconds"]) for each in stages}


def _note(found: Measured, cell: Cell, watched: Watched, planned: int) -> None:
    pages = [each for times in watched.pages.values() for each in times]
    slowest = max(watched.pages, key=lambda path: percentile(watched.pages[path], 0.95))
    refused = watched.refused + planned // SIZE - cell.sent.done
    found.figures |= {
        "sustained: events_per_s": round(cell.rate),
        "sustained: seconds": round(cell.seconds, 1),
        "sustained: refused requests": refused,
        "sustained: answer p50_ms": cell.sent.p50_ms,
        "sustained: answer p99_ms": cell.sent.p99_ms,
        "sustained: marked events": len(watched.markers),
        "sustained: event to queryable p50_ms": percentile(watched.markers, 0.5),
        "sustained: event to queryable p99_ms": percentile(watched.markers, 0.99),
        "sustained: marked events never seen": watched.unseen,
        "sustained: pages asked": len(pages),
        "sustained: page p50_ms": percentile(pages, 0.5),
        "sustained: page p95_ms": percentile(pages, 0.95),
        f"sustained: slowest page {slowest} p95_ms": percentile(watched.pages[slowest], 0.95),
        "sustained: generator share of CPU": round(cell.generator, 3),
    }
    found.figures |= {
        f"sustained: {role} share of CPU": round(spent / (2 * cell.seconds), 3) for role, spent in cell.cpu.items()
    }
    found.limits |= {
        "sustained: refused requests": 0,
        "sustained: marked events never seen": 0,
        "sustained: event to queryable p99_ms": VISIBLE_P99_MS,
        "sustained: page p95_ms": PAGE_P95_MS,
    }
    found.floors["sustained: events_per_s"] = round(0.99 * EVENTS_PER_S)
