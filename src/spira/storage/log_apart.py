"""A log that another process writes, as its files tell: a collector's, or what one has left behind.

What such a process keeps is in its directory's segments; nothing here is written but by `rewrite`,
which touches closed segments only. Whether the process lives is the caller's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from spira.storage.log import BEGINNING, Position, SegmentFile, segments


class Apart(Protocol):
    """What loading needs of a log beside the core's own, in files or not."""

    @property
    def name(self) -> str: ...

    @property
    def directory(self) -> Path | str: ...

    def end(self) -> Position: ...


@dataclass(frozen=True, slots=True)
class LogApart:
    """One directory, by its name within `data/`."""

    name: str
    directory: Path

    def end(self) -> Position:
        """Behind all that was written, durable or not: a reader finds at most that much."""
        listed = self._segments()
        return Position(listed[-1].number, listed[-1].size) if listed else BEGINNING

    def line(self) -> Position:
        """What rolling would return once nobody writes: all there is lies before it."""
        listed = self._segments()
        return Position(listed[-1].number + 1, 0) if listed else Position(1, 0)

    def size_after(self, position: Position) -> int:
        """How many bytes on the disk lie behind a place."""
        return sum(
            max(0, each.size - (position.offset if each.number == position.segment else 0))
            for each in self._segments()
            if each.number >= position.segment
        )

    def _segments(self) -> list[SegmentFile]:
        """None before its collector has made it."""
        return segments(self.directory) if self.directory.is_dir() else []


def logs_apart(data: Path) -> list[LogApart]:
    """The logs beside the core's own that a workspace's `data/` has, in the order of their numbers."""
    found = []
    for path in data.glob(f"{PREFIX}*"):
        number = path.name.removeprefix(PREFIX)
        if path.is_dir() and number.isdecimal():
            found.append((int(number), LogApart(path.name, path)))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


PREFIX = "log-"
