"""Sources: the pipes that events come through, each with its write key.

Reads   `sources`   (state)
Writes  `sources`   one row per source; write keys are shown when made, and to those who may see sources

A source says where its events happen (touchpoint), whether that is a public place or the
brand's own (domain), and how far its traits are to be believed (priority: the higher wins).
Its key can be exchanged, the old one being good for a while if that is wanted; a source that was
ended takes nothing in until it is given a new key. Each holds from the next call on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from spira.collect.envelope import OWN_SOURCE
from spira.kernel.clock import Clock
from spira.kernel.errors import Conflict, NotFound, SpiraError
from spira.kernel.ids import new_secret
from spira.storage.state import State, state_table

SOURCES = state_table(
    "sources",
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("write_key", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", sa.DateTime, nullable=False),
    sa.Column("touchpoint", sa.String(64)),
    sa.Column("domain", sa.String(16)),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("ended_at", sa.DateTime),
    sa.Column("previous_key", sa.String(64)),
    sa.Column("previous_until", sa.DateTime),
    sa.Column("mode", sa.String(16)),
    sa.Column("consent_first", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("silent_minutes", sa.Integer),
    stage="collect.sources",
)
SOURCE_MODES = ("observe", "quarantine", "block")
LONGEST_SILENCE = 30 * 24 * 60  # minutes
_NAME = re.compile(r"\w[\w .-]{0,63}")
RESERVED = frozenset({"new"})  # addresses of the console beside those of the sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source. `previous_key` is good until `previous_until`; one that ended has no good key.

    `mode` is `observe`, `quarantine` or `block`, None being what the tracking plan says; `consent_first`
    says that a web page's script keeps and sends nothing before it is told of a consent; after
    `silent_minutes` without a call an alarm is raised, None being never.
    """

    source: str
    write_key: str
    created_at: datetime
    touchpoint: str | None = None
    domain: str | None = None
    priority: int = 0
    ended_at: datetime | None = None
    previous_key: str | None = None
    previous_until: datetime | None = None
    mode: str | None = None
    consent_first: bool = False
    silent_minutes: int | None = None


def add(state: State, clock: Clock, name: str, **what: Any) -> Source:
    """Make a source with a fresh write key; `what` may give `touchpoint`, `domain` and `priority`."""
    if not _NAME.fullmatch(name) or name == OWN_SOURCE:
        raise SpiraError(f"`{name}` can't be the name of a source", help="use letters, digits, spaces, `_`, `-`, `.`")
    if name in RESERVED:
        raise SpiraError(
            f"no source can be called `{name}`: the console has its own page at /sources/{name}",
            help="choose another name",
        )
    made = Source(source=name, write_key=_fresh_key(), created_at=clock.now(), **what)
    row = {
        "source": made.source,
        "write_key": made.write_key,
        "created_at": made.created_at,
        "touchpoint": made.touchpoint,
        "domain": made.domain,
        "priority": made.priority,
    }
    try:
        with state.write() as connection:
            connection.execute(sa.insert(SOURCES).values(row))
    except sa.exc.IntegrityError:
        raise Conflict(f"there already is a source called `{name}`", help="give it another name") from None
    return made


def rotate(state: State, clock: Clock, name: str, *, grace: timedelta = timedelta(0)) -> Source:
    """Give a source a fresh write key; the old one is good for `grace` more. One that ended is taken up again."""
    old = get(state, name)
    keeps = old.ended_at is None  # a key without a grace is kept too, to be known when it still comes
    values = {
        "write_key": _fresh_key(),
        "ended_at": None,
        "previous_key": old.write_key if keeps else None,
        "previous_until": clock.now() + grace if keeps else None,
    }
    _change(state, name, values)
    return get(state, name)


def end(state: State, clock: Clock, name: str) -> Source:
    """Take nothing more from a source: from now on its keys are as good as unknown. What it sent stays."""
    if get(state, name).ended_at is None:
        _change(state, name, {"ended_at": clock.now(), "previous_key": None, "previous_until": None})
    return get(state, name)


def wait_for_consent(state: State, name: str, *, wanted: bool) -> Source:
    """Let the web pages of a source keep and send nothing before a consent, or let them begin at once."""
    get(state, name)
    _change(state, name, {"consent_first": wanted})
    return get(state, name)


def adjust(state: State, name: str, *, mode: str | None, silent_minutes: int | None) -> Source:
    """Set what a source's calls must keep to (None: what the plan says), and after how long its silence alarms."""
    if mode is not None and mode not in SOURCE_MODES:
        raise SpiraError(f"`{mode}` is not a mode", help=f"write one of: {', '.join(SOURCE_MODES)}")
    if silent_minutes is not None and not 1 <= silent_minutes <= LONGEST_SILENCE:
        raise SpiraError("a silence that alarms lasts from 1 minute to 30 days", help="write a number of minutes")
    get(state, name)
    _change(state, name, {"mode": mode, "silent_minutes": silent_minutes})
    return get(state, name)


def get(state: State, name: str) -> Source:
    """The source of a name; NotFound when there is none."""
    found = _select(state, SOURCES.c.source == name)
    if not found:
        raise NotFound(f"there is no source called `{name}`", help="the list of sources has their names")
    return found[0]


def every(state: State) -> list[Source]:
    """All sources, by name, those that ended too."""
    return _select(state)


class WriteKeys:
    """Sources by write key, remembered until the state is written again, so that every change holds at once."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._read_at = -1
        self._known: dict[str, tuple[Source, datetime | None]] = {}

    def source_of(self, write_key: str) -> Source | None:
        """The source that this key belongs to, or None: unknown, too old, or of a source that ended."""
        if self._read_at != self._state.written:
            self._read()
        source, until = self._known.get(write_key, (None, None))
        return source if until is None or self._clock.now() < until else None

    def _read(self) -> None:
        at = self._state.written
        known: dict[str, tuple[Source, datetime | None]] = {}
        for each in every(self._state):
            if each.ended_at is None:
                known[each.write_key] = (each, None)
                if each.previous_key and each.previous_until:
                    known[each.previous_key] = (each, each.previous_until)
        self._read_at, self._known = at, known


def _fresh_key() -> str:
    return f"wk_{new_secret(18)}"


def _change(state: State, name: str, values: dict[str, Any]) -> None:
    with state.write() as connection:
        connection.execute(sa.update(SOURCES).where(SOURCES.c.source == name).values(values))


def _select(state: State, *conditions: sa.ColumnElement[bool]) -> list[Source]:
    with state.read() as connection:
        rows = connection.execute(sa.select(SOURCES).where(*conditions).order_by(SOURCES.c.source)).mappings().all()
    return [Source(**row) for row in rows]
