"""A disk in memory that forgets, as a real one does when the power goes.

What was written and not synced is lost, or half lost; a new file whose directory was not
synced has no name any more. It counts what it is asked, and can be told to fail.

    disk = ForgetfulFiles()
    log = Log.open(Path("/log"), keys, files=disk)
    disk.fail("sync", errno.EIO)
    after = disk.power_loss()
"""

from __future__ import annotations

import errno
import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class _Inode:
    """A file: what programs see, and what is on the disk."""

    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""


@dataclass(slots=True)
class _Failure:
    """One kind of operation fails `times` times, after `after` that do not."""

    error: int
    after: int
    times: int
    done_anyway: bool


class ForgetfulFiles:
    """A disk as `storage.files.Files` describes it. All of it is in memory."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._names: dict[Path, dict[str, _Inode]] = {}
        self._durable: dict[Path, dict[str, _Inode]] = {}
        self._handles: dict[int, _Inode] = {}
        self._failures: dict[str, _Failure] = {}
        self._left: int | None = None
        self._lock = threading.RLock()

    # What a test does to it

    def fail(self, operation: str, error: int, *, after: int = 0, times: int = 1, done_anyway: bool = False) -> None:
        """Let `operation` raise; with `done_anyway` it takes effect and raises all the same."""
        self._failures[operation] = _Failure(error, after, times, done_anyway)

    def stop_after(self, operations: int) -> None:
        """Let everything fail, without effect, after so many more operations that change the disk."""
        self._left = operations

    def power_loss(self, *, survives: int = 0, zeros: int = 0) -> ForgetfulFiles:
        """The disk as the next start finds it: of each file's unsynced bytes `survives` remain, `zeros` are blank."""
        with self._lock:
            after = ForgetfulFiles()
            for directory, names in self._durable.items():
                kept = {name: _remains(inode, survives, zeros) for name, inode in names.items()}
                after._names[directory] = dict(kept)
                after._durable[directory] = dict(kept)
            return after

    def damage(self, path: Path, offset: int, *, bit: int = 0) -> None:
        """Flip one bit of a file."""
        self._inode(path).data[offset] ^= 1 << bit

    def cut(self, path: Path, size: int) -> None:
        """Cut a file to `size` bytes."""
        del self._inode(path).data[size:]

    # What a program does with it

    def make_directory(self, path: Path) -> None:
        with self._lock:
            self._names.setdefault(path, {})
            self._durable.setdefault(path, {})

    def names(self, directory: Path) -> list[str]:
        with self._lock:
            return sorted(self._names[directory])

    def size(self, path: Path) -> int:
        with self._lock:
            return len(self._inode(path).data)

    def read(self, path: Path, offset: int, length: int) -> bytes:
        with self._lock:
            return bytes(self._inode(path).data[offset : offset + length])

    def create(self, path: Path) -> int:
        with self._lock:
            self._meet("create")
            if path.name in self._names[path.parent]:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
            handle = self.counts["create"]
            self._handles[handle] = self._names[path.parent][path.name] = _Inode()
            return handle

    def write(self, handle: int, data: bytes) -> None:
        with self._lock:
            inode = self._handles[handle]
            try:
                self._meet("write")
            except OSError:
                inode.data += data[: len(data) // 2]  # a full disk takes some of it
                raise
            inode.data += data

    def sync(self, handle: int) -> None:
        with self._lock:
            inode = self._handles[handle]
            try:
                self._meet("sync")
            except _DoneAnyway:
                inode.synced = bytes(inode.data)
                raise
            inode.synced = bytes(inode.data)

    def truncate(self, handle: int, size: int) -> None:
        with self._lock:
            self._meet("truncate")
            del self._handles[handle].data[size:]

    def close(self, handle: int) -> None:
        with self._lock:
            self._meet("close")
            self._handles.pop(handle)

    def rename(self, old: Path, new: Path) -> None:
        with self._lock:
            self._meet("rename")
            self._names[new.parent][new.name] = self._names[old.parent].pop(old.name)

    def unlink(self, path: Path) -> None:
        with self._lock:
            self._meet("unlink")
            self._names[path.parent].pop(path.name, None)

    def sync_directory(self, directory: Path) -> None:
        with self._lock:
            self._meet("sync_directory")
            self._durable[directory] = dict(self._names[directory])

    def _inode(self, path: Path) -> _Inode:
        try:
            return self._names[path.parent][path.name]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None

    def _meet(self, operation: str) -> None:
        """Count the operation, and raise if it is to fail."""
        self.counts[operation] += 1
        if self._left is not None:
            if self._left <= 0:
                raise OSError(errno.EIO, "the power is gone")
            self._left -= 1
        failure = self._failures.get(operation)
        if failure is None:
            return
        if failure.after > 0:
            failure.after -= 1
        elif failure.times > 0:
            failure.times -= 1
            raise (_DoneAnyway if failure.done_anyway else OSError)(failure.error, os.strerror(failure.error))


class _DoneAnyway(OSError):
    """An operation that took effect and failed all the same."""


def _remains(inode: _Inode, survives: int, zeros: int) -> _Inode:
    """What a file is after the power came back: the synced part, and some of what was written behind it."""
    later = bytes(inode.data[len(inode.synced) :]) if inode.data.startswith(inode.synced) else b""
    blank = bytes(min(zeros, max(0, len(later) - survives)))
    content = inode.synced + later[:survives] + blank
    return _Inode(data=bytearray(content), synced=content)
