"""Failing: which destinations have not got through of late, since when and how often, so that somebody is told.

Reads   `destination_states`, `destination_runs`   (state)

One that waits to be started, or is paused, does not fail: that is somebody's wish. What was given up and then had
nothing more to tell has mended by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from spira.engage.destinations import kept
from spira.engage.destinations.definition import DestinationDefinition
from spira.engage.destinations.kept import Run, Standing
from spira.kernel.durations import back_off
from spira.storage.state import State

_LOOKED_BACK = 50  # runs of one destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """One destination that does not get through: since its first failed try, and how many there were.

    `stopped` is one that no try mends: more people than it may give, or a fault in Spira.
    """

    destination: str
    since: datetime
    tries: int
    stopped: bool


def failing(state: State, models: Sequence[DestinationDefinition]) -> tuple[Failing, ...]:
    """The destinations that fail now, in the order of `models`."""
    if not models:
        return ()
    known, latest = kept.standings(state), kept.latest(state)
    found = (_of(state, model, known.get(model.destination), latest.get(model.destination)) for model in models)
    return tuple(each for each in found if each is not None)


def _of(state: State, model: DestinationDefinition, stands: Standing | None, latest: Run | None) -> Failing | None:
    if stands is None or not stands.gives(model.print, paused=model.paused):
        return None
    name = model.destination
    if stands.fault is not None and stands.looked_at is not None:
        return Failing(destination=name, since=stands.looked_at, tries=0, stopped=True)
    if latest is None or latest.status == "done" or is_over(stands, latest):
        return None
    tries, since = 0, latest.begun_at
    for run in kept.runs(state, name, limit=_LOOKED_BACK):
        if run.status == "done" or run.print != stands.print:
            break
        if run.status == "failed" or run.tries:  # one that has just begun says nothing yet
            tries, since = tries + max(1, run.tries), _first_failed(run)
    return Failing(destination=name, since=since, tries=tries, stopped=False) if tries else None


def is_over(stands: Standing, latest: Run) -> bool:
    """Whether the destination was looked at after its last run had failed, and there was nothing to tell."""
    return latest.ended_at is not None and stands.looked_at is not None and stands.looked_at > latest.ended_at


def _first_failed(run: Run) -> datetime:
    """When the tries began to fail: the last one, less what was waited between them."""
    last = run.ended_at or (run.begun_at if run.due_at is None else run.due_at - back_off(run.tries))
    waited = sum((back_off(each) for each in range(1, run.tries)), timedelta())
    return max(run.begun_at, last - waited)
