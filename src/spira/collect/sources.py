"""Sources: the pipes that events come through, each with its write key.

Reads   `sources`   (state)
Writes  `sources`   one row per source; write keys are shown when made, and to those who may see sources

A source says where its events happen (touchpoint), whether that is a public place or the
brand's own (domain), and how far its traits are to be believed (priority: the higher wins).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from spira.collect.envelope import OWN_SOURCE
from spira.kernel.clock import Clock
from spira.kernel.errors import Conflict, SpiraError
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
    stage="collect.sources",
)
_NAME = re.compile(r"\w[\w .-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source."""

    source: str
    write_key: str
    touchpoint: str | None = None
    domain: str | None = None
    priority: int = 0


def add(state: State, clock: Clock, name: str, **what: Any) -> Source:
    """Make a source with a fresh write key; `what` may give `touchpoint`, `domain` and `priority`."""
    if not _NAME.fullmatch(name) or name == OWN_SOURCE:
        raise SpiraError(f"`{name}` can't be the name of a source", help="use letters, digits, spaces, `_`, `-`, `.`")
    made = Source(source=name, write_key=f"wk_{new_secret(18)}", **what)
    row = {
        "source": made.source,
        "write_key": made.write_key,
        "created_at": clock.now(),
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


def every(state: State) -> list[Source]:
    """All sources, by name."""
    with state.read() as connection:
        rows = connection.execute(sa.select(SOURCES).order_by(SOURCES.c.source)).all()
    return [
        Source(
            source=row.source,
            write_key=row.write_key,
            touchpoint=row.touchpoint,
            domain=row.domain,
            priority=row.priority,
        )
        for row in rows
    ]


class WriteKeys:
    """Sources by write key, remembered; a key that is not known is looked up anew, so a new source works at once."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._known: dict[str, Source] = {}

    def source_of(self, write_key: str) -> Source | None:
        """The source that this key belongs to, or None."""
        found = self._known.get(write_key)
        if found is None and write_key:
            self._known = {each.write_key: each for each in every(self._state)}
            found = self._known.get(write_key)
        return found
