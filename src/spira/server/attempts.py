"""Failed attempts: how many there were from one place or for one person in the last quarter of an hour.

Reads   `sign_in_failures`
Writes  `sign_in_failures`

Places and persons are stored by hash, and forgotten after fifteen minutes. Passwords and codes are
counted alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from spira.server.errors import TooManyAttempts
from spira.server.secrets import digest
from spira.server.tables import SIGN_IN_FAILURES
from spira.storage.state import State

FAILURE_WINDOW = timedelta(minutes=15)


def refuse_more(state: State, whence: Sequence[str], *, allowed: int, at: datetime) -> None:
    """TooManyAttempts when any of `whence` has failed `allowed` times."""
    recent = sa.select(sa.func.count()).where(SIGN_IN_FAILURES.c.at >= at - FAILURE_WINDOW)
    with state.read() as connection:
        counts = [connection.execute(recent.where(SIGN_IN_FAILURES.c.origin == digest(each))) for each in whence]
        if any(int(each.scalar_one()) >= allowed for each in counts):
            raise TooManyAttempts("too many failed sign-ins", help="wait fifteen minutes, or ask for a sign-in link")


def count(state: State, whence: Sequence[str], *, at: datetime) -> None:
    """Write down that an attempt failed."""
    with state.write() as connection:
        connection.execute(sa.delete(SIGN_IN_FAILURES).where(SIGN_IN_FAILURES.c.at < at - FAILURE_WINDOW))
        connection.execute(sa.insert(SIGN_IN_FAILURES), [{"origin": digest(each), "at": at} for each in whence])
