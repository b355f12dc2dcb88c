"""How often one may ask: a bucket of tokens for each who asks, filled by the minute, kept in memory.

A bucket holds a minute's worth. What costs much has a stricter bucket of its own besides the common
one; a route names it in its `opt` (`{"cost": "export"}`), and `{"cost": "free"}` is not counted.
Collection is not counted here: it has its own backlog.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from spira.server.errors import TooManyRequests

# Requests a minute of what costs much, for one who asks.
COSTS: Mapping[str, int] = {"sign_in": 60, "public": 300, "preview": 240, "export": 30, "test_send": 30}
FREE = "free"
FACTS = "facts"  # counted apart, by `security.facts_per_minute`
MOST_BUCKETS = 20_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: datetime


@dataclass(slots=True)
class Limits:
    """The buckets of one server."""

    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, who: str, cost: str | None, *, per_minute: int, at: datetime) -> None:
        """Count one request of `who`; TooManyRequests when a bucket is empty."""
        if cost == FREE:
            return
        asked = [("", per_minute)] + ([(cost, min(COSTS[cost], per_minute))] if cost else [])
        with self._lock:
            buckets = [(self._filled((who, name), allowed, at), allowed) for name, allowed in asked]
            waits = [math.ceil((1 - each.tokens) * 60 / allowed) for each, allowed in buckets if each.tokens < 1]
            if waits:
                raise TooManyRequests(max(waits))
            for each, _ in buckets:
                each.tokens -= 1

    def _filled(self, key: tuple[str, str], allowed: int, at: datetime) -> _Bucket:
        found = self._buckets.get(key)
        if found is None:
            if len(self._buckets) >= MOST_BUCKETS:
                self._forget(at)
            found = self._buckets[key] = _Bucket(tokens=allowed, at=at)
        passed = max(0.0, (at - found.at).total_seconds())
        found.tokens, found.at = min(float(allowed), found.tokens + passed * allowed / 60), at
        return found

    def _forget(self, at: datetime) -> None:
        """Drop what is full again, and where that is not enough the older half."""
        self._buckets = {key: each for key, each in self._buckets.items() if (at - each.at).total_seconds() < 60}
        if len(self._buckets) >= MOST_BUCKETS:
            latest = sorted(self._buckets.items(), key=lambda pair: pair[1].at)
            self._buckets = dict(latest[len(latest) // 2 :])
