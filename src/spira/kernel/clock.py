"""What time it is, asked in one place so that a test or a demo can answer differently.

Instants are naive `datetime`s in UTC everywhere inside (docs/decisions/0003); they meet a
time zone only where a person reads or writes one. The workspace's clock is `real` or
`manual`; only a manual clock can be stepped, and never backwards.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Whatever can say the present instant (naive, UTC)."""

    def now(self) -> datetime: ...


class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC).replace(tzinfo=None)


class FrozenClock:
    """A clock that stands still until it is stepped; for tests."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def step(self, to: datetime | timedelta) -> datetime:
        """Move to an instant, or by a length of time; never backwards."""
        there = self._at + to if isinstance(to, timedelta) else to
        if there < self._at:
            raise ValueError(f"a clock does not go back: it is {self._at}, asked for {there}")
        self._at = there
        return there


def pause(seconds: float) -> None:
    """Let real time pass; nothing else in the house sleeps."""
    time.sleep(seconds)


def utc(instant: datetime) -> datetime:
    """An aware instant as the naive UTC one used inside; a naive one is taken to be UTC already."""
    if instant.tzinfo is None or instant.tzinfo is UTC:
        return instant.replace(tzinfo=None)
    return instant.astimezone(UTC).replace(tzinfo=None)


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant, with or without an offset; ValueError if it is none."""
    return utc(datetime.fromisoformat(text))


def iso(instant: datetime) -> str:
    """An instant as the API writes it: ISO 8601 to the millisecond, in UTC, ending in Z."""
    return instant.isoformat(timespec="milliseconds") + "Z"


def midnight(day: date, zone: str) -> datetime:
    """The instant at which `day` begins in `zone`."""
    return utc(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)))


def local(instant: datetime, zone: str) -> datetime:
    """The wall-clock time in `zone` at `instant` (aware)."""
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
