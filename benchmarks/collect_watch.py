"""Someone at work while events arrive, in a process of its own: `collect_watch.py WATCH`, a JSON object.

One thread is a signed-in administrator who asks for a page of the console, reads it whole, waits `pause`
seconds and asks for the next. The other sends a marked event four times a second to where calls are taken
in, and asks `/api/live` ten times a second which of them can be seen; the time of one is from before it was
sent until an answer held it, so up to a tenth of a second of it is the asking. Prints JSON when told to end.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from datetime import UTC, datetime
from itertools import count, cycle
from typing import Any

import httpx
import msgspec
from common import timed

from console import is_page, page_routes, signed_in
from spira.server.local import LocalServer

MARKED = "Bench Marker"
EVERY_SECONDS, LOOK_SECONDS = 0.25, 0.1
LAST_SECONDS = 60  # how long is waited for the last marked events to be seen


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to ask and what to send with."""

    url: str
    token: str
    collecting: str
    write_key: str
    people: list[str]
    pause: float


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen, in milliseconds: pages by path, marked events, and how many never came."""

    pages: dict[str, list[float]]
    markers: list[float]
    unseen: int
    refused: int
    faults: list[str] = []


class Watcher:
    """Asks and marks until it is told to stop."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._stop = threading.Event()
        self._pages: dict[str, list[float]] = {}
        self._sent: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        self._refused = 0
        self._faults: list[str] = []

    def run(self) -> Watched:
        """Until a line comes on standard input."""
        server = LocalServer(url=self._watch.url, token=self._watch.token, pid=0)
        with signed_in(server) as client:
            paths = _paths(client, self._watch.people)
            threads = [
                threading.Thread(target=self._guarded, args=(self._read, client, paths)),
                threading.Thread(target=self._guarded, args=(self._mark,)),
                threading.Thread(target=self._guarded, args=(self._look,)),
            ]
            for each in threads:
                each.start()
            print("ready", flush=True)
            sys.stdin.readline()
            self._stop.set()
            for each in threads:
                each.join()
        return Watched(
            pages=self._pages,
            markers=[(self._seen[each] - at) * 1000 for each, at in self._sent.items() if each in self._seen],
            unseen=len(set(self._sent) - set(self._seen)),
            refused=self._refused,
            faults=self._faults,
        )

    def _guarded(self, work: Any, *given: Any) -> None:
        try:
            work(*given)
        except Exception as fault:  # told to whoever started us, who fails with it
            self._faults.append(f"{type(fault).__name__}: {fault}")

    def _read(self, client: httpx.Client, paths: list[str]) -> None:
        for path in cycle(paths):
            if self._stop.wait(self._watch.pause):
                return
            taken = timed(lambda asked=path: client.get(asked).raise_for_status())  # type: ignore[misc]
            self._pages.setdefault(path, []).append(taken)

    def _mark(self) -> None:
        key = self._watch.write_key
        with httpx.Client(base_url=self._watch.collecting, auth=(key, ""), timeout=60) as client:
            for number in count():
                if self._stop.wait(EVERY_SECONDS):
                    return
                name, now = f"marker-{number}", datetime.now(UTC).isoformat()
                call = {"messageId": f"bench-{name}-{now}", "userId": "bench-marker", "event": MARKED}
                at = time.perf_counter()
                answer = client.post("/v1/track", json=call | {"timestamp": now, "properties": {"mark": name}})
                if answer.is_success:
                    self._sent[name] = at
                else:
                    self._refused += 1

    def _look(self) -> None:
        after, until = 0, float("inf")
        token = {"Authorization": f"Bearer {self._watch.token}"}
        with httpx.Client(base_url=self._watch.url, headers=token, timeout=60) as client:
            while time.monotonic() < until:
                asked = {"event": MARKED, "after": str(after)}
                found = client.get("/api/live", params=asked).raise_for_status().json()
                now, after = time.perf_counter(), found["after"]
                for event in found["events"]:
                    self._seen.setdefault(event["undeclared"]["mark"], now)
                if self._stop.is_set():
                    until = min(until, time.monotonic() + LAST_SECONDS)
                    if set(self._sent) <= set(self._seen):
                        return
                time.sleep(LOOK_SECONDS)


def _paths(client: httpx.Client, people: list[str]) -> list[str]:
    """Every page without a hole, and those of the people who are known by these ids."""
    paths = [path for path in page_routes() if "{" not in path and is_page(client, path)]
    for each in people:
        answer = client.get("/people", params={"q": each})
        if "location" not in answer.headers:
            raise SystemExit(f"nobody is found by {each}")
        paths.append(str(answer.headers["location"]))
    return paths


def main() -> None:
    """Watch as the argument says."""
    watched = Watcher(msgspec.json.decode(sys.argv[1], type=Watch)).run()
    print(json.dumps(msgspec.to_builtins(watched)), flush=True)


if __name__ == "__main__":
    main()
