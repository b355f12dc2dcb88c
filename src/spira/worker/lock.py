"""One owner a directory: an advisory lock that ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from spira.kernel.clock import pause
from spira.kernel.errors import DirectoryBusy

WAIT_SECONDS = 15.0


class DirectoryLock:
    """Held from construction until `release`, or until the process ends in whatever way."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # hashes of passwords and facts of people lie here
        self._file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise DirectoryBusy(
                f"{path.parent} is in use by process {holder}",
                help="talk to the running server instead, or stop it first",
            ) from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let the next one in."""
        self._file.close()


def waited_for(path: Path, *, seconds: float = WAIT_SECONDS) -> DirectoryLock:
    """The lock as soon as whoever has it lets go, which an orphan does within moments; DirectoryBusy after that."""
    until = time.monotonic() + seconds
    while True:
        try:
            return DirectoryLock(path)
        except DirectoryBusy:
            if time.monotonic() > until:
                raise
            pause(0.05)
