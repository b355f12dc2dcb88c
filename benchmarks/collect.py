"""How many events a second the collection API takes in, durably, over HTTP; and what of that the log costs.

One client process with 32 keep-alive connections sends orders of two lines to `spira serve` on the same
machine: one call a request, then batches of 100. A request is answered 200 only when its record is
synced to the disk. Requests are made before the clock starts; the worker goes on loading meanwhile, as
it does in life. The limit is the same server with nothing else changed than that the log answers at
once and keeps nothing: what HTTP, JSON checks and Python cost by themselves. Best of three runs each,
the two servers one after the other.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from client import requests, send
from common import Measured, fresh_workspace, run, serving

from spira.server.local import LocalServer

RUNS = 3
WITHOUT_LOG = "without-log"


def measure(chosen: argparse.Namespace) -> Measured:
    """The real server and the one without its log."""
    scale = 1 if chosen.size == "full" else 10
    figures = {}
    for name, command in (("durable", ("-m", "spira.cli.main", "serve")), ("no_log", (__file__, WITHOUT_LOG))):
        with fresh_workspace() as directory, serving(directory, command) as server:
            figures |= {f"{key}_{name}_per_s": rate for key, rate in _rates(server, scale).items()}
    ratios = {
        f"{key}: durable of no log": round(figures[f"{key}_durable_per_s"] / figures[f"{key}_no_log_per_s"], 2)
        for key in ("single", "batch_100")
    }
    return Measured(figures=figures, ratios=ratios)


def _rates(server: LocalServer, scale: int) -> dict[str, int]:
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=60) as api:
        api.post("/api/definitions/apply", json={}).raise_for_status()
        api.post("/api/clock", json={"to": "2018-01-02T00:00:00Z"}).raise_for_status()
        key = api.post("/api/sources", json={"name": "bench"}).raise_for_status().json()["write_key"]
    host, rates = urlsplit(server.url).netloc, {}
    for name, calls, size in (("single", 10_000 // scale, 1), ("batch_100", 100_000 // scale, 100)):
        seconds = []
        for turn in range(RUNS):
            made = requests(f"{name}-{turn}", calls=calls, size=size, write_key=key, host=host)
            seconds.append(send(server.url, made))
        rates[name] = round(calls / min(seconds))
    return rates


def serve_without_log() -> None:
    """`spira serve` whose log keeps nothing; only ever for the limit above."""
    from spira.console.serving import serve
    from spira.storage.log import Log, Position

    async def answered(log: Log, record: bytes) -> Position:  # noqa: ARG001
        return log.end()

    Log.append_soon = answered  # type: ignore[method-assign]
    serve(Path(sys.argv[3]), port=0)


if __name__ == "__main__":
    if sys.argv[1:2] == [WITHOUT_LOG]:
        serve_without_log()
    else:
        run("collect", __doc__, measure)
