"""What is kept of destinations: who started them and why, their runs, and the batches of each run.

Reads   `destination_states`, `destination_runs`, `destination_batches`   (state)
Writes  the same

A destination gives nobody away before somebody has started it, and waits to be started again when other values,
people or places come into its definition. A batch is written down when the destination has taken it; who is killed
between the two gives it again under the same id.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from spira.engage.destinations.tables import BATCHES, RUNS, STATES
from spira.kernel.durations import back_off
from spira.storage.state import State, upsert
from spira.unify.portrait import says

Status = Literal["running", "done", "failed"]
Asked = Literal["", "run", "everyone"]
GIVE_UP = 12  # tries of one batch, after which its run ends and what is left is worked out anew
KEPT_RUNS = 200  # of one destination
LONGEST = 300
_OVER = RUNS.c.ended_at.is_not(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is kept of one destination."""

    destination: str
    print: str = ""
    started_at: datetime | None = None
    started_by: str = ""
    reason: str = ""
    most: int = 0
    paused: bool = False
    asked: Asked = ""
    looked_at: datetime | None = None
    next_at: datetime | None = None
    fault: str | None = None

    def gives(self, print: str, *, paused: bool) -> bool:
        """Whether it was started as it is defined, by that fingerprint, and neither staff nor its file pause it."""
        return self.started_at is not None and self.print == print and not self.paused and not paused


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run."""

    run_id: str = says("its id; each batch's id is made of it")
    destination: str = says("of which destination")
    print: str = says("a fingerprint of what it gave, and to where")
    begun_at: datetime = says("when it began")
    ended_at: datetime | None = says("when it ended; null while it runs or waits")
    status: Status = says("running, done or failed")
    everyone: bool = says("whether everyone was given anew, not only what had changed")
    added: int = says("how many people came")
    changed: int = says("of how many people a value changed")
    removed: int = says("how many people left")
    taken: int = says("how many of them the destination took")
    refused: int = says("how many of them it would not take")
    withheld: int = says("how many were to come and refused, or were erased, before their batch went")
    batches: int = says("in how many batches")
    done: int = says("how many of them were taken")
    tries: int = says("how often the next batch was tried")
    due_at: datetime | None = says("when it is tried again; null when nothing waits")
    mark: str = says("the export's mark, in each of its batches")
    fault: str | None = says("what went wrong last")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One batch that was taken."""

    number: int = says("which batch, from 0")
    at: datetime = says("when it was taken")
    tries: int = says("after how many tries")
    taken: int = says("how many people were taken")
    refused: int = says("how many were not")
    withheld: int = says("how many did not leave")
    said: str = says("why somebody was refused, as the destination put it")


def standings(state: State) -> dict[str, Standing]:
    """What is kept of every destination that anything is kept of."""
    with state.read() as connection:
        return {row["destination"]: Standing(**row) for row in connection.execute(sa.select(STATES)).mappings()}


def standing(state: State, name: str) -> Standing:
    """What is kept of one; one that was never started stands empty."""
    with state.read() as connection:
        row = connection.execute(sa.select(STATES).where(STATES.c.destination == name)).mappings().one_or_none()
    return Standing(destination=name) if row is None else Standing(**row)


def start(
    state: State, name: str, *, print: str, by: str, reason: str, most: int, at: datetime
) -> None:  # fmt: skip
    """Let a destination begin, or go on with what its definition says now; all are given anew if that is something
    else."""
    before = standing(state, name)
    asked: Asked = "everyone" if before.started_at is not None and before.print != print else "run"
    told = {"print": print, "started_at": at, "started_by": by, "reason": reason[:LONGEST], "most": most}
    _keep(state, name, {**told, "paused": False, "asked": asked, "fault": None})


def pause(state: State, name: str, *, paused: bool) -> None:
    """Have a destination wait, or go on."""
    _keep(state, name, {"paused": paused})


def ask(state: State, name: str, *, everyone: bool) -> None:
    """Have a run begin at the next look; one with everyone that was asked for before stays so."""
    told: Asked = "everyone" if everyone or standing(state, name).asked == "everyone" else "run"
    _keep(state, name, {"asked": told})


def looked(
    state: State, name: str, *, heard: Asked, at: datetime, next_at: datetime, fault: str | None = None
) -> None:  # fmt: skip
    """A destination was looked at: what was `heard` to be asked for is done, or could not be.

    What somebody has asked for meanwhile stays.
    """
    still = sa.case((STATES.c.asked == heard, ""), else_=STATES.c.asked)
    told = {"asked": still, "looked_at": at, "next_at": next_at, "fault": fault}
    with state.write() as connection:
        connection.execute(sa.update(STATES).where(STATES.c.destination == name).values(**told))


def begin(state: State, run: Run) -> None:
    """A run begins; the oldest ones of its destination are forgotten."""
    with state.write() as connection:
        connection.execute(sa.insert(RUNS).values(**_row(run)))
        own = sa.select(RUNS.c.run_id).where(RUNS.c.destination == run.destination)
        old = list(connection.execute(own.order_by(RUNS.c.begun_at.desc()).offset(KEPT_RUNS)).scalars())
        connection.execute(sa.delete(BATCHES).where(BATCHES.c.run_id.in_(old)))
        connection.execute(sa.delete(RUNS).where(RUNS.c.run_id.in_(old)))


def open_run(state: State, name: str) -> Run | None:
    """The run in hand."""
    asked = sa.select(RUNS).where(RUNS.c.destination == name, RUNS.c.status == "running")
    with state.read() as connection:
        row = connection.execute(asked).mappings().first()
    return None if row is None else Run(**row)


def advance(state: State, run: Run, sent: Sent) -> Run:
    """A batch was taken: its row in the log and how far the run has come, together."""
    told = {
        "done": sent.number + 1,
        "taken": run.taken + sent.taken,
        "refused": run.refused + sent.refused,
        "withheld": run.withheld + sent.withheld,
        "tries": 0,
        "due_at": None,
        "fault": None,
    }
    row = {name: getattr(sent, name) for name in Sent.__dataclass_fields__}
    with state.write() as connection:
        upsert(connection, BATCHES, [{"run_id": run.run_id, **row}])
        connection.execute(sa.update(RUNS).where(RUNS.c.run_id == run.run_id).values(**told))
    return Run(**{**_row(run), **told})


def put_off(state: State, run: Run, *, at: datetime, fault: str) -> Run:
    """The next batch was not taken: it is tried again by and by, and given up after so many tries."""
    tries = run.tries + 1
    told = {"tries": tries, "due_at": at + back_off(tries), "fault": fault[:LONGEST]}
    with state.write() as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.run_id == run.run_id).values(**told))
    return Run(**{**_row(run), **told})


def hurry(state: State, name: str) -> None:
    """Somebody asked: what waits to be tried again is tried now."""
    with state.write() as connection:
        open_now = sa.and_(RUNS.c.destination == name, RUNS.c.status == "running")
        connection.execute(sa.update(RUNS).where(open_now).values(due_at=None))


def end(state: State, run: Run, *, at: datetime, fault: str | None = None) -> None:
    """A run is over."""
    told = {"ended_at": at, "status": "failed" if fault else "done", "due_at": None, "fault": fault and fault[:LONGEST]}
    with state.write() as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.run_id == run.run_id).values(**told))


def runs(state: State, name: str, *, limit: int) -> tuple[Run, ...]:
    """The latest runs of a destination, newest first."""
    asked = sa.select(RUNS).where(RUNS.c.destination == name).order_by(RUNS.c.begun_at.desc(), _OVER, RUNS.c.run_id)
    with state.read() as connection:
        return tuple(Run(**row) for row in connection.execute(asked.limit(limit)).mappings())


def run_of(state: State, name: str, run_id: str) -> Run | None:
    """A destination's run by its id."""
    asked = sa.select(RUNS).where(RUNS.c.destination == name, RUNS.c.run_id == run_id)
    with state.read() as connection:
        row = connection.execute(asked).mappings().first()
    return None if row is None else Run(**row)


def latest(state: State) -> dict[str, Run]:
    """The latest run of each destination."""
    newest = sa.select(RUNS.c.destination, sa.func.max(RUNS.c.begun_at).label("at")).group_by(RUNS.c.destination)
    last = newest.subquery()
    same = sa.and_(last.c.destination == RUNS.c.destination, last.c.at == RUNS.c.begun_at)
    asked = sa.select(RUNS).join(last, same).order_by(_OVER.desc())  # one that still runs has the last word
    with state.read() as connection:
        return {row["destination"]: Run(**row) for row in connection.execute(asked).mappings()}


def log_of(state: State, run_id: str, *, limit: int) -> tuple[Sent, ...]:
    """The batches of a run, the latest first."""
    columns = [BATCHES.c[name] for name in Sent.__dataclass_fields__]
    asked = sa.select(*columns).where(BATCHES.c.run_id == run_id).order_by(BATCHES.c.number.desc())
    with state.read() as connection:
        return tuple(Sent(**row) for row in connection.execute(asked.limit(limit)).mappings())


def _keep(state: State, name: str, told: Mapping[str, Any]) -> None:
    fresh = {each: getattr(Standing(destination=name), each) for each in Standing.__dataclass_fields__}
    with state.write() as connection:
        upsert(connection, STATES, [{**fresh, **told}], replace=tuple(told))


def _row(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in Run.__dataclass_fields__}
