"""Streams: pages that go on being told what is new, as server-sent events.

A stream looks once a second, in a thread that it gives back, and sleeps in between without
holding one. There are only so many at one time. Each ends after some minutes, so that whoever
reads on proves anew who they are; it ends at once when its reader goes, and within a second
when the server stops.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from litestar.response.sse import ServerSentEventMessage

MOST = 32
LOOKS = 300  # seconds after which a reader comes back with their session
BEAT = 15  # looks without news after which a comment keeps proxies from hanging up
RETRY = 2_000  # milliseconds until a reader whose stream ended asks again

Look = Callable[[int], tuple[int, str | None]]


@dataclass(slots=True, kw_only=True)
class Streams:
    """How many there are, and whether they are to end. `pause` lets a second pass."""

    most: int = MOST
    looks: int = LOOKS
    open: int = 0
    stopping: Callable[[], bool] = field(default=lambda: False)
    pause: Callable[[], Awaitable[None]] = field(default=lambda: anyio.sleep(1))

    @property
    def full(self) -> bool:
        """Whether there are as many as there may be."""
        return self.open >= self.most


async def follow(streams: Streams, look: Look, *, after: int) -> AsyncIterator[bytes]:
    """Whatever `look` finds after a number: it gives the next number, and a text when there is news."""
    streams.open += 1
    try:
        yield ServerSentEventMessage(data=None, comment="hello", retry=RETRY).encode()
        quiet = 0
        for _ in range(streams.looks):
            if streams.stopping():
                break
            after, text = await anyio.to_thread.run_sync(look, after)
            quiet = 0 if text is not None else quiet + 1
            if text is not None:
                yield ServerSentEventMessage(data=text, event="news", id=after).encode()
            elif quiet % BEAT == 0:
                yield ServerSentEventMessage(data=None, comment="quiet").encode()
            await streams.pause()
    finally:
        streams.open -= 1
