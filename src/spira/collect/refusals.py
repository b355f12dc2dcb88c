"""Refusals: what was turned away at the door of the collection API, counted by hour.

Writes  `refusals`   (state)   per hour: the source as far as it is known, the code, what about, how often

Nothing of a refused call is kept but its shape: the names and types of its properties. Counts are
held in memory and written every few seconds by a thread of its own, so that a flood of wrong calls
costs no more than a dictionary; a crash loses the counts of these seconds and nothing else.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from spira.collect.writing import Writing
from spira.kernel.clock import Clock
from spira.storage.state import State, state_table

REFUSALS = state_table(
    "refusals",
    sa.Column("hour", sa.DateTime, primary_key=True),
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("code", sa.String(40), primary_key=True),
    sa.Column("about", sa.String(200), primary_key=True),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("last_at", sa.DateTime, nullable=False),
    sa.Column("sample", sa.Text),
    stage="collect.intake",
)
KEPT = timedelta(days=30)
WRITE_EVERY = 5.0  # seconds
MOST = 500  # different refusals of one hour; more are counted together
_REST = ""

Key = tuple[datetime, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How often calls were turned away for one reason."""

    source: str = field(metadata={"help": "the source; empty when the key belongs to none"})
    code: str = field(metadata={"help": "unknown_key, old_key, ended_source, no_key, unknown_event, wrong_type…"})
    about: str = field(metadata={"help": "what it was about: an event and what is wrong with it, or a key's beginning"})
    calls: int = field(metadata={"help": "how many calls"})
    first_at: datetime = field(metadata={"help": "the hour of the first of them"})
    last_at: datetime = field(metadata={"help": "the latest of them"})
    sample: str | None = field(metadata={"help": "the shape of one: names and types, no values"})


class Refusals:
    """Counts what is turned away. `close` writes what is left."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state, self._clock = state, clock
        self._lock, self._flushing = threading.Lock(), threading.Lock()
        self._counts: dict[Key, tuple[int, datetime, str | None]] = {}
        self._writing = Writing(
            self.flush,
            lambda: bool(self._counts),
            self._lock,
            every=WRITE_EVERY,
            name="refusals",
            failed="refused calls could not be counted",
        )

    def note(self, source: str, code: str, about: str, *, calls: int = 1, sample: str | None = None) -> None:
        """Count some calls; what was counted is written soon."""
        now = self._clock.now()
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            key = (hour, source[:64], code[:40], about[:200])
            if key not in self._counts and len(self._counts) >= MOST:
                key = (hour, source[:64], code[:40], _REST)
            before, _, kept = self._counts.get(key, (0, now, None))
            self._counts[key] = (before + calls, now, kept or sample)
            self._writing.begin()

    def flush(self) -> None:
        """Write what was counted."""
        with self._flushing:
            with self._lock:
                counts, self._counts = self._counts, {}
            if counts:
                self._keep(counts)

    def _keep(self, counts: dict[Key, tuple[int, datetime, str | None]]) -> None:
        now = self._clock.now()
        with self._state.write() as connection:
            hour = min(key[0] for key in counts)
            there = sa.select(sa.func.count()).select_from(REFUSALS).where(REFUSALS.c.hour >= hour)
            room = MOST - int(connection.execute(there).scalar_one())
            for (hour, source, code, about), (calls, last_at, sample) in counts.items():
                key: dict[str, object] = {"hour": hour, "source": source, "code": code, "about": about}
                told: dict[str, object] = {"last_at": last_at, "sample": sample}
                if _count_on(connection, key, calls, told):
                    continue
                key["about"] = about if room > 0 else _REST
                if room > 0 or not _count_on(connection, key, calls, {**told, "sample": None}):
                    connection.execute(sa.insert(REFUSALS).values(**key, calls=calls, **told))
                    room -= 1
            connection.execute(sa.delete(REFUSALS).where(REFUSALS.c.hour < now - KEPT))

    def close(self) -> None:
        """Wait for the writing thread, and write the rest."""
        self._writing.close()


def _count_on(connection: sa.Connection, key: dict[str, object], calls: int, told: dict[str, object]) -> bool:
    """Add calls to the row of a key; whether there is one."""
    mine = sa.and_(*(REFUSALS.c[name] == value for name, value in key.items()))
    sample = sa.func.coalesce(REFUSALS.c.sample, told["sample"])
    fresh = {"calls": REFUSALS.c.calls + calls, "last_at": told["last_at"], "sample": sample}
    return bool(connection.execute(sa.update(REFUSALS).where(mine).values(fresh)).rowcount)


def refused(state: State, *, since: datetime, source: str | None = None, limit: int = 50) -> tuple[Refusal, ...]:
    """What was turned away since then, most frequent first; of one source, or of all and of none."""
    calls = sa.func.sum(REFUSALS.c.calls)
    asked = (
        sa.select(
            REFUSALS.c.source,
            REFUSALS.c.code,
            REFUSALS.c.about,
            calls.label("calls"),
            sa.func.min(REFUSALS.c.hour).label("first_at"),
            sa.func.max(REFUSALS.c.last_at).label("last_at"),
            sa.func.max(REFUSALS.c.sample).label("sample"),
        )
        .where(REFUSALS.c.hour >= since.replace(minute=0, second=0, microsecond=0))
        .group_by(REFUSALS.c.source, REFUSALS.c.code, REFUSALS.c.about)
        .order_by(calls.desc(), REFUSALS.c.source, REFUSALS.c.code, REFUSALS.c.about)
        .limit(limit)
    )
    if source is not None:
        asked = asked.where(REFUSALS.c.source == source)
    with state.read() as connection:
        return tuple(
            Refusal(**{**row, "calls": int(row["calls"])}) for row in connection.execute(asked).mappings().all()
        )
