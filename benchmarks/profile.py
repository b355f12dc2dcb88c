"""How fast one person is read among many: their facts for an app, and a page of their timeline.

Over a crowd (`crowd.py`) of 500,000 people and 5,000,000 events (20,000 and 200,000 when small), or of as many
as `--people` and `--events` say, made in `--crowd` unless it lies there already. `spira serve` on it, a bearer
token, loopback. *facts*: `GET /api/profiles/user_id:N/facts` of 5,000 people in a random order, 200 a second
by a schedule that does not wait for slow answers (a late one counts from when it was due), for 30 seconds
(5 when small) over 8 kept connections; milliseconds to the end of the answer. *timeline*: the page of 20 events
as `unify.timeline` reads it, of 300 people one after the other within this process, the server ended.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import threading
import time
from pathlib import Path
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


def measure(chosen: argparse.Namespace) -> Measured:
    """The facts over HTTP first, then the timelines from the files."""
    small = chosen.size == "small"
    people = chosen.people or (20_000 if small else 500_000)
    directory = crowd.make(chosen.crowd, people=people, events=chosen.events or 10 * people)
    found = Measured()
    found.figures |= {"people": people, "events": chosen.events or 10 * people}
    names = [str(number) for number in range(1, min(people, NAMED) + 1)]
    random.Random(7).shuffle(names)
    with serving(directory) as server:
        _paced(server, names, seconds=2)
        spans = _paced(server, names, seconds=5 if small else 30)
    _note(found, "facts", spans, FACTS_MS)
    _note(found, "timeline", _timelines(directory, names[:LOOKS]), TIMELINE_MS)
    return found


def options(parser: argparse.ArgumentParser) -> None:
    """What this script alone is asked."""
    parser.add_argument("--crowd", type=Path, default=Path("crowd-workspace"), help="where the crowd is, or is made")
    parser.add_argument("--people", type=int, default=0, help="make a crowd of so many people, or use the one there is")
    parser.add_argument("--events", type=int, default=0, help="how many events the crowd has; ten a person by default")


def _note(found: Measured, name: str, spans: list[float], most: float) -> None:
    for share in (0.5, 0.95, 0.99):
        found.figures[f"{name}: p{share * 100:.0f}_ms"] = round(percentile(spans, share), 2)
    found.figures[f"{name}: asked"] = len(spans)
    found.limits[f"{name}: p99_ms"] = most


def _paced(server: LocalServer, names: list[str], *, seconds: int) -> list[float]:
    """Ask at the rate; the milliseconds of each answer from the instant at which it was due."""
    begin, spans, guard = time.perf_counter() + 0.2, list[float](), threading.Lock()
    faults: list[str] = []

    def ask(place: int) -> None:
        where = urlsplit(server.url)
        connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
        mine = []
        for number in range(place, RATE * seconds, CONNECTIONS):
            due = begin + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            path = f"/api/profiles/{quote('user_id:' + names[number % len(names)])}/facts"
            connection.request("GET", path, headers={"Authorization": f"Bearer {server.token}"})
            answer = connection.getresponse()
            told = answer.read()
            mine.append((time.perf_counter() - due) * 1_000)
            if answer.status != http.client.OK or "traits" not in json.loads(told):
                faults.append(f"{path}: {answer.status}")
                break
        with guard:
            spans.extend(mine)

    askers = [threading.Thread(target=ask, args=(place,)) for place in range(CONNECTIONS)]
    for each in askers:
        each.start()
    for each in askers:
        each.join()
    if faults:
        raise SystemExit(faults[0])
    return spans


def _timelines(directory: Path, names: list[str]) -> list[float]:
    keys = load_keys(directory)
    with open_warehouse(directory / "data" / "warehouse.duckdb") as warehouse:
        asked = by_keys(keys.subject_key("user_id", name) for name in names)
        found = [profile for (profile,) in warehouse.query(f"with {IDS} select subject_id from ids", asked)]
        spans = []
        for profile in found:
            before = time.perf_counter()
            timeline(warehouse, profile)
            spans.append((time.perf_counter() - before) * 1_000)
    return spans


if __name__ == "__main__":
    run("profile", __doc__, measure, options)
