"""The log: everything accepted, in order, durable before anyone is told so.

A directory of numbered segments with one writer: whoever holds the workspace. `append` and
`append_soon` may be called from any thread; one drain thread takes whatever queued while it
synced the last, so that many callers share one sync and a lone one waits for no other.

What was acknowledged is there after any crash, once, in order. A torn tail is never
continued: the next record opens a new segment. Damage in the middle costs the frames it
touches; it is reported, and what lies behind it is read. A disk that is full or fails makes
the append raise LogUnavailable, and the next one tries a new segment; a sync that failed is
never tried again on the same file.

`read` takes no lock and may run in another process while the log grows.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from spira.kernel.errors import StorageDamaged
from spira.storage import frames
from spira.storage.files import Files, RealFiles
from spira.storage.frames import SEALED, Damage, Sealer, Segment, walk
from spira.storage.keys import Keys
from spira.storage.log_queue import FULL, Queue, Waiting, settle

ROLL_BYTES = 64 * 1024 * 1024
QUEUE_BYTES = 64 * 1024 * 1024
FRAME_BYTES = 1024 * 1024
_SUFFIX = ".log"
_ASIDE = ".rewriting"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the log. What `read` ends at always has `record` 0."""

    segment: int
    offset: int
    record: int = 0


BEGINNING = Position(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some records in order, the place of each, and where to go on."""

    records: list[bytes]
    places: list[Position]
    end: Position
    damage: tuple[Damage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFile:
    """One segment on the disk."""

    number: int
    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """What a rewriting changed."""

    segments: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(slots=True)
class _Open:
    """The segment that is being written."""

    number: int
    handle: int
    sealer: Sealer
    size: int = 0


class Log:
    """The writer of a log's directory. Close it, or use it as a context manager."""

    def __init__(self, directory: Path, keys: Keys, *, files: Files, roll_bytes: int, queue_bytes: int) -> None:
        self._directory, self._keys, self._files = directory, keys, files
        self._roll_bytes = roll_bytes
        self._queue: Queue[Position] = Queue(queue_bytes)
        self._segment: _Open | None = None
        self._emptied: list[Path] = []
        self.damage: list[Damage] = []
        self._next = 1
        self._end = BEGINNING
        self._thread = threading.Thread(target=self._drain, name="log", daemon=True)

    @classmethod
    def open(
        cls,
        directory: Path,
        keys: Keys,
        *,
        files: Files | None = None,
        roll_bytes: int = ROLL_BYTES,
        queue_bytes: int = QUEUE_BYTES,
    ) -> Log:
        """Open or make the log; StorageDamaged when the keys are not those it was written with."""
        log = cls(directory, keys, files=files or RealFiles(), roll_bytes=roll_bytes, queue_bytes=queue_bytes)
        try:
            log._recover()
        except OSError as fault:
            raise StorageDamaged(f"the log {directory} can't be opened: {fault}", help=FULL) from fault
        log._thread.start()
        return log

    def append(self, records: Sequence[bytes]) -> Position:
        """Return when the records are on the disk: the place behind them. LogUnavailable when they are not kept."""
        return self._queue.put(records)

    async def append_soon(self, record: bytes) -> Position:
        """`append` of one record for a coroutine, which waits without holding a thread."""
        return await self._queue.put_soon((record,))

    def roll(self) -> Position:
        """Close the segment being written; everything appended before lies before the place returned."""
        return self._queue.put((), rolls=True)

    def end(self) -> Position:
        """The place behind the last durable record."""
        return self._end

    def size_after(self, position: Position) -> int:
        """How many bytes on the disk lie behind a place: the backlog of who has read up to there."""
        listed = segments(self._directory, self._files)
        return sum(
            max(0, each.size - (position.offset if each.number == position.segment else 0))
            for each in listed
            if each.number >= position.segment
        )

    def read(self, start: Position, *, limit_bytes: int = ROLL_BYTES) -> Chunk:
        """`read` of this log; the damage it meets is kept in `damage`."""
        chunk = read(self._directory, self._keys, start, limit_bytes=limit_bytes, files=self._files)
        self.damage += [each for each in chunk.damage if each not in self.damage]
        return chunk

    def prune(self, before: Position) -> int:
        """Remove the segments that lie wholly before a place; how many there were.

        The newest stays in any case: the next one is numbered after it.
        """
        listed = segments(self._directory, self._files)
        gone = [each for each in listed[:-1] if each.number < before.segment]
        for each in gone:
            self._files.unlink(each.path)
        if gone:
            self._files.sync_directory(self._directory)
        return len(gone)

    def close(self) -> None:
        """Write what is queued, close the segment, and refuse everything after."""
        self._queue.close()
        self._thread.join()

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _recover(self) -> None:
        """Find the end of what is there. Nothing is repaired or continued."""
        self._files.make_directory(self._directory)
        for name in self._files.names(self._directory):
            if name.endswith(_ASIDE):
                self._files.unlink(self._directory / name)
        listed = segments(self._directory, self._files)
        _check_keys(self._files, listed, self._keys)
        if listed:
            last = listed[-1]
            self._next = last.number + 1
            self._end = Position(last.number, Segment(self._files, last.path, last.number).end())

    def _drain(self) -> None:
        while lot := self._queue.take():
            settle(lot, self._keep(lot))
        if self._segment:
            self._finish(self._segment)

    def _keep(self, lot: list[Waiting[Position]]) -> Position | Exception:
        """Make the lot durable with one sync: where it ends, or why it was not kept."""
        try:
            records = [record for waiting in lot for record in waiting.records]
            if records:
                self._write(records)
            if any(waiting.rolls for waiting in lot):
                return self._rolled()
            return self._end
        except Exception as fault:
            self._abandon()
            return fault

    def _write(self, records: list[bytes]) -> None:
        segment = self._segment
        if segment and segment.size >= self._roll_bytes:
            self._finish(segment)
            segment = None
        segment = segment or self._begin()
        data = bytearray()
        for lot in frames.batches(records, FRAME_BYTES):
            data += segment.sealer.frame(lot, offset=segment.size + len(data))
        self._files.write(segment.handle, bytes(data))
        self._files.sync(segment.handle)
        segment.size += len(data)
        self._end = Position(segment.number, segment.size)

    def _begin(self) -> _Open:
        """A new segment, its name durable before its first record, so that no number is ever used twice."""
        path = _path(self._directory, self._next)
        handle = self._files.create(path)
        sealer = Sealer(self._keys, self._next, secrets.token_bytes(frames.SALT_BYTES))
        self._segment = _Open(number=self._next, handle=handle, sealer=sealer)
        self._next += 1
        self._files.sync_directory(self._directory)
        while self._emptied:
            self._files.unlink(self._emptied.pop())
        return self._segment

    def _rolled(self) -> Position:
        if self._segment:
            self._finish(self._segment)
        return Position(self._next, 0)

    def _finish(self, segment: _Open) -> None:
        """End a segment with the mark that it is whole. That the mark is kept is a comfort, no promise."""
        self._segment = None
        try:
            self._files.write(segment.handle, segment.sealer.frame((), offset=segment.size, flags=frames.END))
            self._files.sync(segment.handle)
        except OSError:
            _quietly(lambda: self._files.truncate(segment.handle, segment.size))
        _quietly(lambda: self._files.close(segment.handle))

    def _abandon(self) -> None:
        """Leave the segment that failed as it was at its last sync, as far as the disk still does what it is told."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        _quietly(lambda: self._files.truncate(segment.handle, segment.size))
        _quietly(lambda: self._files.close(segment.handle))
        if segment.size == 0:
            self._emptied.append(_path(self._directory, segment.number))


def segments(directory: Path, files: Files | None = None) -> list[SegmentFile]:
    """The segments of a log in order; one that is removed meanwhile is left out."""
    disk = files or RealFiles()
    found = []
    for name in sorted(disk.names(directory)):
        if name.endswith(_SUFFIX) and name.removesuffix(_SUFFIX).isdecimal():
            path = directory / name
            with suppress(FileNotFoundError):
                found.append(SegmentFile(number=int(name.removesuffix(_SUFFIX)), path=path, size=disk.size(path)))
    return found


def read(
    directory: Path, keys: Keys, start: Position, *, limit_bytes: int = ROLL_BYTES, files: Files | None = None
) -> Chunk:
    """The records from `start` on, about `limit_bytes` of them at most; `end` is where the next call starts.

    The segments are listed before any is read: one that has a successor is complete.
    """
    disk = files or RealFiles()
    listed = [each for each in segments(directory, disk) if each.number >= start.segment]
    records: list[bytes] = []
    places: list[Position] = []
    damage: list[Damage] = []
    end, held = start, 0
    for file in listed:
        if file.number > end.segment:
            end = Position(file.number, 0)
        for found in walk(Segment(disk, file.path, file.number), end.offset, keys):
            if isinstance(found, Damage):
                damage.append(found)
                end = Position(file.number, found.offset + found.length)
                continue
            place, lot = found
            first = start.record if (start.segment, start.offset) == (file.number, place.offset) else 0
            records += lot[first:]
            places += [Position(file.number, place.offset, each) for each in range(first, len(lot))]
            end, held = Position(file.number, place.after), held + place.raw
            if held >= limit_bytes:
                return Chunk(records=records, places=places, end=end, damage=tuple(damage))
    return Chunk(records=records, places=places, end=end, damage=tuple(damage))


def rewrite(
    directory: Path,
    keys: Keys,
    keep: Callable[[bytes], bytes | None],
    *,
    before: Position,
    files: Files | None = None,
) -> Rewritten:
    """Pass every record before a place through `keep`, which returns it, another in its stead, or None to remove it.

    `before` is what `Log.roll` returned, after everything before it was loaded: places inside a
    rewritten segment change. Each segment is replaced as a whole and durably; killed half-way,
    calling it again finishes.
    """
    disk = files or RealFiles()
    total = Rewritten()
    for file in segments(directory, disk):
        if file.number < before.segment:
            removed, changed = rewrite_segment(disk, file, keys, keep)
            total = Rewritten(
                segments=total.segments + bool(removed or changed),
                removed=total.removed + removed,
                changed=total.changed + changed,
            )
    return total


def rewrite_segment(
    disk: Files, file: SegmentFile, keys: Keys, keep: Callable[[bytes], bytes | None], *, anew: bool = False
) -> tuple[int, int]:
    """`rewrite` of one closed segment; how many records went and changed. `anew` seals it again all the same."""
    kept: list[bytes] = []
    removed = changed = 0
    for found in walk(Segment(disk, file.path, file.number), 0, keys):
        if isinstance(found, Damage):
            if found.why == SEALED:
                raise StorageDamaged(f"{file.path} can't be unsealed and so not rewritten", help=_KEYS)
            continue
        for record in found[1]:
            fresh = keep(record)
            removed += fresh is None
            changed += fresh is not None and fresh != record
            if fresh is not None:
                kept.append(fresh)
    if removed or changed or anew:
        _replace(disk, file, keys, kept)
    return removed, changed


def _replace(disk: Files, file: SegmentFile, keys: Keys, records: list[bytes]) -> None:
    sealer = Sealer(keys, file.number, secrets.token_bytes(frames.SALT_BYTES))
    aside = file.path.with_name(file.path.name + _ASIDE)
    disk.unlink(aside)
    handle = disk.create(aside)
    try:
        size = 0
        for lot in frames.batches(records, FRAME_BYTES):
            data = sealer.frame(lot, offset=size)
            disk.write(handle, data)
            size += len(data)
        disk.write(handle, sealer.frame((), offset=size, flags=frames.END))
        disk.sync(handle)
    finally:
        disk.close(handle)
    disk.rename(aside, file.path)
    disk.sync_directory(file.path.parent)


def _check_keys(files: Files, listed: list[SegmentFile], keys: Keys) -> None:
    """Open the first frame of the newest segment that has one."""
    for each in reversed(listed):
        segment = Segment(files, each.path, each.number)
        frame = segment.at(0) or segment.next_after(0)
        if frame is None:
            continue
        if frames.unseal(keys, frame) is None:
            raise StorageDamaged(f"the log {each.path.parent} was sealed with other keys", help=_KEYS)
        return


def _quietly(act: Callable[[], None]) -> None:
    """Do what may fail on a disk that has failed already."""
    try:
        act()
    except OSError:
        return


def _path(directory: Path, number: int) -> Path:
    return directory / f"{number:012d}{_SUFFIX}"


_KEYS = "put the spira.keys that belongs to this workspace back"
