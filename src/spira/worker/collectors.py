"""Collectors: more processes that take calls in, started, replaced and ended by the core.

Each has a log of its own (`data/log-1`, `data/log-2`, …) and hears from the core through a pipe, so
that it ends when the core does. A log that a collector has left behind is read on for ever, whether
or not collectors run: what it acknowledged is loaded, backed up and erased like anything else.
"""

from __future__ import annotations

import logging
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from spira.kernel.settings import Settings, environment
from spira.storage.keys import Keys
from spira.storage.log import BEGINNING, Position
from spira.storage.log_apart import PREFIX, Apart, LogApart, logs_apart
from spira.worker.child import read_frame, write_frame
from spira.worker.paths import Paths
from spira.worker.topic import TopicReader

LOOK_SECONDS = 0.2
LONGEST_PAUSE = 10.0
ROLLING_SECONDS = 30.0
ENDING_SECONDS = 5.0
_log = logging.getLogger("spira.collectors")


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What a collector is told to be: its log's name, and the number of its inherited socket."""

    directory: str
    log: str
    socket: int
    loaded: tuple[int, int]


class Loaded(msgspec.Struct, tag="loaded", frozen=True, array_like=True):
    """How far this collector's log was loaded; `behind` is how much of a topic, which all share, was not."""

    segment: int
    offset: int
    behind: int = 0


class Roll(msgspec.Struct, tag="roll", frozen=True, array_like=True):
    """A request to close the segment being written; answered with where everything so far ends."""

    number: int


class Rolled(msgspec.Struct, frozen=True, array_like=True):
    """The answer: the first place that nothing written before lies behind, or why the log could not be rolled."""

    number: int
    segment: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorReport:
    """One collector, for the System page."""

    log: str = field(metadata={"help": "its log"})
    pid: int | None = field(metadata={"help": "its process; none while it is being replaced, or when it is not run"})
    starts: int = field(metadata={"help": "how often it was started"})
    backlog_bytes: int = field(metadata={"help": "accepted by it and not loaded yet"})


@dataclass(slots=True)
class _Place:
    """Where a collector runs, and how it has fared."""

    log: LogApart
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    started_at: float = 0.0
    pause: float = 0.0
    told: Loaded | None = None


class Collectors:
    """The collectors of one workspace; none until `start`. Close it."""

    def __init__(self, paths: Paths, settings: Settings, keys: Keys) -> None:
        self._directory, self._data = paths.directory, paths.data
        self.topic = TopicReader(settings, keys)
        self._lock = threading.RLock()  # a process is neither started nor buried while it is asked something
        self._places: dict[str, _Place] = {}
        self._loaded: Mapping[str, Position] = {}
        self._listener: socket.socket | None = None
        self._ending = threading.Event()
        self._watch = threading.Thread(target=self._watching, name="collectors", daemon=True)

    def start(self, count: int, listener: socket.socket) -> None:
        """Run so many on a socket that listens, which stays the caller's."""
        self._listener = listener
        for number in range(1, count + 1):
            log = LogApart(f"{PREFIX}{number}", self._data / f"{PREFIX}{number}")
            self._places[log.name] = _Place(log)
        with self._lock:
            for each in self._places.values():
                self._run(each)
        self._watch.start()

    def logs(self) -> list[LogApart]:
        """Every log in files that there is beside the core's own."""
        return logs_apart(self._data)

    def to_load(self) -> tuple[Apart, ...]:
        """Every log that is to be loaded beside the core's own, the topic's partitions too."""
        return (*self.logs(), *self.topic.logs())

    def loaded(self, positions: Mapping[str, Position]) -> Mapping[str, Position]:
        """Tell each how far its log was loaded; one that does not listen just now hears it the next time."""
        behind = self.topic.loaded(positions)
        with self._lock:
            for name, each in self._places.items():
                at = positions.get(name, BEGINNING)
                told = Loaded(at.segment, at.offset, behind)
                if each.process and told != each.told and self._say(each.process, told):
                    each.told = told
            self._loaded = positions
        return positions

    def roll(self) -> list[tuple[LogApart, Position]]:
        """Close the segment of each log; everything taken before lies before the places returned."""
        with self._lock:
            return [(each, self._rolled(each)) for each in self.logs()]

    def report(self, positions: Mapping[str, Position]) -> tuple[CollectorReport, ...]:
        """How each is, and each log that was left behind and is not loaded to its end."""
        found = []
        known = {each.name: each for each in self.logs()} | {name: each.log for name, each in self._places.items()}
        for log in known.values():
            place = self._places.get(log.name)
            behind = log.size_after(positions.get(log.name, BEGINNING))
            if place or behind:
                pid = place.process.pid if place and place.process else None
                starts = place.starts if place else 0
                found.append(CollectorReport(log=log.name, pid=pid, starts=starts, backlog_bytes=behind))
        return tuple(found)

    def close(self) -> None:
        """End all: each answers what it has in hand first."""
        self._ending.set()
        if self._watch.ident is not None:
            self._watch.join()
        with self._lock:
            running = [each for each in self._places.values() if each.process]
            for each in running:
                if each.process and each.process.stdin:
                    _quietly_close(each.process)
            for each in running:
                self._bury(each, seconds=ENDING_SECONDS + 2)
        self.topic.close()

    def _watching(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            with self._lock:
                for each in self._places.values():
                    self._look_after(each)

    def _look_after(self, place: _Place) -> None:
        """Replace a collector that ended; one that ends at once again and again is given a rest between."""
        now = time.monotonic()
        if place.process and place.process.poll() is not None:
            _log.error("the collector of %s ended (%s); it is replaced", place.log.name, place.process.returncode)
            lived = now - place.started_at
            place.pause = 0.0 if lived > LONGEST_PAUSE else min(max(place.pause * 2, 0.5), LONGEST_PAUSE)
            self._bury(place, seconds=0)
        if place.process is None and now - place.started_at >= place.pause:
            self._run(place)

    def _run(self, place: _Place) -> None:
        assert self._listener is not None
        process = subprocess.Popen(
            [sys.executable, "-m", "spira.worker.collector"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(self._listener.fileno(),),
            env=environment(),
        )
        place.process, place.started_at, place.starts = process, time.monotonic(), place.starts + 1
        at = self._loaded.get(place.log.name, BEGINNING)
        start = Start(
            directory=str(self._directory),
            log=place.log.name,
            socket=self._listener.fileno(),
            loaded=(at.segment, at.offset),
        )
        place.told = Loaded(at.segment, at.offset)
        self._say(process, start)

    def _rolled(self, log: LogApart) -> Position:
        place = self._places.get(log.name)
        process = place.process if place else None
        if place and process and self._say(process, Roll(place.starts)):
            answer = _heard(process)
            if answer is not None:
                return Position(answer.segment, 0)
            self._bury(place, seconds=0)  # whoever does not answer writes no more; it is replaced
        return log.line()

    def _say(self, process: subprocess.Popen[bytes], message: Start | Loaded | Roll) -> bool:
        """Say something, unless it would have to be waited for; whether it was said."""
        assert process.stdin is not None
        try:
            _, writable, _ = select.select([], [process.stdin], [], 0)
            if writable:
                write_frame(process.stdin, message)
            return bool(writable)
        except (BrokenPipeError, ValueError, OSError):
            return False

    def _bury(self, place: _Place, *, seconds: float) -> None:
        process, place.process = place.process, None
        if process is None:
            return
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _quietly_close(process)
        if process.stdout:
            process.stdout.close()


def _heard(process: subprocess.Popen[bytes]) -> Rolled | None:
    """The answer to a roll; None when there is none, or the collector could not do it."""
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], ROLLING_SECONDS)
    frame = read_frame(process.stdout) if readable else None
    answer = None if frame is None else msgspec.msgpack.decode(frame, type=Rolled)
    return None if answer is None or answer.fault else answer


def _quietly_close(process: subprocess.Popen[bytes]) -> None:
    try:
        if process.stdin:
            process.stdin.close()
    except BrokenPipeError:
        return
