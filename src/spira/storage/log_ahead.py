"""Where a stretch of a log will end, told from the heads of its frames, before anybody has unsealed it.

So the stretch behind it can be begun at the same time. It is a guess: a frame that can't be unsealed counts for
nothing when it is read, and one may be mended or removed meanwhile. Whoever relies on it compares afterwards.
"""

from __future__ import annotations

from pathlib import Path

from spira.storage.files import RealFiles
from spira.storage.frames import Segment
from spira.storage.log import Position, segments


def end_of(directory: Path, start: Position, *, limit_bytes: int) -> Position | None:
    """Where `log.read` with these arguments ends; None when the log ends first, and may have grown by then."""
    disk, end, held = RealFiles(), start, 0
    for file in segments(directory, disk):
        if file.number < start.segment:
            continue
        if file.number > end.segment:
            end = Position(file.number, 0)
        segment = Segment(disk, file.path, file.number)
        while frame := segment.at(end.offset) or segment.next_after(end.offset):
            end, held = Position(file.number, frame.after), held + frame.raw
            if held >= limit_bytes:
                return end
    return None
