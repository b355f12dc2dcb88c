"""Reading: a part of a connector as bodies of batch calls, ready for the log, lot by lot.

Reads   files, databases, object storage   through a connector
Writes  nothing; the caller appends the bodies and keeps the cursor, in this order

The same part gives the same bodies each time, so that whoever is killed between the two appends a
lot again, and loading knows its message ids.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from spira.collect.connectors.base import Connector, Part, Unread
from spira.collect.mapping.build import Builder, RowFault
from spira.collect.mapping.group import tables

BODY_BYTES = 900_000  # of a batch: a whole one fits into a frame of the log
BODY_CALLS = 10_000
FAULT_COLUMNS = ("row", "column", "fault")
LINE = "whole line"
MORE = "more"
_PLAIN = re.compile(r'="[^"]*"|[+-]?[\d.,]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Some rows of a part as bodies, the rows at fault, and the cursor behind them."""

    bodies: list[bytes]
    rows: int
    calls: int
    skipped: int
    faults: list[RowFault]
    columns: tuple[str, ...]
    cursor: str


def lots(connector: Connector, part: Part, builder: Builder, after: str = "") -> Iterator[Lot]:
    """The part's rows from behind a cursor, as bodies."""
    for table, groups in tables(connector, part, builder, after):
        built = builder.build(table, groups)
        faults = [*map(_unread, table.raw.unread), *built.faults]
        faults.sort(key=lambda each: each.row)
        yield Lot(
            bodies=list(bodies(built.calls)),
            rows=len(table.numbers) + len(table.raw.unread),
            calls=len(built.calls),
            skipped=built.skipped,
            faults=faults,
            columns=tuple(table.raw.columns),
            cursor=table.raw.cursor,
        )


def bodies(calls: Sequence[bytes]) -> Iterator[bytes]:
    """Calls as bodies of `/v1/batch`, none larger than needs be."""
    lot: list[bytes] = []
    size = 0
    for call in calls:
        if lot and (size + len(call) > BODY_BYTES or len(lot) >= BODY_CALLS):
            yield b'{"batch":[' + b",".join(lot) + b"]}"
            lot, size = [], 0
        lot.append(call)
        size += len(call) + 1
    if lot:
        yield b'{"batch":[' + b",".join(lot) + b"]}"


def faults_csv(faults: Sequence[RowFault], columns: Sequence[str], *, head: bool = True) -> str:
    """Rows at fault as CSV that can be mended and imported again: what is wrong first, then all that stood there.

    A line that could not be parted into values is kept whole in the last column but one; what
    stands in other columns than those of the head in the last, as JSON.
    """
    names = list(columns)
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    if head:
        out.writerow([*FAULT_COLUMNS, *names, LINE, MORE])
    for each in faults:
        more = {name: value for name, value in each.cells.items() if name not in columns and name != LINE}
        rest = msgspec.json.encode(more).decode() if more else ""
        values = [_harmless(each.cells.get(name, "")) for name in names]
        told = [each.row, _harmless(each.column), each.reason, *values, _harmless(each.cells.get(LINE, "")), rest]
        out.writerow(told)
    return text.getvalue()


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; reading takes the apostrophe off again."""
    odd = cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not _PLAIN.fullmatch(cell)
    return f"'{cell}" if odd else cell


def _unread(row: Unread) -> RowFault:
    return RowFault(row=row.row, column="", value="", reason=row.reason, cells={LINE: row.text})
