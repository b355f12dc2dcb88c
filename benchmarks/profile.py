"""How fast one person is read among many: their facts for an app, and a page of their timeline.

Over a crowd (`crowd.py`) of 8,000,000 people and 100,000,000 events (20,000 and 200,000 when small, 50,000 and
1,000,000 with `--medium`), or of as many as `--people` and `--events` say, made in `--crowd` unless it lies there
already. `spira serve` on it, a bearer token, loopback. *facts*: `GET /api/profiles/user_id:N/facts` of 5,000 people
in a random order, 200 a second by a schedule that does not wait for slow answers (a late one counts from when it was
due), for 30 seconds (5 when small) over 8 kept connections from a process of its own (`asker.py`); milliseconds to
the end of the answer, and the processor time that the core took for one. *constant*: the same, of an answer that the
same server has ready. *timeline*: the first page as `unify.timeline` reads it, of 300 people one after the other
within this process, the server ended.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import crowd
from common import Measured, percentile, run, serving

from spira.server.local import LocalServer
from spira.storage.keys import load_keys
from spira.storage.warehouse import open_warehouse
from spira.unify.subjects import IDS, by_keys
from spira.unify.timeline import timeline

RATE, CONNECTIONS, NAMED = 200, 8, 5_000
FACTS_MS, TIMELINE_MS = 10, 50
LOOKS = 300
SIZES = {"small": (20_000, 200_000), "medium": (50_000, 1_000_000), "full": (8_000_000, 100_000_000)}


def measure(chosen: argparse.Namespace) -> Measured:
    """The facts over HTTP first, then the timelines from the files."""
    people, events = SIZES["medium" if chosen.medium else chosen.size]
    people, events = chosen.people or people, chosen.events or events
    directory = crowd.make(chosen.crowd, people=people, events=events)
    found = Measured()
    found.figures |= {"people": people, "events": events}
    names = [str(number) for number in range(1, min(people, NAMED) + 1)]
    random.Random(7).shuffle(names)
    with serving(directory) as server:
        _facts(found, server, names, seconds=5 if chosen.size == "small" or chosen.medium else 30)
    spans, cpu = _timelines(directory, names[:LOOKS])
    _note(found, "timeline", spans)
    found.figures["timeline: cpu_ms"] = cpu
    found.limits["timeline: p99_ms"] = TIMELINE_MS
    return found


def options(parser: argparse.ArgumentParser) -> None:
    """What this script alone is asked."""
    parser.add_argument("--crowd", type=Path, default=Path("crowd-workspace"), help="where the crowd is, or is made")
    parser.add_argument("--medium", action="store_true", help="a crowd of 50,000 people and 1,000,000 events")
    parser.add_argument("--people", type=int, default=0, help="make a crowd of so many people, or use the one there is")
    parser.add_argument("--events", type=int, default=0, help="how many events the crowd has")


def _facts(found: Measured, server: LocalServer, names: list[str], *, seconds: float) -> None:
    """The facts, and what the same server takes to answer a constant; each after two seconds to get warm."""
    where = urlsplit(server.url)
    head = f"Host: {where.netloc}\r\nAuthorization: Bearer {server.token}\r\n\r\n"
    kinds = {
        "constant": [f"OPTIONS /v1/track HTTP/1.1\r\n{head}"],
        "facts": [f"GET /api/profiles/{quote('user_id:' + name)}/facts HTTP/1.1\r\n{head}" for name in names],
    }
    for kind, requests in kinds.items():
        plan: dict[str, Any] = {"host": where.hostname, "port": where.port, "rate": RATE, "connections": CONNECTIONS}
        plan["requests"] = requests
        _asked({**plan, "seconds": 2})
        before = _cpu_ms(server.pid)
        told = _asked({**plan, "seconds": seconds})
        spent = (_cpu_ms(server.pid) - before) / len(told["spans"])
        if not set(told["statuses"]) <= {"200", "204"}:
            raise SystemExit(f"{kind}: {told['statuses']}")
        _note(found, kind, told["spans"])
        found.figures[f"{kind}: server_cpu_ms"] = round(spent, 3)
    found.limits["facts: p99_ms"] = FACTS_MS
    for name in ("p50_ms", "p99_ms", "server_cpu_ms"):
        least = float(found.figures[f"constant: {name}"]) or 0.1
        found.ratios[f"facts / constant: {name}"] = round(float(found.figures[f"facts: {name}"]) / least, 2)


def _note(found: Measured, name: str, spans: list[float]) -> None:
    for share in (0.5, 0.95, 0.99):
        found.figures[f"{name}: p{share * 100:.0f}_ms"] = round(percentile(spans, share), 2)
    found.figures[f"{name}: asked"] = len(spans)


def _asked(plan: dict[str, Any]) -> dict[str, Any]:
    """What `asker.py` found, run in a process of its own."""
    asking = [sys.executable, str(Path(__file__).with_name("asker.py"))]
    done = subprocess.run(asking, input=json.dumps(plan), stdout=subprocess.PIPE, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _cpu_ms(pid: int) -> float:
    """Processor time that the core has taken so far."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) * 1_000 / os.sysconf("SC_CLK_TCK")


def _timelines(directory: Path, names: list[str]) -> tuple[list[float], float]:
    """The milliseconds of each page, and the processor time of one."""
    keys = load_keys(directory)
    with open_warehouse(directory / "data" / "warehouse.duckdb") as warehouse:
        asked = by_keys(keys.subject_key("user_id", name) for name in names)
        found = [profile for (profile,) in warehouse.query(f"with {IDS} select subject_id from ids", asked)]
        spans, begin = [], time.process_time()
        for profile in found:
            before = time.perf_counter()
            timeline(warehouse, profile)
            spans.append((time.perf_counter() - before) * 1_000)
    return spans, round((time.process_time() - begin) * 1_000 / len(spans), 2)


if __name__ == "__main__":
    run("profile", __doc__, measure, options)
