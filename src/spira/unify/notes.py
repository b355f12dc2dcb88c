"""Notes: what staff write down about a person, sealed, and gone with the person.

Reads   `notes` (state), `identifiers`, `moved`
Writes  `notes` (state)   one row per note, under the HMAC of the identifier that was the profile

A note hangs on an identifier and not on a profile, so it goes with the person when profiles are
merged, and comes back when they are parted. Only its author takes a note back; erasing the person
takes them all. Every question names its viewer, whose people are the only ones there are.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from spira.kernel.errors import NotAllowed, NotFound, SpiraError
from spira.kernel.viewer import Viewer
from spira.storage import sealing
from spira.storage.keys import Keys
from spira.storage.resealing import sealed_column
from spira.storage.state import State, in_parts, state_table
from spira.storage.warehouse import Warehouse
from spira.unify.people import locate
from spira.unify.portrait import says
from spira.unify.subjects import OURS

LONGEST = 2_000
SHOWN = 50

NOTES = state_table(
    "notes",
    sa.Column("note_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("subject_key", sa.String(32), nullable=False, index=True),
    sa.Column("author", sa.String, nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    stage="unify.notes",
    person="subject_key",
    holds="what staff wrote about a person, sealed",
)


class BadNote(SpiraError):
    """A note without text, or longer than notes are."""

    code = "E007"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note about a person."""

    note_id: int = says("its number")
    author: str = says("who wrote it, by the id of staff")
    at: datetime = says("when")
    text: str = says("what they wrote")


def about(state: State, keys: Keys, warehouse: Warehouse, viewer: Viewer, *, profile_id: int) -> tuple[Note, ...]:
    """The latest notes about a person, newest first; NotFound for one whom the viewer may not see."""
    return under(state, keys, _keys_of(warehouse, locate(warehouse, viewer, profile_id)))


def under(state: State, keys: Keys, owned: Sequence[str]) -> tuple[Note, ...]:
    """The latest notes under the keys of a person's identifiers, for one who has seen to it that they may be shown."""
    rows: list[sa.Row[Any]] = []
    with state.read() as connection:
        for lot in in_parts(owned):
            mine = sa.select(NOTES).where(NOTES.c.subject_key.in_(lot))
            rows += connection.execute(mine.order_by(NOTES.c.note_id.desc()).limit(SHOWN)).all()
    newest = sorted(rows, key=lambda row: (row.at, row.note_id), reverse=True)[:SHOWN]
    return tuple(
        Note(
            note_id=row.note_id,
            author=row.author,
            at=row.at,
            text=sealing.unseal(keys, row.sealed, context=_context(row.subject_key, row.author)).decode(),
        )
        for row in newest
    )


def write(
    state: State, keys: Keys, warehouse: Warehouse, viewer: Viewer, *, profile_id: int, text: str, at: datetime
) -> int:
    """Keep a note about a person; its number. BadNote for a text that is empty or too long."""
    text = text.replace("\r\n", "\n").strip()
    if not text or len(text) > LONGEST:
        raise BadNote(f"a note has between 1 and {LONGEST:,} characters", help="write a shorter one")
    profile = locate(warehouse, viewer, profile_id)
    key = warehouse.value(_OWN_KEY, {"profile": profile})
    if key is None:
        raise NotFound("this profile has no identifier to keep a note under", help="wait until one is known")
    row = {
        "subject_key": key,
        "author": viewer.staff_id,
        "at": at,
        "sealed": sealing.seal(keys, text.encode(), context=_context(key, viewer.staff_id)),
    }
    with state.write() as connection:
        made = connection.execute(sa.insert(NOTES).values(**row))
    (number,) = made.inserted_primary_key or (0,)
    return int(number)


def take_back(state: State, warehouse: Warehouse, viewer: Viewer, *, profile_id: int, note_id: int) -> None:
    """Delete a note of one's own; NotAllowed for another's, NotFound for one that is not about the person."""
    owned = _keys_of(warehouse, locate(warehouse, viewer, profile_id))
    with state.write() as connection:
        found = connection.execute(sa.select(NOTES).where(NOTES.c.note_id == note_id)).one_or_none()
        if found is None or found.subject_key not in owned:
            raise NotFound("there is no such note about this person", help="look at the person again")
        if found.author != viewer.staff_id:
            raise NotAllowed("only its author takes a note back", help="write a note of your own")
        connection.execute(sa.delete(NOTES).where(NOTES.c.note_id == note_id))
    state.settle()


def _keys_of(warehouse: Warehouse, profile: int) -> Sequence[str]:
    return [key for (key,) in warehouse.query(_KEYS, {"profile": profile})]


def _context(key: str, author: str) -> bytes:
    return f"note:{key}:{author}".encode()


_OWN_KEY = "select subject_key from identifiers where subject_id = $profile"
_KEYS = f"""
with {OURS}
select subject_key from identifiers where subject_id in (select subject_id from ours) order by subject_key
"""


sealed_column(NOTES, "sealed", lambda row: _context(row["subject_key"], row["author"]))
