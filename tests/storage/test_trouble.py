"""Trouble: a disk that is full or failing is told apart from a fault of ours."""

import errno
import os

import duckdb
import pytest
import sqlalchemy as sa

from spira.kernel.errors import LogUnavailable, StoreUnavailable
from spira.storage.trouble import trouble_of

FULL = os.strerror(errno.ENOSPC)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, FULL),
        OSError(errno.EIO, "what the system says in its own language"),
        duckdb.IOException(f'IO Error: Could not write file "warehouse.duckdb.wal": {FULL}'),
        duckdb.FatalException("FATAL Error: Failed: database has been invalidated because of a previous fatal error."),
        sa.exc.OperationalError("insert", {}, Exception("database or disk is full")),
    ],
    ids=lambda each: type(each).__name__,
)
def test_every_store_s_way_of_saying_it_is_understood(error):
    """
    Whichever store met it, the error becomes one that names the cause, may be tried again, and says what to do.
    """
    told = trouble_of(error)
    assert isinstance(told, StoreUnavailable)
    assert told.help


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "no such file"), ValueError("x"), LogUnavailable(FULL)])
def test_other_errors_are_left_alone(error):
    """
    A fault of ours stays one, and what is told well already is not told again.
    """
    assert trouble_of(error) is None
