"""Emit: how Spira's own events enter, by the same log as everyone's.

A stage that wants to change another's table emits an event; a receipt becomes one too. The
caller gives each a deterministic message id, so that saying it twice is saying it once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from typing import Protocol

from spira.collect.envelope import Emitted, OwnEvent, encode
from spira.kernel.clock import Clock


class Appendable(Protocol):
    """The part of the log that emitting needs."""

    def append(self, records: Sequence[bytes]) -> object: ...

    def append_soon(self, record: bytes) -> Awaitable[object]: ...


def emit(log: Appendable, clock: Clock, events: Iterable[OwnEvent]) -> int:
    """Append the events; they are durable when this returns. How many there were."""
    told = list(events)
    if told:
        log.append([encode(Emitted(clock.now(), told))])
    return len(told)


async def emit_soon(log: Appendable, clock: Clock, events: Iterable[OwnEvent]) -> int:
    """The same from a web request."""
    told = list(events)
    if told:
        await log.append_soon(encode(Emitted(clock.now(), told)))
    return len(told)
