"""Stretches: the logs decoded piece by piece, some pieces ahead of whoever takes them in.

Reads   the logs    from where each was loaded to the end that it had when the load began
Writes  files       what `collect.decode` makes of a stretch

Decoding a backlog costs about twice what taking it in costs, so two stretches are decoded at once. Where the
second begins is guessed from the heads of the log's frames (storage.log_ahead). A stretch that began
elsewhere than the one before has ended is thrown away, and what should have been asked for is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec

from spira.collect.decode import Decoded, DecodeTask, decode_stretch
from spira.kernel.jobs import JobRunner
from spira.storage.log import BEGINNING, Position
from spira.storage.log_ahead import end_of

AHEAD = 2  # stretches that are decoded at once while another is taken in


@dataclass(slots=True)
class Reading:
    """One log on the way from where it was loaded to the end it had when the load began."""

    name: str
    where: str
    at: Position
    goal: Position
    next: Position | None  # where the stretch to ask for begins; None while that is not known, or there is none


class _Asked(NamedTuple):
    """A stretch that is being decoded: where it begins, and where it is thought to end."""

    reading: Reading
    start: Position
    guessed: Position | None
    coming: Future[Decoded]


def decoded(
    runner: JobRunner, task: DecodeTask, wanted: Iterable[Reading], scratch: Path
) -> Generator[tuple[str, Decoded]]:
    """Each stretch of each log in turn; children decode the next ones while whoever asks takes in the last."""
    turns, asked = deque(wanted), deque[_Asked]()
    with ThreadPoolExecutor(max_workers=AHEAD, thread_name_prefix="spira-decode") as ahead:

        def ask() -> None:
            """Of each log in turn, as long as it is known where its next stretch begins."""
            for _ in range(len(turns)):
                each = turns[0]
                turns.rotate(-1)
                if each.next is None or len(asked) >= AHEAD:
                    continue
                start, each.next = each.next, _guess(each, task.limit_bytes)
                stretch = _stretch(task, each, start, scratch / each.name)
                asked.append(_Asked(each, start, each.next, ahead.submit(runner.run, decode_stretch, stretch)))

        while True:
            while len(asked) < AHEAD and any(each.next for each in turns):
                ask()
            if not asked:
                return
            each, start, guessed, coming = asked.popleft()
            got = coming.result()
            each.at = end = Position(got.segment, got.offset)
            if guessed != end:
                for wrong in [other for other in asked if other.reading is each]:
                    asked.remove(wrong)
                    forget(wrong.coming.result())
                each.next = end if start != end < each.goal else None  # neither a torn end nor all there was
            if end != start:
                ask()
                yield each.name, got


def _guess(reading: Reading, limit_bytes: int) -> Position | None:
    """Where the stretch that is asked for next will end, if something behind it is to be loaded too."""
    if reading.next is None or not Path(reading.where).is_dir():  # a topic is read to know
        return None
    end = end_of(Path(reading.where), reading.next, limit_bytes=limit_bytes)
    return end if end is not None and end < reading.goal else None


def forget(decoded: Decoded) -> None:
    """Remove the files of a stretch."""
    for path in decoded.files.values():
        Path(path).unlink(missing_ok=True)


def due(there: Mapping[str, Position], *logs: tuple[str, Path | str, Position]) -> list[Reading]:
    """The logs that hold more than was loaded."""
    every = [(name, str(where), there.get(name, BEGINNING), goal) for name, where, goal in logs]
    return [Reading(name, where, at, goal, at) for name, where, at, goal in every if at < goal]


def _stretch(task: DecodeTask, reading: Reading, at: Position, scratch: Path) -> DecodeTask:
    """The task for the stretch of a log that begins at a place."""
    return msgspec.structs.replace(task, log=reading.where, segment=at.segment, offset=at.offset, scratch=str(scratch))
