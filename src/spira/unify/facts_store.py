"""The store of facts: a copy of what `unify.facts` tells of each person, to be found in microseconds.

Reads and writes the file `data/facts.sqlite`:

    people   the facts of each profile, as JSON, and the unit it belongs to
    keys     the profile of each identifier, by the identifier's HMAC
    moved    the profile that another one was merged into
    standing which writing of the copy this is, the instant it speaks of, and the names of the tags in their order

It is a copy and never the truth: `segment.facts_copy` makes it from the warehouse and follows it there, and
makes all of it anew when it is missing or is not the one that the warehouse remembers having made. Nothing sealed
is in it. Erasing takes a person out before anything else is erased, and what is deleted is overwritten.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

Person = tuple[int, int | None, str]  # profile, unit, facts


class Standing(NamedTuple):
    """Which writing the copy is, the one before it, the instant that it speaks of, and the tags in their order."""

    stamp: str
    before: str
    as_of: datetime
    tags: tuple[str, ...]


class Copied(NamedTuple):
    """One person as they lie in the copy."""

    profile: int
    unit: int | None
    facts: str
    standing: Standing


class FactsStore:
    """The file, open. Close it, or use it as a context manager.

    One connection writes, and one reads what was committed; each is used by one thread at a time.
    `usable` says whether answers may come from it: someone who knows the warehouse sets it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._standing: Standing | None = None
        self.usable = False
        _remove(self._aside)
        try:
            if path.is_file():
                self._open()
        except sqlite3.DatabaseError:  # a damaged one is as good as none, and made anew
            self._shut()
            _remove(path)

    @property
    def standing(self) -> Standing | None:
        """Which writing this is; None when there is no copy."""
        return self._standing

    def of_key(self, key: str) -> Copied | None:
        """The facts of whoever has an identifier, by its HMAC."""
        return self._one(_OF_KEY, bytes.fromhex(key))

    def person(self, profile: int) -> Copied | None:
        """One person's facts; those of a profile that was merged away are the ones of whom it became a part."""
        return self._one(_PERSON, profile) or self._one(_MERGED, profile)

    @contextmanager
    def anew(self, standing: Standing) -> Iterator[Filling]:
        """Fill a new file, which takes the place of the one there is when all of it is on the disk."""
        aside = self._aside
        _remove(aside)
        with closing(sqlite3.connect(aside, isolation_level=None)) as connection:
            aside.chmod(0o600)
            for setting in ("journal_mode = off", "synchronous = off", "secure_delete = on"):
                connection.execute(f"pragma {setting}").fetchall()
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute("begin")
            yield Filling(connection)
            _stand(connection, standing)
            connection.execute("commit")
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        with self._lock:
            self._shut()
            _remove(self._path)
            aside.rename(self._path)
            self._open()

    @contextmanager
    def more(self, standing: Standing) -> Iterator[Filling]:
        """Write over the rows of some people, in one transaction."""
        connection = self._connection()
        connection.execute("begin immediate")
        try:
            yield Filling(connection)
            _stand(connection, standing)
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")
        self._standing = standing

    def forget(self, keys: Sequence[str], subjects: Iterable[int]) -> int:
        """Take people out at once, by the HMACs of their identifiers and their numbers; how many rows went."""
        if self._writer is None:
            return 0
        gone, connection = 0, self._writer
        connection.execute("begin immediate")
        for key in keys:
            gone += connection.execute("delete from keys where key = ?", (bytes.fromhex(key),)).rowcount
        for number in subjects:
            gone += connection.execute("delete from people where profile = ?", (number,)).rowcount
            gone += connection.execute("delete from moved where subject = ?", (number,)).rowcount
        connection.execute("commit")
        connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        return gone

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._shut()

    def __enter__(self) -> FactsStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connection(self) -> sqlite3.Connection:
        if self._writer is None:
            raise RuntimeError("there is no copy of the facts to add to")
        return self._writer

    @property
    def _aside(self) -> Path:
        return self._path.with_name(self._path.name + ".next")

    def _one(self, sql: str, value: object) -> Copied | None:
        with self._lock:
            standing = self._standing
            if self._reader is None or standing is None:
                return None
            found = self._reader.execute(sql, (value,)).fetchone()
        if found is None:
            return None
        profile, unit, facts = found
        return Copied(profile, unit, facts, standing)

    def _open(self) -> None:
        self._writer, self._reader = _connect(self._path), _connect(self._path)
        row: tuple[Any, ...] = self._reader.execute("select stamp, before, as_of, tags from standing").fetchone()
        tags = msgspec.json.decode(row[3], type=tuple[str, ...])
        self._standing = Standing(row[0], row[1], datetime.fromisoformat(row[2]), tags)

    def _shut(self) -> None:
        self._standing = None
        for each in (self._reader, self._writer):
            if each is not None:
                each.close()
        self._reader = self._writer = None


class Filling:
    """Rows on their way into the copy."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def people(self, rows: Iterable[Person]) -> None:
        """These are the facts of these people."""
        self._connection.executemany("insert or replace into people values (?, ?, ?)", rows)

    def keys(self, rows: Iterable[tuple[bytes, int]]) -> None:
        """These HMACs are these profiles'."""
        self._connection.executemany("insert or replace into keys values (?, ?)", rows)

    def moved(self, rows: Iterable[tuple[int, int]]) -> None:
        """These profiles became a part of those."""
        self._connection.executemany("insert or replace into moved values (?, ?)", rows)

    def gone(self, profiles: Iterable[tuple[int]]) -> None:
        """There are no facts of these profiles any more."""
        self._connection.executemany("delete from people where profile = ?", profiles)

    def stayed(self, profiles: Iterable[tuple[int]]) -> list[int]:
        """These profiles are a part of no other; those that were until now."""
        parting = "delete from moved where subject = ?"
        return [number for (number,) in profiles if self._connection.execute(parting, (number,)).rowcount]


def _connect(path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    for setting in ("journal_mode = wal", "synchronous = full", "secure_delete = on", "mmap_size = 1073741824"):
        made.execute(f"pragma {setting}").fetchall()
    return made


def _stand(connection: sqlite3.Connection, standing: Standing) -> None:
    connection.execute("delete from standing")
    row = (standing.stamp, standing.before, standing.as_of.isoformat(), msgspec.json.encode(standing.tags).decode())
    connection.execute("insert into standing values (?, ?, ?, ?)", row)


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


_TABLES = (
    "create table people (profile integer primary key, unit integer, facts text not null)",
    "create table keys (key blob primary key, profile integer not null) without rowid",
    "create table moved (subject integer primary key, profile integer not null)",
    "create table standing (stamp text not null, before text not null, as_of text not null, tags text not null)",
)
_OF_KEY = "select profile, unit, facts from people where profile = (select profile from keys where key = ?)"
_PERSON = "select profile, unit, facts from people where profile = ?"
_MERGED = "select profile, unit, facts from people where profile = (select profile from moved where subject = ?)"
