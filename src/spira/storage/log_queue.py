"""The log's queue: callers' records on their way to the disk, and how each caller is told.

A caller is a thread that blocks or a coroutine that awaits. The queue is bounded: who comes
when it is full is refused at once, and nothing is held for them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from spira.kernel.errors import LogUnavailable

T = TypeVar("T")
FULL = "the records were not kept; send them again. See that the disk of `data/log` has room and is well"


@dataclass(slots=True, kw_only=True)
class Waiting(Generic[T]):
    """One caller's records. `loop` is None for a caller that blocks; `rolls` asks for the segment to be closed."""

    records: Sequence[bytes]
    future: Future[T] | asyncio.Future[T]
    loop: asyncio.AbstractEventLoop | None = None
    rolls: bool = False
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = sum(map(len, self.records))


class Queue(Generic[T]):
    """What waits for the next sync."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._wake = threading.Condition()
        self._waiting: list[Waiting[T]] = []
        self._bytes = 0
        self._closed = False

    def put(self, records: Sequence[bytes], *, rolls: bool = False) -> T:
        """Queue records, and block until they are dealt with."""
        future: Future[T] = Future()
        self._add(Waiting(records=records, future=future, rolls=rolls))
        return future.result()

    async def put_soon(self, records: Sequence[bytes]) -> T:
        """Queue records, and wait without holding a thread."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._add(Waiting(records=records, future=future, loop=loop))
        return await future

    def take(self) -> list[Waiting[T]]:
        """Everything queued, as soon as there is something; nothing once the queue is closed and empty."""
        with self._wake:
            while not self._waiting and not self._closed:
                self._wake.wait()
            lot, self._waiting, self._bytes = self._waiting, [], 0
            return lot

    def close(self) -> None:
        """Let nobody in any more; what is queued is still taken."""
        with self._wake:
            self._closed = True
            self._wake.notify()

    def _add(self, waiting: Waiting[T]) -> None:
        with self._wake:
            if self._closed:
                raise LogUnavailable("the log is closed", help="start Spira again")
            if self._bytes and self._bytes + waiting.size > self._limit:
                raise LogUnavailable("the log can't keep up", help="send the records again in a moment")
            self._waiting.append(waiting)
            self._bytes += waiting.size
            self._wake.notify()


def settle(lot: Sequence[Waiting[T]], outcome: T | Exception) -> None:
    """Tell every caller; those of one event loop are woken together."""
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[T]]] = {}
    for waiting in lot:
        if waiting.loop is not None and isinstance(waiting.future, asyncio.Future):
            loops.setdefault(waiting.loop, []).append(waiting.future)
        else:
            _tell(waiting.future, outcome)
    for loop, futures in loops.items():
        try:
            loop.call_soon_threadsafe(_tell_all, futures, outcome)
        except RuntimeError:
            continue  # the loop is closed; nobody waits any more


def _tell_all(futures: Sequence[asyncio.Future[T]], outcome: T | Exception) -> None:
    for future in futures:
        if not future.done():
            _tell(future, outcome)


def _tell(future: Future[T] | asyncio.Future[T], outcome: T | Exception) -> None:
    if not isinstance(outcome, Exception):
        future.set_result(outcome)
        return
    fault = LogUnavailable(f"the log could not be written: {outcome}", help=FULL)
    fault.__cause__ = outcome
    future.set_exception(fault)
