"""SQL: a table, or what a statement selects, of any database that SQLAlchemy reaches.

kind: sql
url: postgresql+psycopg://reader@db.example/shop
password: env:SHOP_DB_PASSWORD
table: orders                  # or statement: select … from …
cursor: updated_at             # read only what is new by this column
overlap: 10 minutes            # and read so much again, for rows that were committed late

With a cursor column each run goes on where the last one stopped: rows are read in its order, from
the last value on. Rows that have that same value and were read already are known by their hash
and left out; one that came later with the same value is read. Rows whose cursor column is empty
are not read. Without a cursor every run reads everything; message ids see to it that nothing
counts twice. The transaction is given back unfinished, so that nothing is changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from spira.collect.connectors.base import BATCH_ROWS, Connector, OutOfReach, Part, Rows, Unreadable, connector
from spira.collect.connectors.files import column_names
from spira.kernel.durations import parse_duration
from spira.kernel.settings import secret

MOST_TIES = 100_000  # hashes of rows with one and the same cursor that are remembered
_DRIVERS = {"psycopg": "psycopg[binary]", "psycopg2": "psycopg2-binary", "pymysql": "pymysql", "MySQLdb": "mysqlclient"}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """How far a table was read: the rows so far, the last value of the cursor column, its kind, and the hashes of
    the rows that have it."""

    rows: int = 0
    kind: str = ""
    value: str = ""
    seen: list[str] = []


@connector("sql")
@dataclass(frozen=True, slots=True, kw_only=True)
class Sql(Connector):
    """One table or statement."""

    url: str
    table: str = ""
    statement: str = ""
    cursor: str = ""
    overlap: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if bool(self.table) == bool(self.statement):
            raise ValueError("write either `table` or `statement`")
        if self.overlap:
            parse_duration(self.overlap)
            if not self.cursor:
                raise ValueError("`overlap` needs a `cursor`")
        if not self.url.startswith("env:"):
            try:
                sa.make_url(self.url)
            except sa.exc.ArgumentError:
                raise ValueError("`url` is no database's URL; write as in postgresql+psycopg://host/name") from None

    def parts(self) -> Sequence[Part]:
        """The table, which grows where it has a cursor."""
        return (Part(name=self.table or "statement", mark=self._what(), grows=bool(self.cursor)),)

    def identity(self, part: Part) -> str:  # noqa: ARG002  (there is one part)
        """The database without its secrets, and what is selected of it."""
        return self._what()

    def read(self, part: Part, after: str = "") -> Iterator[Rows]:  # noqa: ARG002
        """The rows in the order of the cursor column, from the last value on; without one all of them."""
        place = msgspec.json.decode(after, type=Place) if after else Place()
        try:
            engine = sa.create_engine(self._url(), hide_parameters=True)
        except ModuleNotFoundError as missing:
            package = _DRIVERS.get(missing.name or "", missing.name)
            raise Unreadable(
                f"this database needs the package `{package}`", help=f"install it: pip install '{package}'"
            ) from None
        except sa.exc.ArgumentError:
            raise Unreadable("`url` is no database's URL", help="write as in mysql+pymysql://host/name") from None
        try:
            with engine.connect().execution_options(stream_results=True, yield_per=BATCH_ROWS) as connection:
                with closing(connection.execute(self.query(place))) as result:
                    yield from self._rows(result, place)
                connection.rollback()
        except sa.exc.OperationalError as fault:
            raise OutOfReach(
                f"the database can't be read: {fault.orig}", help="see that it runs and lets us in"
            ) from None
        except (sa.exc.DBAPIError, sa.exc.CompileError) as fault:
            said = fault.orig if isinstance(fault, sa.exc.DBAPIError) else fault
            raise Unreadable(f"the database refuses to select this: {said}", help="try the statement by hand") from None
        finally:
            engine.dispose()

    def query(self, place: Place) -> sa.Select[Any]:
        """What is asked of the database."""
        given: sa.FromClause
        if self.table:
            schema, _, name = self.table.rpartition(".")
            given = sa.table(name, *([sa.column(self.cursor)] if self.cursor else []), schema=schema or None)
        else:
            columns: list[sa.ColumnClause[Any]] = [sa.column(self.cursor)] if self.cursor else []
            given = sa.text(self.statement.strip().rstrip(";")).columns(*columns).subquery("wanted")
        asked: sa.Select[Any] = sa.select(sa.literal_column("*")).select_from(given)
        if not self.cursor:
            return asked
        by = given.c[self.cursor]
        behind = by >= self._since(place) if place.kind else by.is_not(None)
        return asked.where(behind).order_by(by)

    def _since(self, place: Place) -> Any:
        value = value_of(place)
        back = parse_duration(self.overlap) if self.overlap else timedelta(0)
        return value - back if back and isinstance(value, date) else value

    def _rows(self, result: sa.CursorResult[Any], before: Place) -> Iterator[Rows]:
        names = column_names(result.keys())
        if self.cursor and self.cursor not in names:
            raise Unreadable(f"there is no column `{self.cursor}` to go on by", help=f"there are: {', '.join(names)}")
        at = names.index(self.cursor) if self.cursor else -1
        known, here = set(before.seen), (before.kind, before.value)
        ties, last, done = set(before.seen), here, before.rows
        for rows in result.partitions():
            new: list[Any] = []
            for row in rows:
                if at >= 0:
                    value, mark = written(row[at]), _hash(row)
                    if value == here and mark in known:
                        continue
                    if value != last:
                        last, ties = value, set(known) if value == here else set()
                    ties.add(mark)
                new.append(row)
            if new:
                done += len(new)
                seen = sorted(ties) if len(ties) <= MOST_TIES else []
                place = Place(rows=done, kind=last[0], value=last[1], seen=seen) if at >= 0 else Place(rows=done)
                columns = {name: [row[index] for row in new] for index, name in enumerate(names)}
                numbers = range(done - len(new) + 1, done + 1)
                yield Rows(columns=columns, numbers=numbers, cursor=msgspec.json.encode(place).decode())

    def _url(self) -> sa.URL:
        url = sa.make_url(secret(self.url))
        return url.set(password=secret(self.password)) if self.password else url

    def _what(self) -> str:
        shown = self.url
        if not shown.startswith("env:"):
            url = sa.make_url(shown)
            shown = f"{url.drivername}://{url.username}@{url.host}:{url.port}/{url.database}"
        return hashlib.sha256(f"{shown}\0{self.table}\0{self.statement}\0{self.cursor}".encode()).hexdigest()


def written(value: Any) -> tuple[str, str]:
    """A cursor's value as the kind it is of and its text; Unreadable for what has no order to go on by."""
    match value:
        case bool():
            kind = ""
        case int():
            kind = "integer"
        case Decimal():
            kind = "decimal"
        case float():
            kind = "number"
        case datetime():
            return "time", value.isoformat()
        case date():
            return "date", value.isoformat()
        case str():
            kind = "text"
        case _:
            kind = ""
    if not kind:
        raise Unreadable("a cursor column holds numbers, texts, dates or times", help="choose another `cursor`")
    return kind, repr(value) if kind == "number" else str(value)


def value_of(place: Place) -> Any:
    """The value that `written` wrote."""
    readers: dict[str, Any] = {
        "integer": int,
        "decimal": Decimal,
        "number": float,
        "time": datetime.fromisoformat,
        "date": date.fromisoformat,
    }
    return readers.get(place.kind, str)(place.value)


def _hash(row: Sequence[Any]) -> str:
    return hashlib.blake2b(repr(tuple(row)).encode(), digest_size=8).hexdigest()
