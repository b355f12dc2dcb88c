"""Upkeep: what a tick does for the stores themselves, in slices, after everything else.

Reads   every sealed value, `progress`, and the settings under `[retention]`
Writes  the same values under the current key, when the keys were changed; what retention deletes

It is maintenance, as erasing is: it may touch every table, and changes what none of them says. A kill
anywhere leaves a state that the next tick goes on from.
"""

from __future__ import annotations

from spira.collect import quarantine_seals
from spira.kernel.clock import local
from spira.storage import progress, resealing
from spira.unify import retention
from spira.worker.turn import Turn

RESEALED = "storage.reseal"
RETAINED = "storage.retention"
FIRST_KEY = 1


def run(turn: Turn) -> int:
    """A slice of everything; how many values were sealed again and rows deleted."""
    return reseal(turn) + retain(turn)


def retain(turn: Turn) -> int:
    """Delete a slice of what is kept no longer, until the day's work is done; how many rows."""
    wanted = retention.rules(turn.settings.retention)
    day = local(turn.as_of, turn.settings.workspace.zone).date()
    if not wanted or progress.since(turn.warehouse, RETAINED) >= day.toordinal():
        return 0
    gone = retention.step(turn.warehouse, wanted, as_of=turn.as_of, day=day)
    if not gone:
        progress.mark(turn.warehouse, RETAINED, day.toordinal(), turn.as_of)
    return gone


def reseal(turn: Turn) -> int:
    """Seal a slice again after a change of keys; how many values. Nothing is read once all is done."""
    current = turn.keys.current
    if current == FIRST_KEY or progress.since(turn.warehouse, RESEALED) >= current:
        return 0
    done = resealing.step(turn.state, turn.keys)
    done = done or quarantine_seals.step(turn.warehouse, turn.keys)
    if not done:
        turn.state.settle()
        with turn.warehouse.transaction():
            progress.mark(turn.warehouse, RESEALED, current, turn.as_of)
    return done
