"""How many events a second collection takes in, durably, over HTTP, beside a peer and beside the physical limits.

**The generator, the collector, the loader and the peer share the same two cores.** Each is a process of its own:
`collect_client.py` sends requests that were made before (64 keep-alive connections, one request at a time on
each; its share of the CPU is told), one collector or the core itself takes them in, the core loads them each
second with a child that decodes, as in life. A request is answered 200 only when its record is synced.

Events are what a shop's site sends by Segment's libraries, about 770 bytes of JSON in the mean, no two the same
(`collect_events.py`): one `track` a request, then batches of 100, plain and gzipped. Three rounds; in each round
every target gets the very same requests in turn, with everything loaded in between: one collector (`spira serve
--collectors 1`), the core's own intake (`spira serve`), and the peer, a FastAPI + Pydantic handler that commits
each request to SQLite (`peer_fastapi.py`), which needs no loader. Figures are the medians of the rounds. At the
end each target's rows are counted: as many as were acknowledged, each message id once.

Limits of the same run: what one core decodes with msgspec alone, and how often the disk syncs
(`collect_limits.py`). Then a backlog is drained (`collect_drain.py`), and 15,000 events a second come for 60 s
(10 s when small) while someone uses the console (`collect_sustained.py`): an event is queryable when `/api/live`
shows it, which is asked ten times a second.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from collect_cells import Cell, send
from collect_drain import drained
from collect_events import Workload, write
from collect_limits import decoding, syncing
from collect_servers import Target, fastapi_peer, loaded, make_workspace, spira
from collect_sustained import sustained
from common import Measured, run

WORKLOADS = (
    Workload(name="single", size=1),
    Workload(name="single gzip", size=1, zipped=True),
    Workload(name="batch_100", size=100),
    Workload(name="batch_100 gzip", size=100, zipped=True),
)
LEAST = {"single": 4_000, "batch_100": 60_000}
LEAST_OF_PEER = {"single": 4.0, "batch_100": 3.0}
LEAST_OF_DECODING = 0.10
LEAST_DRAINED = 100_000
MOST_REQUESTS_PER_S = 20_000
NO_TICKS = "\n[worker]\ntick_seconds = 100000\n"  # a turn within a cell of seconds would only be noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of everything."""

    rounds: int
    seconds: float
    most_events: int  # of one cell; more than the fastest target takes in its seconds
    decoded: int
    drained: int
    warm: int
    sustained_seconds: float


SIZES = {
    "small": Size(
        rounds=1, seconds=2, most_events=100_000, decoded=20_000, drained=50_000, warm=10_000, sustained_seconds=10
    ),
    "full": Size(
        rounds=3, seconds=6, most_events=600_000, decoded=100_000, drained=1_000_000, warm=100_000, sustained_seconds=60
    ),
}
PARTS = ("limits", "intake", "drain", "sustained")


def measure(chosen: argparse.Namespace) -> Measured:
    """The limits, then intake of all targets, then the loader, then everything at once."""
    size, found = SIZES[chosen.size], Measured()
    with tempfile.TemporaryDirectory(dir=chosen.scratch) as name:
        folder = Path(name)
        if "limits" in chosen.parts:
            _limits(found, folder, size)
        if "intake" in chosen.parts:
            _intake(found, folder, size)
        if "drain" in chosen.parts:
            found.figures |= drained(folder, size.drained)
            found.floors["drain: events_per_s"] = LEAST_DRAINED
        if "sustained" in chosen.parts:
            sustained(found, folder, seconds=size.sustained_seconds, warm=size.warm)
    return found


def options(parser: argparse.ArgumentParser) -> None:
    """What this script alone is asked."""
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="only some of it")
    parser.add_argument("--scratch", type=Path, default=None, help="where everything is written; on the disk meant")


def _limits(found: Measured, folder: Path, size: Size) -> None:
    rate, mean = decoding(size.decoded)
    found.figures |= {"event mean_bytes": mean, "limit: msgspec decodes events_per_cpu_s": rate}
    for name, length in (("an event", 770), ("a body of 100", 77_000)):
        for key, value in syncing(folder, length, 3).items():
            found.figures[f"limit: fdatasync of {name} {key}"] = value


def _intake(found: Measured, folder: Path, size: Size) -> None:
    """Every round sends the same files to each target; those of a workload are gone before the next is made."""
    cells: dict[tuple[str, str], list[Cell]] = {}
    with ExitStack() as stack:
        targets, key = _targets(stack, folder)
        for turn in range(size.rounds):
            for workload in WORKLOADS:
                most = min(size.most_events // workload.size, round(MOST_REQUESTS_PER_S * size.seconds))
                made = write(
                    folder / "requests",
                    f"r{turn}-{workload.name.replace(' ', '-')}",
                    workload,
                    requests=most,
                    write_key=key,
                )
                for target in targets:
                    cells.setdefault((target.name, workload.name), []).append(send(target, made, seconds=size.seconds))
                    behind = round(target.settle(), 1)
                    if target.server:
                        name = f"{target.name}: {workload.name}, loading was behind by s"
                        found.figures[name] = max(behind, found.figures.get(name, 0.0))
                made.remove()
    _note(found, cells)
    for target in targets:
        if (there := loaded(target)) != target.acknowledged:
            raise SystemExit(f"{target.name}: {target.acknowledged} events were acknowledged and {there} are there")
        found.figures[f"{target.name}: events acknowledged, and there once"] = there


def _targets(stack: ExitStack, folder: Path) -> tuple[list[Target], str]:
    """All of them at once, on twins of one workspace, so that one file of requests fits all."""
    directory, key = make_workspace(folder / "workspace", settings=NO_TICKS)
    twin = Path(shutil.copytree(directory, folder / "twin"))
    (folder / "peer").mkdir()
    return [
        stack.enter_context(spira("collector", directory, collectors=1)),
        stack.enter_context(spira("core", twin, collectors=0)),
        stack.enter_context(fastapi_peer(folder / "peer", key)),
    ], key


def _note(found: Measured, cells: dict[tuple[str, str], list[Cell]]) -> None:
    rates = {name: statistics.median(each.rate for each in runs) for name, runs in cells.items()}
    spent = {
        f"peer: {workload} events_per_cpu_s": statistics.median(each.per_cpu_second("core") for each in runs)
        for (target, workload), runs in cells.items()
        if target == "peer"
    }
    for (target, workload), runs in cells.items():
        role = "core" if target != "collector" else "collector"
        named = f"{target}: {workload}"
        found.figures |= {
            f"{named} events_per_s": round(rates[target, workload]),
            f"{named} events_per_cpu_s": round(statistics.median(each.per_cpu_second(role) for each in runs)),
            f"{named} p50_ms": statistics.median(each.sent.p50_ms for each in runs),
            f"{named} p99_ms": statistics.median(each.sent.p99_ms for each in runs),
            f"{named} generator share of CPU": round(statistics.median(each.generator for each in runs), 3),
        }
        if target != "peer":
            kind = workload.removesuffix(" gzip")
            ratio = f"{named}: of the peer"
            found.ratios[ratio] = round(rates[target, workload] / rates["peer", workload], 1)
            key, of_peer = f"{named} events_per_cpu_s", f"peer: {workload} events_per_cpu_s"
            found.ratios[f"{named}: of the peer, by CPU second"] = round(found.figures[key] / spent[of_peer], 1)
            if target == "collector":
                found.floors |= {f"{named} events_per_s": LEAST[kind], ratio: LEAST_OF_PEER[kind]}
    decoded = found.figures.get("limit: msgspec decodes events_per_cpu_s")
    if decoded:
        for target in ("collector", "core", "peer"):
            found.ratios[f"{target}: batch_100: of decoding alone"] = round(rates[target, "batch_100"] / decoded, 3)
        found.floors["collector: batch_100: of decoding alone"] = LEAST_OF_DECODING


if __name__ == "__main__":
    run("collect", __doc__, measure, options)
