"""Statements that change or name tables: the only text-built SQL outside the compilers.

Names are quoted here and nowhere else; values are never written into text but bound.
"""

from __future__ import annotations

from collections.abc import Iterable

from spira.storage.tables import Column, Table


def quote(name: str) -> str:
    """An identifier, safe in any statement."""
    return '"' + name.replace('"', '""') + '"'


def names(listed: Iterable[str]) -> str:
    """Several identifiers, with commas between."""
    return ", ".join(quote(name) for name in listed)


def create(table: Table, *, name: str | None = None) -> str:
    """CREATE TABLE for a declared table, under its own name or another.

    The key gets no index: appends stay cheap, a row can be replaced within one transaction,
    and each table has one writer, who keeps it unique (a test looks).
    """
    parts = ", ".join(_column(each) for each in table.columns)
    return f"create table if not exists {quote(name or table.name)} ({parts})"


def add_column(table: str, column: Column, *, each_its_own: bool = False) -> str:
    """ALTER TABLE that adds a column where it is not there yet.

    Texts of which nearly every row has one of its own are written as they are: the engine would make a dictionary
    of them, which is as long as the column and has to be unpacked whole for a single row.
    """
    plain = " using compression uncompressed" if each_its_own else ""
    return f"alter table {quote(table)} add column if not exists {quote(column.name)} {column.type}{plain}"


def delete_where(table: str, column: str, chosen: str) -> str:
    """DELETE of the rows whose `column` is in the temporary table `chosen` (its first column)."""
    return f"delete from {quote(table)} where {quote(column)} in (select * from {quote(chosen)})"


def count_where(table: str, column: str) -> str:
    """The number of rows whose `column` is one of the bound `$values`."""
    return f"select count(*) from {quote(table)} where list_contains($values, {quote(column)})"


def insert_by_name(table: str, source: str) -> str:
    """INSERT of all rows of a relation, columns matched by name."""
    return f"insert into {quote(table)} by name select * from {quote(source)}"


def swap(table: str, fresh: str) -> tuple[str, str]:
    """The two statements that put the table `fresh` in the place of `table`."""
    return f"drop table if exists {quote(table)}", f"alter table {quote(fresh)} rename to {quote(table)}"


def stable_share(*parts: str) -> str:
    """SQL for `kernel.ids.stable_share`: parts are SQL expressions, the result a DOUBLE in [0, 1)."""
    text = ", ':', ".join(parts)
    return f"(('0x' || substr(md5(concat({text})), 1, 8))::bigint / 4294967296.0)"


def _column(column: Column) -> str:
    return f"{quote(column.name)} {column.type}{' not null' if column.required else ''}"
