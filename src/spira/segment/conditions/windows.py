"""Windows of time and moments, as the arguments of a function say them.

A window is [as_of - ending - within, as_of - ending); `since` and `until` are local
midnights in the catalog's zone, the second excluded. A day is 24 hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from spira.kernel.durations import BadDuration, parse_duration
from spira.segment.conditions.tree import Literal, Node

LONGEST = timedelta(days=36_500)
NONE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When an event counts. Without any bound: whenever it happened before now."""

    within: timedelta | None = None
    ending: timedelta = NONE
    since: datetime | None = None
    until: datetime | None = None

    @property
    def reach(self) -> timedelta | None:
        """How far before now the oldest event that counts can lie."""
        return None if self.within is None else self.within + self.ending


def window_of(named: Mapping[str, Node], zone: str) -> Window:
    """The window that checked arguments describe."""
    since, until = named.get("since"), named.get("until")
    return Window(
        within=length_of(named.get("within")),
        ending=length_of(named.get("ending")) or NONE,
        since=None if since is None else midnight(_text(since), zone),
        until=None if until is None else midnight(_text(until), zone),
    )


def length_of(node: Node | None) -> timedelta | None:
    """The duration of a checked argument."""
    return None if node is None else duration(_text(node))


def duration(text: str) -> timedelta:
    """A duration no longer than a hundred years; BadDuration says what to write."""
    try:
        found = parse_duration(text)
    except OverflowError:
        found = LONGEST + timedelta(days=1)
    if found > LONGEST:
        raise BadDuration(f"`{text}` is longer than a hundred years")
    return found


def midnight(text: str, zone: str) -> datetime:
    """The instant a local day begins, as naive UTC; ValueError when `text` is no date."""
    return to_utc(datetime.combine(date.fromisoformat(text), time()), zone)


def moment(text: str, zone: str) -> datetime:
    """A local date, or date and time, as naive UTC; ValueError when `text` is neither."""
    found = datetime.fromisoformat(text)
    return to_utc(found, zone) if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)


def to_utc(local: datetime, zone: str) -> datetime:
    """A local time as naive UTC."""
    try:
        return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
    except OverflowError as fault:
        raise ValueError(f"`{local}` is out of range") from fault


def _text(node: Node) -> str:
    if isinstance(node, Literal) and isinstance(node.value, str):
        return node.value
    raise TypeError("a checked argument is a text")
