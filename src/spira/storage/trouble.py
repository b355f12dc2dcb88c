"""Trouble: telling a disk that is full or failing from a fault in Spira, whichever store met it.

The stores say it each in its own way; whoever answers a person or decides about trying again
asks here.
"""

from __future__ import annotations

import errno

from spira.kernel.errors import Retryable, StoreUnavailable

_NUMBERS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
_SAYINGS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "Input/output error",
    "Read-only file system",
    "database or disk is full",
    "disk I/O error",
    "database has been invalidated",  # DuckDB gave its file up; the next turn opens it anew
    "Connection already closed",
)
_HELP = "free some space, or look at the disk; what was accepted is in the log, and the next turn takes it up"


def trouble_of(error: BaseException) -> StoreUnavailable | None:
    """The same error as one that a person can act on, when it is the disk's; None when it is not."""
    if isinstance(error, Retryable):
        return None
    said = str(error)
    if (isinstance(error, OSError) and error.errno in _NUMBERS) or any(each in said for each in _SAYINGS):
        first = said.strip().splitlines()[0] if said.strip() else type(error).__name__
        return StoreUnavailable(f"a store can't be written: {first}", help=_HELP)
    return None
