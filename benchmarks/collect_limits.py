"""The physical limits beside which `collect.py` puts its figures, taken in the same run on the same machine.

`decoding` is what one core reads with msgspec and nothing else: no HTTP, no keys, no log, no disk. Typed
Structs that keep properties, traits and context as Raw, 100,000 events of which no two are the same, in
bodies of a hundred; CPU time, best of five. `syncing` is what the disk does by itself: an event, or a body of
a hundred, appended and `fdatasync`ed before the next.
"""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path

import msgspec
from collect_events import body, events
from common import percentile

RUNS = 5
_NOTHING = msgspec.Raw(b"")


class Call(msgspec.Struct, rename="camel"):
    """A call with as little read as will do to take it in."""

    type: str
    message_id: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    event: str | None = None
    name: str | None = None
    timestamp: str | None = None
    properties: msgspec.Raw = _NOTHING
    traits: msgspec.Raw = _NOTHING
    context: msgspec.Raw = _NOTHING


class Batch(msgspec.Struct, rename="camel"):
    """Several of them."""

    batch: list[Call]
    sent_at: str | None = None


def decoding(count: int) -> tuple[int, float]:
    """Events a second that one core decodes, and how many bytes of JSON an event has in the mean."""
    source, decode = events("limit"), msgspec.json.Decoder(Batch).decode
    bodies = [body(source, 100) for _ in range(count // 100)]
    best = float("inf")
    gc.disable()
    for _ in range(RUNS):
        started = time.process_time()
        for each in bodies:
            decode(each)
        best = min(best, time.process_time() - started)
    gc.enable()
    single = events("mean")
    mean = sum(len(msgspec.json.encode(next(single))) for _ in range(10_000)) / 10_000
    return round(count / best), round(mean, 1)


def syncing(folder: Path, size: int, seconds: float) -> dict[str, float]:
    """How often a second so many bytes are appended and synced, and how long it takes in milliseconds."""
    path, content, times = folder / "synced", os.urandom(size), []
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        until = time.perf_counter() + seconds
        while (started := time.perf_counter()) < until:
            os.write(handle, content)
            os.fdatasync(handle)
            times.append((time.perf_counter() - started) * 1000)
    finally:
        os.close(handle)
        path.unlink()
    return {
        "per_s": round(len(times) * 1000 / sum(times)),
        "p50_ms": round(sorted(times)[len(times) // 2], 2),
        "p99_ms": percentile(times, 0.99),
    }
