"""The warehouse: everything derived and large, in one DuckDB file that one process owns.

A `Warehouse` is a lane: one cursor, used by one thread at a time. Lanes of the same file see
each other's commits; appends never conflict, and each table has one writing stage. Results
are read whole before a method returns, so that no open result holds a lane.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from spira.kernel.errors import StorageDamaged
from spira.kernel.priority import giving_way
from spira.storage import ddl

Params = Mapping[str, Any] | Sequence[Any] | None
Row = tuple[Any, ...]
MEMORY = ":memory:"
THREADS = 0  # of a file that is opened without saying how many; 0 means one a core
_Tables = Mapping[str, dict[str, str]]  # the columns of each table or view with their types, in order


class _Shapes:
    """What columns the tables of a file have, known to all its lanes until one changes the shape of any table.

    Asking the catalogue takes milliseconds, for one table as for all. `age` counts up when a statement that shapes a
    table has run, and again when its transaction is committed; an answer counts for the age before it was asked for.
    """

    def __init__(self) -> None:
        self.age = 0
        self._known: tuple[int, _Tables] = (-1, {})
        self._changing = threading.Lock()

    def change(self) -> None:
        with self._changing:
            self.age += 1

    def get(self) -> _Tables | None:
        age, known = self._known
        return known if age == self.age else None

    def keep(self, age: int, tables: _Tables) -> None:
        self._known = (age, tables)


class Warehouse:
    """One lane to the warehouse file. Close it, or use it as a context manager."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, shapes: _Shapes | None = None) -> None:
        self._connection = connection
        self._in_transaction = False
        self._shapes = shapes or _Shapes()
        self._has_shaped = False  # within the transaction in hand, which the other lanes don't see yet
        self._own: _Tables | None = None  # the tables as that transaction sees them, once it was asked
        self._filled, self._hollow = set[str](), set[str]()  # within the transaction: see `_mend`

    def lane(self) -> Warehouse:
        """Another lane to the same file, for another thread."""
        cursor = self._connection.cursor()
        cursor.execute("set TimeZone = 'UTC'").fetchall()
        cursor.execute("set enable_progress_bar = false").fetchall()
        return Warehouse(cursor, self._shapes)

    def query(self, sql: str, params: Params = None) -> list[Row]:
        """All rows of a statement."""
        return self._run(sql, params).fetchall()

    def rows(self, sql: str, params: Params = None) -> list[dict[str, Any]]:
        """All rows of a statement, by column name."""
        result = self._run(sql, params)
        titles = [each[0] for each in result.description or ()]
        return [dict(zip(titles, row, strict=True)) for row in result.fetchall()]

    def one(self, sql: str, params: Params = None) -> Row | None:
        """The first row of a statement, or None."""
        return next(iter(self.query(sql, params)), None)

    def value(self, sql: str, params: Params = None) -> Any:
        """The first column of the first row, or None."""
        row = self.one(sql, params)
        return row[0] if row else None

    def execute(self, sql: str, params: Params = None) -> int:
        """Run a statement for its effect; the number of rows it changed, where the engine says so."""
        adding = _ADDING.match(sql) if self._in_transaction else None
        table = adding["table"].strip('"') if adding else ""
        if adding and adding["into"] and table in self._hollow:
            self._mend(table)
        rows = self._run(sql, params).fetchall()
        counted = len(rows) == 1 and len(rows[0]) == 1 and isinstance(rows[0][0], int)
        changed = int(rows[0][0]) if counted else 0
        if adding:
            self._note_added(table, made=not adding["into"], rows=changed if counted else None)
        return changed

    def arrow(self, sql: str, params: Params = None) -> pa.Table:
        """All rows of a query as an Arrow table."""
        return self._connection.sql(sql, params=params).to_arrow_table()

    def append(self, table: str, rows: pa.Table) -> int:
        """Add the rows of an Arrow table, columns matched by name; how many there were."""
        with self.registered("incoming_rows", rows):
            self.execute(ddl.insert_by_name(table, "incoming_rows"))
        return int(rows.num_rows)

    @contextmanager
    def registered(self, name: str, rows: pa.Table) -> Iterator[None]:
        """Let statements read an Arrow table under `name` for a while.

        When a statement has failed within a transaction the name can't be given back; the
        failure is what is raised, and registering the name again takes it over.
        """
        self._connection.register(name, rows)
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):
                self._connection.unregister(name)
            raise
        self._connection.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; within another transaction it is part of that one."""
        if self._in_transaction:
            yield
            return
        self.execute("begin transaction")
        self._in_transaction, self._own, self._filled, self._hollow = True, None, set(), set()
        try:
            yield
        except BaseException:
            self._in_transaction, self._has_shaped, self._own = False, False, None
            self._connection.execute("rollback").fetchall()
            raise
        self._in_transaction, self._own = False, None
        self.execute("commit")
        if self._has_shaped:
            self._has_shaped = False
            self._shapes.change()

    def columns(self, table: str) -> dict[str, str]:
        """The columns of a table or view with their types, in order; empty when it does not exist."""
        return dict(self._tables().get(table, {}))

    def shapes(self) -> dict[str, dict[str, str]]:
        """The columns of every table and view with their types, as `columns` says them of one."""
        return {table: dict(columns) for table, columns in self._tables().items()}

    def _tables(self) -> _Tables:
        known = self._own if self._has_shaped else self._own or self._shapes.get()
        if known is not None:
            return known
        age, found = self._shapes.age, dict[str, dict[str, str]]()
        for table, column, kind in self.query(_COLUMNS):
            found.setdefault(table, {})[column] = kind
        if self._in_transaction:  # one that was begun earlier may see older shapes
            self._own = found
        else:
            self._shapes.keep(age, found)
        return found

    def _run(self, sql: str, params: Params) -> duckdb.DuckDBPyConnection:
        result = self._connection.execute(sql, params)
        if _SHAPING.match(sql):
            self._has_shaped, self._own = self._in_transaction, None
            self._shapes.change()
        return result

    def _note_added(self, table: str, *, made: bool, rows: int | None) -> None:
        """What a statement has brought into a table, which it may have `made`; `rows` is None where none were meant."""
        if made:
            self._filled.discard(table)
            self._hollow.discard(table)
        if rows:
            self._filled.add(table)
        elif rows == 0 and table not in self._filled:
            self._hollow.add(table)

    def _mend(self, table: str) -> None:
        """Put a row into a table, into which the transaction has inserted none so far, and take it out again.

        DuckDB 2.0.0 has a fault: where a transaction's first insert into a table brought no rows (`create table as`
        counts as one), a later one of a row group or more is seen by no statement until the next checkpoint.
        After a row that came any other way it is seen. `test_warehouse.py` tells when the engine is mended.
        """
        known = self._connection.execute(_REQUIRED, {"name": table}).fetchall()
        filled = ", ".join(f"{ddl.quote(name)}" for name, _ in known)
        values = ", ".join(f"{_ANYTHING.get(kind, '0')}::{kind}" for _, kind in known)
        what = f"({filled}) values ({values})" if known else "default values"
        self._connection.execute(f"insert into {ddl.quote(table)} {what}").fetchall()
        self._hollow.discard(table)
        self._filled.add(table)
        self._connection.execute(f"delete from {ddl.quote(table)} where rowid >= {_UNCOMMITTED}").fetchall()

    def interrupt(self) -> None:
        """Stop the statement that another thread runs on this lane."""
        self._connection.interrupt()

    def is_usable(self) -> bool:
        """Whether statements run at all; after a fatal error DuckDB refuses them until the file is opened anew."""
        try:
            self.execute("select 1")
        except duckdb.Error:
            return False
        return True

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file."""
        self.execute("checkpoint")

    def close(self) -> None:
        """Give the lane back; the last one to close closes the file."""
        self._connection.close()

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_warehouse(path: Path | str = MEMORY, *, memory: str = "4GB", threads: int = 0) -> Warehouse:
    """Open or make the file. StorageDamaged says why it can't be opened; nothing is repaired silently."""
    config: dict[str, Any] = {
        "memory_limit": memory,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "wal_autocheckpoint": "256MB",
    }
    if threads or THREADS:
        config["threads"] = threads or THREADS
    try:
        connection = giving_way(lambda: duckdb.connect(str(path), config=config))  # the engine's threads help turns
        connection.execute("set TimeZone = 'UTC'").fetchall()
        connection.execute("set enable_progress_bar = false").fetchall()
    except duckdb.Error as fault:
        raise StorageDamaged(
            f"the warehouse {path} can't be opened: {fault}",
            help="stop the program that holds it; if the file is damaged, restore a backup with `spira restore`",
        ) from fault
    return Warehouse(connection)


# What changes the columns of a table that lasts. Views follow their tables, and temporary ones are not asked for.
_SHAPING = re.compile(r"\s*(?:alter|drop|create\s+(?!(?:or\s+replace\s+)?temp))", re.IGNORECASE)
# What brings rows into a table: `into` where it was there before, else it is made with them.
_ADDING = re.compile(
    r"\s*(?:(?P<into>insert\s+into)|create\s+(?:or\s+replace\s+)?(?:temp\s+|temporary\s+)?table"
    r"(?:\s+if\s+not\s+exists)?)\s+(?P<table>\"[^\"]+\"|\w+)",
    re.IGNORECASE,
)
_REQUIRED = 'select name, type from pragma_table_info($name) where "notnull" order by cid'
_ANYTHING = {"VARCHAR": "''", "TIMESTAMP": "'epoch'", "DATE": "'epoch'", "BOOLEAN": "false"}
_UNCOMMITTED = 36_028_797_018_960_000  # rows of a transaction in hand have numbers from here on
_COLUMNS = """
select table_name, column_name, data_type from duckdb_columns()
where database_name = current_database() and schema_name = current_schema()
order by table_name, column_index
"""
