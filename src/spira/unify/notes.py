"""Notes: what staff write down about a person, sealed, and gone with the person.

Reads   `notes`, `note_versions`, `note_mentions` (state), `identifiers`, `moved`
Writes  `notes` (state)           one row per note, under the HMAC of the identifier that was the profile
        `note_versions` (state)   what a note said before it was edited
        `note_mentions` (state)   which colleagues a note calls, and whether they have seen it

A note hangs on an identifier and not on a profile, so it goes with the person when profiles are
merged, and comes back when they are parted. Only its author edits it; its author, an administrator or a privacy
officer takes it back, and its earlier versions with it. Whoever sees the person may pin it. Erasing the person
takes them all. Every question names its viewer, whose people are the only ones there are.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Collection, Sequence
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
from spira.unify.subjects import IDS, OURS, by_keys

LONGEST = 2_000
SHOWN = 50
EVERY = 5_000  # as many of one person as a timeline goes back through
MOST_CALLED = 20  # colleagues that one note may call

NOTES = state_table(
    "notes",
    sa.Column("note_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("subject_key", sa.String(32), nullable=False, index=True),
    sa.Column("author", sa.String, nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("pinned_at", sa.DateTime, nullable=True),
    sa.Column("edited_at", sa.DateTime, nullable=True),
    stage="unify.notes",
    person="subject_key",
    holds="what staff wrote about a person, sealed",
)
NOTE_VERSIONS = state_table(
    "note_versions",
    sa.Column("version_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("note_id", sa.Integer, nullable=False, index=True),
    sa.Column("subject_key", sa.String(32), nullable=False, index=True),
    sa.Column("author", sa.String, nullable=False),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    stage="unify.notes",
    person="subject_key",
    holds="what notes about a person said before they were edited, sealed",
)
NOTE_MENTIONS = state_table(
    "note_mentions",
    sa.Column("note_id", sa.Integer, primary_key=True),
    sa.Column("staff_id", sa.String, primary_key=True, index=True),
    sa.Column("subject_key", sa.String(32), nullable=False, index=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("seen_at", sa.DateTime, nullable=True),
    stage="unify.notes",
    person="subject_key",
    holds="which colleagues a note about a person calls",
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
    pinned: bool = says("whether it stays on top")
    edited_at: datetime | None = says("when it was last edited")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a note said until it was edited."""

    at: datetime = says("until when")
    text: str = says("what it said")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A note that calls a colleague, and under whose identifier it lies."""

    note: Note = says("the note")
    subject_key: str = says("the HMAC of the identifier that it is about")
    seen_at: datetime | None = says("when they saw it")


def about(state: State, keys: Keys, warehouse: Warehouse, viewer: Viewer, *, profile_id: int) -> tuple[Note, ...]:
    """The notes about a person, those that are pinned first, then the latest; NotFound for one out of sight."""
    return under(state, keys, keys_of(warehouse, locate(warehouse, viewer, profile_id)))


def under(state: State, keys: Keys, owned: Sequence[str], *, most: int = SHOWN) -> tuple[Note, ...]:
    """The latest notes under the keys of a person's identifiers, for one who has seen to it that they may be shown."""
    rows: list[sa.Row[Any]] = []
    with state.read() as connection:
        for lot in in_parts(owned):
            mine = sa.select(NOTES).where(NOTES.c.subject_key.in_(lot))
            rows += connection.execute(mine.order_by(*_ORDER).limit(most)).all()
    newest = sorted(rows, key=lambda row: (row.pinned_at is not None, row.at, row.note_id), reverse=True)[:most]
    return tuple(_note(keys, row) for row in newest)


def write(
    state: State,
    keys: Keys,
    warehouse: Warehouse,
    viewer: Viewer,
    *,
    profile_id: int,
    text: str,
    at: datetime,
    calls: Collection[str] = (),
) -> int:
    """Keep a note about a person that calls some colleagues, by their ids; its number.

    BadNote for a text that is empty or too long.
    """
    text = _clean(text)
    profile = locate(warehouse, viewer, profile_id)
    key = warehouse.value(_OWN_KEY, {"profile": profile})
    if key is None:
        raise NotFound("this profile has no identifier to keep a note under", help="wait until one is known")
    row = {"subject_key": key, "author": viewer.staff_id, "at": at, "sealed": _seal(keys, key, viewer.staff_id, text)}
    with state.write() as connection:
        made = connection.execute(sa.insert(NOTES).values(**row))
        (number,) = made.inserted_primary_key or (0,)
        _call(connection, int(number), key, calls, but=viewer.staff_id, at=at)
    return int(number)


def edit(
    state: State,
    keys: Keys,
    warehouse: Warehouse,
    viewer: Viewer,
    *,
    profile_id: int,
    note_id: int,
    text: str,
    at: datetime,
    calls: Collection[str] = (),
) -> bool:
    """Let a note of one's own say something else, and keep what it said; whether it did."""
    text = _clean(text)
    owned = keys_of(warehouse, locate(warehouse, viewer, profile_id))
    with state.write() as connection:
        found = _found(connection, note_id, owned)
        if found.author != viewer.staff_id:
            raise NotAllowed("only its author edits a note", help="write a note of your own")
        if _note(keys, found).text == text:
            return False
        before = {name: getattr(found, name) for name in ("note_id", "subject_key", "author", "sealed")}
        connection.execute(sa.insert(NOTE_VERSIONS).values(**before, at=at))
        sealed = _seal(keys, found.subject_key, found.author, text)
        connection.execute(
            sa.update(NOTES).where(NOTES.c.note_id == note_id).values(sealed=sealed, edited_at=at),
        )
        _call(connection, note_id, found.subject_key, calls, but=viewer.staff_id, at=at)
    return True


def one(state: State, keys: Keys, warehouse: Warehouse, viewer: Viewer, *, profile_id: int, note_id: int) -> Note:
    """One note about a person."""
    owned = keys_of(warehouse, locate(warehouse, viewer, profile_id))
    with state.read() as connection:
        return _note(keys, _found(connection, note_id, owned))


def versions(
    state: State, keys: Keys, warehouse: Warehouse, viewer: Viewer, *, profile_id: int, note_id: int
) -> tuple[Version, ...]:
    """What a note said before, the latest first."""
    owned = keys_of(warehouse, locate(warehouse, viewer, profile_id))
    asked = sa.select(NOTE_VERSIONS).where(NOTE_VERSIONS.c.note_id == note_id)
    with state.read() as connection:
        _found(connection, note_id, owned)
        rows = connection.execute(asked.order_by(NOTE_VERSIONS.c.version_id.desc())).all()
    return tuple(Version(at=row.at, text=_open(keys, row)) for row in rows)


def pin(
    state: State, warehouse: Warehouse, viewer: Viewer, *, profile_id: int, note_id: int, at: datetime | None
) -> None:
    """Keep a note on top since `at`, or with None no longer."""
    owned = keys_of(warehouse, locate(warehouse, viewer, profile_id))
    with state.write() as connection:
        _found(connection, note_id, owned)
        connection.execute(sa.update(NOTES).where(NOTES.c.note_id == note_id).values(pinned_at=at))


def take_back(state: State, warehouse: Warehouse, viewer: Viewer, *, profile_id: int, note_id: int) -> None:
    """Delete a note and all that it ever said; NotAllowed for another's, NotFound for one not about the person."""
    owned = keys_of(warehouse, locate(warehouse, viewer, profile_id))
    with state.write() as connection:
        found = _found(connection, note_id, owned)
        if not may_take_back(viewer, found.author):
            raise NotAllowed("only its author takes a note back", help="write a note of your own")
        for each in (NOTES, NOTE_VERSIONS, NOTE_MENTIONS):
            connection.execute(sa.delete(each).where(each.c.note_id == note_id))
    state.settle()


def may_take_back(viewer: Viewer, author: str) -> bool:
    """Whether `viewer` may delete a note of `author`'s."""
    return author == viewer.staff_id or viewer.has("administrator", "privacy_officer")


def calls_of(state: State, keys: Keys, staff_id: str, *, unseen: bool = False) -> tuple[Call, ...]:
    """The notes that call a colleague, the latest first; whom each is about is for people's own rules to show."""
    asked = sa.select(NOTES, NOTE_MENTIONS.c.seen_at, NOTE_MENTIONS.c.at.label("called_at"))
    asked = asked.join(NOTE_MENTIONS, NOTE_MENTIONS.c.note_id == NOTES.c.note_id)
    asked = asked.where(NOTE_MENTIONS.c.staff_id == staff_id)
    if unseen:
        asked = asked.where(NOTE_MENTIONS.c.seen_at.is_(None))
    with state.read() as connection:
        rows = connection.execute(asked.order_by(NOTE_MENTIONS.c.at.desc(), NOTES.c.note_id.desc()).limit(SHOWN)).all()
    return tuple(Call(note=_note(keys, row), subject_key=row.subject_key, seen_at=row.seen_at) for row in rows)


def waiting(state: State, staff_id: str) -> int:
    """How many notes call a colleague that they have not seen."""
    asked = sa.select(sa.func.count()).where(NOTE_MENTIONS.c.staff_id == staff_id, NOTE_MENTIONS.c.seen_at.is_(None))
    with state.read() as connection:
        return int(connection.execute(asked).scalar_one())


def owners(warehouse: Warehouse, owned: Sequence[str]) -> dict[str, int]:
    """Whose each HMAC of an identifier is today, by profile; those that nobody has are left out."""
    return dict(warehouse.query(_OWNERS, by_keys(owned))) if owned else {}


def seen(state: State, staff_id: str, note_ids: Collection[int], *, at: datetime) -> int:
    """A colleague has seen these notes; how many they had not before."""
    mine = (NOTE_MENTIONS.c.staff_id == staff_id, NOTE_MENTIONS.c.seen_at.is_(None))
    with state.write() as connection:
        chosen = sa.update(NOTE_MENTIONS).where(*mine, NOTE_MENTIONS.c.note_id.in_([*note_ids]))
        return int(connection.execute(chosen.values(seen_at=at)).rowcount)


def _call(connection: sa.Connection, note_id: int, key: str, calls: Collection[str], *, but: str, at: datetime) -> None:
    """Call those who were not called by this note before; who is named no longer stays called."""
    known = set(
        connection.execute(sa.select(NOTE_MENTIONS.c.staff_id).where(NOTE_MENTIONS.c.note_id == note_id)).scalars()
    )
    fresh = sorted(set(calls) - known - {but})[:MOST_CALLED]
    if fresh:
        rows = [{"note_id": note_id, "staff_id": each, "subject_key": key, "at": at} for each in fresh]
        connection.execute(sa.insert(NOTE_MENTIONS), rows)


def _found(connection: sa.Connection, note_id: int, owned: Collection[str]) -> sa.Row[Any]:
    found = connection.execute(sa.select(NOTES).where(NOTES.c.note_id == note_id)).one_or_none()
    if found is None or found.subject_key not in owned:
        raise NotFound("there is no such note about this person", help="look at the person again")
    return found


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text or len(text) > LONGEST:
        raise BadNote(f"a note has between 1 and {LONGEST:,} characters", help="write a shorter one")
    return text


def _note(keys: Keys, row: sa.Row[Any]) -> Note:
    return Note(
        note_id=row.note_id,
        author=row.author,
        at=row.at,
        text=_open(keys, row),
        pinned=row.pinned_at is not None,
        edited_at=row.edited_at,
    )


def _open(keys: Keys, row: sa.Row[Any]) -> str:
    return sealing.unseal(keys, row.sealed, context=_context(row.subject_key, row.author)).decode()


def _seal(keys: Keys, key: str, author: str, text: str) -> bytes:
    return sealing.seal(keys, text.encode(), context=_context(key, author))


def keys_of(warehouse: Warehouse, profile: int) -> Sequence[str]:
    """The HMACs of a person's identifiers, under which notes lie."""
    return [key for (key,) in warehouse.query(_KEYS, {"profile": profile})]


def _context(key: str, author: str) -> bytes:
    return f"note:{key}:{author}".encode()


_ORDER = (NOTES.c.pinned_at.is_(None), NOTES.c.note_id.desc())
_OWN_KEY = "select subject_key from identifiers where subject_id = $profile"
_OWNERS = f"""
with {IDS}
select subject_key, coalesce(moved.profile_id, ids.subject_id) from ids left join moved using (subject_id)
"""
_KEYS = f"""
with {OURS}
select subject_key from identifiers where subject_id in (select subject_id from ours) order by subject_key
"""


for _table in (NOTES, NOTE_VERSIONS):
    sealed_column(_table, "sealed", lambda row: _context(row["subject_key"], row["author"]))
