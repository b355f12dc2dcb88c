"""Excel: one sheet of a workbook, .xlsx, .xls or .ods.

kind: excel
path: orders.xlsx
sheet: 订单            # the first when left out
header: 1              # the row that names the columns

Values keep their types: a date is a date however the sheet shows it, a number without decimals is
a whole number, an error is nothing. Rows are counted as the sheet counts them; blank ones are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from spira.collect.connectors.base import BATCH_ROWS, Rows, Unreadable, connector
from spira.collect.connectors.files import FileConnector, column_names, part_of
from spira.kernel.diagnostics import did_you_mean


@connector("excel")
@dataclass(frozen=True, slots=True, kw_only=True)
class Excel(FileConnector):
    """One sheet of one workbook."""

    suffixes = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")

    sheet: str = ""
    header: int = 1

    def __post_init__(self) -> None:
        if self.header < 1:
            raise ValueError("the `header` is row 1 or a later one")

    def rows(self, after: int) -> Iterator[Rows]:
        """The rows behind row `after`."""
        part_of(Path(self.path))
        try:
            with CalamineWorkbook.from_path(self.path) as book:
                yield from self._rows(self._sheet(book), after)
        except (CalamineError, OSError) as fault:
            name = Path(self.path).name
            raise Unreadable(f"`{name}` is no workbook: {fault}", help="save it as .xlsx or as CSV") from None

    def _sheet(self, book: Any) -> Any:
        names = list(book.sheet_names)
        wanted = self.sheet or (names[0] if names else "")
        if wanted not in names:
            help = did_you_mean(wanted, names) or f"its sheets are: {', '.join(names)}"
            raise Unreadable(f"the workbook has no sheet called `{wanted}`", help=help)
        return book.get_sheet_by_name(wanted)

    def _rows(self, sheet: Any, after: int) -> Iterator[Rows]:
        names: list[str] | None = None
        lot: list[list[Any]] = []
        numbers: list[int] = []
        for number, row in enumerate(sheet.iter_rows(), start=1):
            if names is None:
                names = column_names(row) if number >= self.header else None
                continue
            if number <= after:
                continue
            values = [_value(each) for each in row]
            if any(each is not None for each in values):
                lot.append(values)
                numbers.append(number)
            if len(numbers) >= BATCH_ROWS:
                yield _lot(names, lot, numbers)
                lot, numbers = [], []
        if names is not None and numbers:
            yield _lot(names, lot, numbers)


def _lot(names: list[str], lot: list[list[Any]], numbers: list[int]) -> Rows:
    columns = {name: [row[place] for row in lot] for place, name in enumerate(names)}
    return Rows(columns=columns, numbers=numbers, cursor=str(numbers[-1]))


def _value(written: Any) -> Any:
    if isinstance(written, float) and written.is_integer() and abs(written) < 1e15:
        return int(written)
    if isinstance(written, str):
        return written or None
    return str(written) if isinstance(written, time | timedelta) else written
