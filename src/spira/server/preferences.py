"""Preferences: how a member of staff likes the console to be, one value by name, wherever they sign in.

Reads   `preferences` (state)
Writes  `preferences` (state)   one row for each staff member and name

A preference changes what is drawn and never what may be seen. One that was never chosen, or was
given up, is not there: whoever asks has a default of their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from spira.server.errors import Unacceptable
from spira.storage.state import State, state_table

LONGEST = 4_000

PREFERENCES = state_table(
    "preferences",
    sa.Column("staff_id", sa.String, primary_key=True),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("changed_at", sa.DateTime, nullable=False),
    stage="server.preferences",
)


def names_in(state: State, staff_id: str, name: str) -> tuple[str, ...] | None:
    """The names that somebody chose under a preference, in their order; None when they never did."""
    own = (PREFERENCES.c.staff_id == staff_id) & (PREFERENCES.c.name == name)
    with state.read() as connection:
        told = connection.execute(sa.select(PREFERENCES.c.value).where(own)).scalar_one_or_none()
    return None if told is None else _read(told)


def keep_names(state: State, staff_id: str, name: str, chosen: Sequence[str], *, at: datetime) -> None:
    """Keep the names that somebody chose in place of those before; Unacceptable for more than is sensible."""
    value = json.dumps(list(dict.fromkeys(chosen)), ensure_ascii=False, separators=(",", ":"))
    if len(value) > LONGEST:
        raise Unacceptable("that is too much to remember", help="choose fewer")
    row = {"staff_id": staff_id, "name": name, "value": value, "changed_at": at}
    with state.write() as connection:
        connection.execute(_own(staff_id, name))
        connection.execute(sa.insert(PREFERENCES).values(row))


def forget(state: State, staff_id: str, name: str | None = None) -> None:
    """Give up one preference of somebody, or all of them."""
    with state.write() as connection:
        connection.execute(_own(staff_id, name))


def _own(staff_id: str, name: str | None) -> sa.Delete:
    mine = sa.delete(PREFERENCES).where(PREFERENCES.c.staff_id == staff_id)
    return mine if name is None else mine.where(PREFERENCES.c.name == name)


def _read(told: str) -> tuple[str, ...] | None:
    """What was kept; None for what nobody can read any more, which is as if it had never been."""
    try:
        found = json.loads(told)
    except ValueError:
        return None
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else None
