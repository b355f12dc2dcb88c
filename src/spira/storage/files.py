"""Files: the few operations that the log makes on a disk, and nothing more.

They are behind a protocol so that a test can stand in a disk that forgets what was not
synced, or is full (`spira.testing.files`). Every operation raises OSError when it fails.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol


class Files(Protocol):
    """A disk. A handle is a number that `create` gave."""

    def make_directory(self, path: Path) -> None: ...

    def names(self, directory: Path) -> list[str]: ...

    def size(self, path: Path) -> int: ...

    def read(self, path: Path, offset: int, length: int) -> bytes: ...

    def create(self, path: Path) -> int: ...

    def write(self, handle: int, data: bytes) -> None: ...

    def sync(self, handle: int) -> None: ...

    def truncate(self, handle: int, size: int) -> None: ...

    def close(self, handle: int) -> None: ...

    def rename(self, old: Path, new: Path) -> None: ...

    def unlink(self, path: Path) -> None: ...

    def sync_directory(self, directory: Path) -> None: ...


class RealFiles:
    """The machine's own disk."""

    def make_directory(self, path: Path) -> None:
        """Make a directory and those above it, each durable in its parent; one that exists is fine."""
        if path.is_dir():
            return
        self.make_directory(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
        self.sync_directory(path.parent)

    def names(self, directory: Path) -> list[str]:
        """The names in a directory."""
        return sorted(os.listdir(directory))  # noqa: PTH208  (one call, no stat)

    def size(self, path: Path) -> int:
        """How many bytes a file has."""
        return path.stat().st_size

    def read(self, path: Path, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end of the file."""
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(length) or b""

    def create(self, path: Path) -> int:
        """Make a new file, to be written at its end."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, handle: int, data: bytes) -> None:
        """Add all of `data`."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]

    def sync(self, handle: int) -> None:
        """Return when everything written is on the disk."""
        (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(handle)

    def truncate(self, handle: int, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(handle, size)

    def close(self, handle: int) -> None:
        """Give the handle back."""
        os.close(handle)

    def rename(self, old: Path, new: Path) -> None:
        """Put a file in the place of another."""
        old.replace(new)

    def unlink(self, path: Path) -> None:
        """Remove a file; one that is not there is fine."""
        path.unlink(missing_ok=True)

    def sync_directory(self, directory: Path) -> None:
        """Return when the names in a directory are on the disk."""
        handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
