"""What every log must do, whoever implements it: in files (`LogContract`) or elsewhere (`RecordContract`).

class TestMyLog(LogContract):
    def open(self, directory):
        return MyLog.open(directory, fixed_keys())
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Protocol, Self

from spira.storage.log import BEGINNING, Chunk, Log, Position
from spira.testing.states import fixed_keys


def everything(log: RecordLog, start: Position = BEGINNING, *, limit_bytes: int = 1 << 20) -> list[bytes]:
    """All records from a place on, read in as many chunks as it takes."""
    found: list[bytes] = []
    while True:
        chunk = log.read(start, limit_bytes=limit_bytes)
        if not chunk.records:
            return found
        found += chunk.records
        start = chunk.end


class RecordLog(Protocol):
    """What every log does: keep records in order, durably, and give them back from any place on."""

    def append(self, records: Sequence[bytes]) -> Position: ...

    def append_soon(self, record: bytes) -> Awaitable[Position]: ...

    def read(self, start: Position, *, limit_bytes: int = ...) -> Chunk: ...

    def end(self) -> Position: ...

    def roll(self) -> Position: ...

    def size_after(self, position: Position) -> int: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class RecordContract:
    """The suite for any log: subclass it and say how yours is opened; the same directory is the same log."""

    def open(self, directory: Path) -> RecordLog:
        raise NotImplementedError

    def test_an_empty_log_reads_as_nothing(self, tmp_path: Path) -> None:
        """Before the first record there is nothing to read, and no backlog."""
        with self.open(tmp_path / "log") as log:
            assert log.read(BEGINNING).records == []
            assert log.size_after(BEGINNING) == 0

    def test_records_come_back_in_order(self, tmp_path: Path) -> None:
        """What was appended is read in the order of appending, empty records too."""
        with self.open(tmp_path / "log") as log:
            log.append([b"first", b""])
            log.append([b"third"])
            assert everything(log) == [b"first", b"", b"third"]

    def test_reading_goes_on_where_it_ended(self, tmp_path: Path) -> None:
        """A reader that keeps only its place sees every record once, however small its chunks."""
        said = [f"record {number}".encode() * 50 for number in range(40)]
        with self.open(tmp_path / "log") as log:
            for record in said:
                log.append([record])
            assert everything(log, limit_bytes=1) == said
            assert log.read(log.end()).records == []

    def test_each_record_has_a_place_of_its_own(self, tmp_path: Path) -> None:
        """Places grow with the records and lead back to them."""
        with self.open(tmp_path / "log") as log:
            log.append([b"a", b"b"])
            log.append([b"c"])
            chunk = log.read(BEGINNING)
            assert chunk.places == sorted(set(chunk.places))
            assert [log.read(place).records[0] for place in chunk.places] == [b"a", b"b", b"c"]

    def test_an_append_ends_where_the_reader_ends(self, tmp_path: Path) -> None:
        """The place that appending returns is where a reader stands who has read it."""
        with self.open(tmp_path / "log") as log:
            behind = log.append([b"a", b"b"])
            assert log.read(BEGINNING).end == behind == log.end()
            assert log.size_after(behind) == 0

    def test_what_was_appended_is_there_after_reopening(self, tmp_path: Path) -> None:
        """Closing and opening keeps records, places and order."""
        with self.open(tmp_path / "log") as log:
            place = log.append([b"before"])
        with self.open(tmp_path / "log") as log:
            log.append([b"after"])
            assert everything(log) == [b"before", b"after"]
            assert everything(log, place) == [b"after"]

    def test_threads_may_append_at_once(self, tmp_path: Path) -> None:
        """Each caller's records stay together and in order; nothing is lost or doubled."""
        with self.open(tmp_path / "log") as log:
            callers = [
                threading.Thread(target=log.append, args=([f"{caller}/{each}".encode() for each in range(5)],))
                for caller in range(8)
            ]
            for each in callers:
                each.start()
            for each in callers:
                each.join()
            found = [record.decode().split("/") for record in everything(log)]
        assert len(found) == 40
        for start in range(0, 40, 5):
            assert [each[1] for each in found[start : start + 5]] == list("01234")

    def test_rolling_draws_a_line(self, tmp_path: Path) -> None:
        """Everything appended before a roll lies before its place, everything after behind it."""
        with self.open(tmp_path / "log") as log:
            log.append([b"before"])
            line = log.roll()
            log.append([b"after"])
            assert everything(log, line) == [b"after"]
            assert everything(log) == [b"before", b"after"]


class LogContract(RecordContract):
    """The suite for a log in segments, which can be shortened besides."""

    def open(self, directory: Path) -> Log:
        return Log.open(directory, fixed_keys())

    def test_pruning_removes_what_lies_before_a_line(self, tmp_path: Path) -> None:
        """What lies behind the line stays, and so does the numbering of places."""
        with self.open(tmp_path / "log") as log:
            log.append([b"before"])
            line = log.roll()
            log.append([b"after"])
            assert log.prune(line) == 1
            assert everything(log) == everything(log, line) == [b"after"]
