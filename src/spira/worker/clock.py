"""The workspace's clock: the machine's, or one that stands in the state until it is stepped."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from spira.kernel.clock import Clock, RealClock, iso
from spira.kernel.errors import Conflict
from spira.storage.state import State, state_table

FIRST_INSTANT = datetime(2000, 1, 1)  # where a manual clock stands before anyone sets it

CLOCK = state_table(
    "clock",
    sa.Column("one", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime, nullable=False),
    stage="worker.clock",
)


class ManualClock:
    """Stands still until stepped; the instant survives a restart. Never goes back."""

    def __init__(self, state: State) -> None:
        self._state = state
        with state.read() as connection:
            self._at = connection.execute(sa.select(CLOCK.c.at)).scalar() or FIRST_INSTANT

    def now(self) -> datetime:
        return self._at

    def look(self) -> None:
        """See whether another process has stepped it."""
        with self._state.read() as connection:
            self._at = connection.execute(sa.select(CLOCK.c.at)).scalar() or FIRST_INSTANT

    def step(self, to: datetime) -> datetime:
        """Move to `to`; Conflict when that is in the past."""
        if to < self._at:
            raise Conflict(
                f"the clock does not go back: it stands at {iso(self._at)}", help="step it to a later instant"
            )
        with self._state.write() as connection:
            connection.execute(sa.delete(CLOCK))
            connection.execute(sa.insert(CLOCK).values(one=1, at=to))
        self._at = to
        return to


def open_clock(mode: str, state: State) -> Clock:
    """The clock that the settings ask for."""
    return ManualClock(state) if mode == "manual" else RealClock()
