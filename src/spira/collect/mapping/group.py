"""Groups: rows of one key brought together, so that the lines of an order become one call.

Rows of one order lie together in most exports, and are then passed on as they come. Where they do
not, the whole table is put in order of each key's first row. What grows (a query) is not put in
order: a key that comes again after others costs its rows, and says so. Cursors point behind whole
groups, so that no order is ever cut in two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from spira.collect.connectors.base import BATCH_ROWS, Connector, Part, Rows
from spira.collect.mapping.build import Builder, RowFault, Table

Group = tuple[int, int]
_SORTED = "sorted:"
APART = "the rows of this key do not lie together (order the statement by it)"


def tables(
    connector: Connector, part: Part, builder: Builder, after: str
) -> Iterator[tuple[Table, list[Group] | None]]:
    """The part's tables from behind a cursor, with the stretches of one key where rows are grouped."""
    mapping = builder.mapping
    if not mapping.has_lines:
        for rows in connector.read(part, after):
            yield builder.read(rows), None
        return
    key = _key(builder)
    if part.grows or (not after.startswith(_SORTED) and _together(connector, part, builder, key)):
        yield from _streamed(connector.read(part, after), builder, key, grows=part.grows)
    else:
        yield from _in_order(connector, part, builder, after=int(after.removeprefix(_SORTED) or 0), key=key)


def _key(builder: Builder) -> list[str]:
    """The columns that are the same in all rows of one call."""
    with_lines = next(each for each in builder.mapping.calls if each.lines)
    return list(with_lines.key or builder.mapping.key)


def _marks(table: Table, key: Sequence[str]) -> list[Any]:
    columns = [table.columns[name] for name in key]
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def _together(connector: Connector, part: Part, builder: Builder, key: Sequence[str]) -> bool:
    """Whether every key's rows lie together in the whole part."""
    met: set[int] = set()
    last: Any = _NONE
    for rows in connector.read(part):
        for mark in _marks(builder.read(rows, key), key):
            if mark != last:
                if mark is not None and hash(mark) in met:
                    return False
                met.add(hash(mark))
                last = mark
    return True


def _streamed(
    lots: Iterator[Rows], builder: Builder, key: Sequence[str], *, grows: bool
) -> Iterator[tuple[Table, list[Group]]]:
    """Tables cut where a group ends; the last group of each waits for the rows that may follow.

    A cursor can point between the rows of a file. Into a lot of what grows it can't: there it stays
    before the lot, whose rows are then read again and are known by their message ids.
    """
    held: Rows | None = None
    behind = ""
    met: set[int] = set()
    for lot in lots:
        rows = joined([held, lot]) if held is not None else lot
        table = builder.read(rows)
        groups = _groups(_marks(table, key))
        if len(groups) < 2 and len(rows):
            held = rows
            continue
        cut = groups[-1][0] if groups else 0
        held = part_of(rows, cut, len(rows), cursor=rows.cursor, unread=())
        cursor = (behind if grows else str(rows.numbers[cut - 1])) if cut else lot.cursor
        ready = part_of(rows, 0, cut, cursor=cursor, unread=rows.unread)
        behind = lot.cursor
        yield _apart(builder.read(ready), groups[:-1], key, met)
    if held is not None and (len(held) or held.unread):
        table = builder.read(held)
        yield _apart(table, _groups(_marks(table, key)), key, met)


def _apart(table: Table, groups: list[Group], key: Sequence[str], met: set[int]) -> tuple[Table, list[Group]]:
    """Rows whose key was met before, and other rows since, become faults."""
    marks = _marks(table, key)
    for first, end in groups:
        mark = hash(marks[first])
        if mark in met:
            for at in range(first, end):
                told = RowFault(row=table.numbers[at], column=key[0], value="", reason=APART)
                table.faults.setdefault(at, told)
        met.add(mark)
    return table, groups


def _in_order(
    connector: Connector, part: Part, builder: Builder, *, after: int, key: Sequence[str]
) -> Iterator[tuple[Table, list[Group]]]:
    """The whole part in memory, put in order of each key's first row."""
    lots = list(connector.read(part))
    if not lots:
        return
    whole = joined(lots)
    marks = _marks(builder.read(whole, key), key)
    first: dict[Any, int] = {}
    for place, mark in enumerate(marks):
        first.setdefault(mark, place)
    order = sorted(range(len(marks)), key=lambda place: (first[marks[place]], place))
    numbers = [whole.numbers[place] for place in order]
    columns = {name: _taken(column, order) for name, column in whole.columns.items()}
    whole = Rows(columns=columns, numbers=numbers, cursor="", unread=whole.unread)
    groups = _groups([marks[place] for place in order])
    at = 0
    unread = whole.unread if not after else ()
    while at < len(groups):
        end = at
        while (end < len(groups) and groups[end][1] - groups[at][0] <= BATCH_ROWS) or end == at:
            end += 1
        begin, stop = groups[at][0], groups[end - 1][1]
        if stop > after:
            begin = max(begin, after)
            cut = part_of(whole, begin, stop, cursor=f"{_SORTED}{stop}", unread=unread)
            unread = ()
            table = builder.read(cut)
            yield table, [(one - begin, two - begin) for one, two in groups[at:end] if one >= begin]
        at = end


def _groups(marks: Sequence[Any]) -> list[Group]:
    """The stretches of equal marks; nothing is equal to nothing."""
    found: list[Group] = []
    begin = 0
    for place in range(1, len(marks) + 1):
        if place == len(marks) or marks[place] != marks[begin] or marks[place] is None:
            found.append((begin, place))
            begin = place
    return found


def joined(lots: Sequence[Rows]) -> Rows:
    """Rows of one table behind one another."""
    names = dict.fromkeys(name for lot in lots for name in lot.columns)
    return Rows(
        columns={name: _chained([(lot.columns.get(name), len(lot)) for lot in lots]) for name in names},
        numbers=[number for lot in lots for number in lot.numbers],
        cursor=lots[-1].cursor,
        unread=tuple(each for lot in lots for each in lot.unread),
    )


def part_of(rows: Rows, begin: int, end: int, **changes: Any) -> Rows:
    """Some of the rows."""
    columns = {
        name: column.slice(begin, end - begin) if isinstance(column, pa.Array | pa.ChunkedArray) else column[begin:end]
        for name, column in rows.columns.items()
    }
    return replace(rows, columns=columns, numbers=rows.numbers[begin:end], **changes)


def _chained(columns: Sequence[tuple[Any, int]]) -> Any:
    arrays = [column for column, _ in columns if isinstance(column, pa.Array | pa.ChunkedArray)]
    if len(arrays) == len(columns) and len({each.type for each in arrays}) == 1:
        chunks = [chunk for each in arrays for chunk in (each.chunks if isinstance(each, pa.ChunkedArray) else [each])]
        return pa.chunked_array(chunks, arrays[0].type)
    return [value for column, count in columns for value in _values(column, count)]


def _values(column: Any, count: int) -> list[Any]:
    if column is None:
        return [None] * count
    return column.to_pylist() if isinstance(column, pa.Array | pa.ChunkedArray) else list(column)


def _taken(column: Any, order: Sequence[int]) -> Any:
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column.take(pa.array(order, pa.int64()))
    return [column[place] for place in order]


_NONE = object()
