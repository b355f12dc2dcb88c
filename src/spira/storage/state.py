"""The state: what people edit, and the vault, in SQLite or PostgreSQL through SQLAlchemy Core.

Each package declares its tables with `state_table`, which puts them into one `METADATA` and
into the registry that erase and the data map read. A `State` is shared by all threads; every
use borrows a connection for one transaction. A write takes the database's one write lock at
its beginning, so it never fails half-way for having read too early.

Instants are naive UTC `DateTime`; statements stay inside what both databases do alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import ConnectionPoolEntry

from spira.kernel.errors import StorageDamaged
from spira.storage import tables

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# How many keys go into one `in (…)`: SQLite binds 32,766 values, PostgreSQL 65,535.
KEYS_A_STATEMENT = 10_000
_WRITES = "spira_writes"
_PRAGMAS = (
    "pragma busy_timeout = 10000",
    "pragma journal_mode = wal",
    "pragma synchronous = full",
    "pragma foreign_keys = on",
    "pragma secure_delete = on",
)


def state_table(
    name: str,
    *parts: sa.Column[Any] | sa.Constraint | sa.Index,
    stage: str,
    person: tables.Person | None = None,
    holds: str = "",
) -> sa.Table:
    """Declare a table of the state: its columns and constraints, who writes it, and how it is bound to people."""
    made = sa.Table(name, METADATA, *parts)
    tables.table(
        tables.Table(
            name=name,
            store="state",
            stage=stage,
            columns=tuple(
                tables.Column(name=each.name, type=str(each.type), required=not each.nullable) for each in made.columns
            ),
            key=tuple(each.name for each in made.primary_key),
            person=person,
            holds=holds,
        )
    )
    return made


class State:
    """The database of the state. Close it, or use it as a context manager."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._numbers = count(1)
        self.written = 0  # another number after each write, for those who remember what they read

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees one moment; nothing it does is kept."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A connection whose changes are kept together at the end, or not at all."""
        with self.engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
            yield connection
        self.written = next(self._numbers)

    def changed_elsewhere(self) -> None:
        """Another process may have written: whoever remembers what it read reads again."""
        self.written = next(self._numbers)

    def settle(self) -> None:
        """Move SQLite's write-ahead log into its file and empty it, so that nothing deleted lingers there."""
        if self.is_sqlite:
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("pragma wal_checkpoint(truncate)").all()

    def close(self) -> None:
        """Give up all connections."""
        self.engine.dispose()

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_state(where: Path | str) -> State:
    """Open the state at a file's path or a database's URL, and bring its tables up to date.

    StorageDamaged says why it can't be opened. Every package that declares tables is imported before.
    """
    from spira.storage.migrations.state import prepare

    state = State(open_engine(where))
    try:
        prepare(state)
    except sa.exc.DBAPIError as fault:
        state.close()
        raise StorageDamaged(
            f"the state {state.engine.url!r} can't be opened: {fault.orig}",
            help="see that the file or the database server can be reached; if it is damaged, `spira restore` a backup",
        ) from fault
    except BaseException:
        state.close()
        raise
    return state


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    replace: Sequence[str] | None = None,
) -> None:
    """Insert rows; where the primary key is taken, replace the named columns (all others by default, none with ())."""
    if not rows:
        return
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    key = [each.name for each in table.primary_key]
    statement = insert(table)
    changed = [each for each in rows[0] if each not in key] if replace is None else list(replace)
    if changed:
        fresh = {name: statement.excluded[name] for name in changed}
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=fresh), list(rows))
    else:
        connection.execute(statement.on_conflict_do_nothing(index_elements=key), list(rows))


def in_parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """Keys in lots small enough for one statement."""
    for start in range(0, len(keys), KEYS_A_STATEMENT):
        yield keys[start : start + KEYS_A_STATEMENT]


def open_engine(where: Path | str) -> sa.Engine:
    """An engine whose SQLite connections are durable and begin their transactions themselves."""
    if isinstance(where, str) and "://" in where:
        engine = sa.create_engine(where, hide_parameters=True)
    else:
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(where)), pool_size=8, max_overflow=24, hide_parameters=True
        )
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_connection)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: Any, _: ConnectionPoolEntry) -> None:
    """SQLite's own way of beginning transactions is switched off; `_begin` does it."""
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("begin immediate" if connection.get_execution_options().get(_WRITES) else "begin")
