"""Twenty tags and audiences over many people, beside SQL written by hand, Polars and PySpark.

The world is made by `segment_world.py` (`--dir` keeps it, and a second run finds it there): 20 M events of 2 M
people when small, 100 M of 10 M when full, in a workspace's own tables. Tags are refreshed by the code of stage 4,
audiences are asked as the console asks: scope, count, total and a sample of people.

Beside each figure stands the same answer by SQL written by hand (`segment_sql/`, never generated) over the same
view of the same file, and the floor: the bytes that the answer has to look at, in the engine's uncompressed
widths, over the memory's bandwidth as measured here. Answers must agree, tags column by column, or nothing is
reported. What takes memory runs in a process of its own, whose peak is told. Both refreshes, ours and the one by
hand, have the memory that the workspace's settings give, and work on as many people at a time.

With `--growth` the full size tells how much more it takes than the small one, measured in the same run beside it.

`--only` chooses rows, so that a long run can be had in pieces over one `--dir`: the world is made, and its tags
refreshed, by the first of them. `changed` comes last, for it adds events. `cpu ms` is what both cores have worked for
an answer, which says most where something else runs beside it. Polars and PySpark (`pip install spira[bench]`, and
Java 17) run at the small size, and at the full one only if named.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import segment_asked as asked
import segment_refresh as refresh
from common import Measured, run
from segment_world import SIZES, World, make

PARTS: dict[str, Callable[[World], dict[str, Any]]] = {
    "refresh": refresh.ours,
    "hand": refresh.by_hand,
    "changed": refresh.of_changed,
    "polars": refresh.by_polars,
    "spark": refresh.by_spark,
}
ROWS = ("refresh", "polars", "spark", *asked.ROWS, "changed")
PEERS = ("polars", "spark")
REFRESH_SECONDS, REFRESH_GB, OF_HAND, CHANGED_SECONDS = 150, 3.0, 1.15, 4.0
GROWTH = 6.5


def options(parser: argparse.ArgumentParser) -> None:
    """What this benchmark takes beside the others' options."""
    parser.set_defaults(dir=None)
    parser.add_argument("--only", action="append", choices=ROWS, help="a row to run, once or more; else all of them")
    parser.add_argument("--people", type=int, help="another number of people, with ten events each")
    parser.add_argument("--growth", action="store_true", help="at the full size, the refresh of the small one too")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)


def measure(chosen: argparse.Namespace) -> Measured:
    """The chosen rows, one after another, over one world."""
    people = chosen.people or SIZES[chosen.size]
    with tempfile.TemporaryDirectory() as spare:
        world = make(chosen.dir or Path(spare) / "world", people)
        if chosen.part:
            print(json.dumps(PARTS[chosen.part](world)))
            raise SystemExit
        left_out = PEERS if chosen.size == "full" else ()
        rows = [each for each in ROWS if each in (chosen.only or [name for name in ROWS if name not in left_out])]
        found = Measured()
        found.figures |= {"people": world.people, "events": world.events}
        found.figures["memory read, GB/s"] = bandwidth = asked.bandwidth()
        alone = chosen.size == "tiny"
        if "refresh" in rows:
            _refresh(world, found, bandwidth, inside=alone, growth=chosen.growth)
        elif not refresh.is_refreshed(world):
            _apart(world, "refresh", inside=alone)
        for name in (each for each in PEERS if each in rows):
            _peer(world, name, found, inside=alone)
        questions = [each for each in rows if each in asked.ROWS]
        if questions:
            asked.measure(world, questions, found, bandwidth, rounds=3 if alone else 21)
        if "changed" in rows:
            _changed(world, found, inside=alone)
        return found


def _refresh(world: World, found: Measured, bandwidth: float, *, inside: bool, growth: bool) -> None:
    ours, hand = _apart(world, "refresh", inside=inside), _apart(world, "hand", inside=inside)
    refresh.agree(world, ours, hand, "by hand")
    found.figures |= _told("refresh of 20 tags", ours) | _told("by hand: refresh of 20 tags", hand)
    found.figures["floor: refresh of 20 tags, s"] = round(refresh.READ * world.events / bandwidth / 1e9, 2)
    found.ratios["of by hand: refresh of 20 tags"] = round(ours["seconds"] / hand["seconds"], 2)
    found.limits |= {
        "refresh of 20 tags, s": REFRESH_SECONDS,
        "refresh of 20 tags, peak GB": REFRESH_GB,
        "of by hand: refresh of 20 tags": OF_HAND,
    }
    _grown(world, found, ours, from_small=growth)


def _grown(world: World, found: Measured, ours: dict[str, Any], *, from_small: bool) -> None:
    """How much more five times the events take than the small size does.

    The small size is measured now, `from_small`, in a folder beside the world's; or it was, into one beside it.
    """
    kept = world.directory.parent / "segment-small-refresh.json"
    if world.people == SIZES["small"]:
        kept.write_text(json.dumps(ours))
    if world.people != SIZES["full"]:
        return
    if from_small:
        small = make(world.directory.with_name(f"{world.directory.name}-small"), SIZES["small"])
        kept.write_text(json.dumps(_apart(small, "refresh", inside=False)))
    if kept.is_file():
        before = json.loads(kept.read_text())
        found.ratios["growth: seconds, five times the events"] = round(ours["seconds"] / before["seconds"], 2)
        found.ratios["growth: cpu seconds"] = round(ours["cpu"] / before["cpu"], 2)
        found.ratios["growth: peak memory"] = round(ours["peak_gb"] / before["peak_gb"], 2)
        found.limits["growth: seconds, five times the events"] = GROWTH


def _changed(world: World, found: Measured, *, inside: bool) -> None:
    done = _apart(world, "changed", inside=inside)
    what = f"refresh of {done['profiles']:,} changed"
    found.figures |= _told(what, done)
    found.limits[f"{what}, s"] = CHANGED_SECONDS


def _peer(world: World, name: str, found: Measured, *, inside: bool) -> None:
    done = _apart(world, name, inside=inside)
    if "missing" in done:
        found.figures[f"by {name}"] = done["missing"]
        return
    if refresh.is_refreshed(world):
        refresh.agree(world, refresh.sums_of(world), done, f"by {name}")
    found.figures |= _told(f"by {name}: refresh of 20 tags", done)
    ours = found.figures.get("refresh of 20 tags, s")
    if ours:
        found.ratios[f"of {name}: refresh of 20 tags"] = round(ours / done["seconds"], 2)


def _told(what: str, done: dict[str, Any]) -> dict[str, Any]:
    units = {"seconds": "s", "cpu": "cpu s", "peak_gb": "peak GB"}
    return {f"{what}, {unit}": round(done[key], 2) for key, unit in units.items() if key in done}


def _apart(world: World, part: str, *, inside: bool) -> dict[str, Any]:
    """A part in a process of its own, so that its memory is its own; `inside` this one where that does not matter."""
    if inside:
        return PARTS[part](world)
    print(f"{time.strftime('%H:%M:%S')} {part}", file=sys.stderr)
    command = [sys.executable, __file__, "--part", part, "--dir", world.directory, "--people", str(world.people)]
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    run("segment", __doc__, measure, options, sizes=tuple(SIZES))
