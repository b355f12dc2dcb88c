"""Calls: what came to each hook of late, and why it was refused; kept in memory since the server started.

What was accepted is in the log and what could not be mapped in quarantine; this is for whoever sets
a hook up and wonders why nothing arrives. It holds no body.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

LATEST = 50
SEEN = 50_000  # nonces that are remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class HookCall:
    """One call of a hook, as it was answered."""

    number: int = field(metadata={"help": "its number since the server started"})
    at: datetime = field(metadata={"help": "when it came"})
    status: int = field(metadata={"help": "what was answered"})
    code: str = field(metadata={"help": "ok, ignored, duplicate, quarantined, bad_signature, stale…"})
    detail: str = field(metadata={"help": "why, in words"})
    events: int = field(metadata={"help": "how many calls it became"})
    size: int = field(metadata={"help": "how many bytes its body had"})


class HookCalls:
    """The latest calls by hook, how they were answered, and the nonces that were seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, deque[HookCall]] = {}
        self._codes: dict[str, Counter[str]] = {}
        self._seen: dict[tuple[str, str], datetime] = {}
        self._numbers = count(1)

    def note(self, hook: str, *, at: datetime, status: int, code: str, detail: str, events: int, size: int) -> None:
        """Write one down."""
        with self._lock:
            call = HookCall(
                number=next(self._numbers), at=at, status=status, code=code, detail=detail, events=events, size=size
            )
            self._latest.setdefault(hook, deque(maxlen=LATEST)).appendleft(call)
            self._codes.setdefault(hook, Counter())[code] += 1

    def latest(self, hook: str) -> tuple[HookCall, ...]:
        """The latest calls of a hook, newest first."""
        with self._lock:
            return tuple(self._latest.get(hook, ()))

    def codes(self, hook: str) -> dict[str, int]:
        """How a hook's calls were answered, by code."""
        with self._lock:
            return dict(sorted(self._codes.get(hook, Counter()).items()))

    def was_seen(self, hook: str, nonce: str, *, at: datetime) -> bool:
        """Whether a proven call came before, within the time for which it would be good."""
        with self._lock:
            until = self._seen.get((hook, nonce))
        return until is not None and at < until

    def remember(self, hook: str, nonce: str, *, until: datetime) -> None:
        """Keep a nonce; when there are too many, the oldest are forgotten, for which message ids stand in."""
        with self._lock:
            self._seen[hook, nonce] = until
            while len(self._seen) > SEEN:
                del self._seen[next(iter(self._seen))]
