"""CSV: text tables, with a head, as every shop system exports them.

kind: csv
path: orders.csv
encoding: gb18030      # recognised when left out
delimiter: ","         # recognised when left out: , ; tab |
header: 1              # the row that names the columns

All values are texts. Values in quotes may hold line breaks. A row with another number of values
than the head is not read, and said so; nor is one with a value that holds what look like further
rows, since a quotation mark that is not closed swallows them. Rows are counted as a spreadsheet
counts them.
"""

from __future__ import annotations

import codecs
import csv
import io
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from spira.collect.connectors.base import BATCH_ROWS, Rows, Unread, Unreadable, connector
from spira.collect.connectors.files import FileConnector, column_names, encoding_of, opened

BLOCK = 4 * 1024 * 1024
_HEAD = 1024 * 1024
_DELIMITERS = ",;\t|"
_SWALLOWED = "a value holds what look like further rows (a quotation mark before them is not closed)"
_MANY, _MANY_OF_TWO = 3, 20  # lines within a value that look like rows; of two columns any text may look so


@connector("csv")
@dataclass(frozen=True, slots=True, kw_only=True)
class Csv(FileConnector):
    """One CSV file."""

    suffixes = (".csv", ".tsv", ".txt")

    encoding: str = ""
    delimiter: str = ""
    header: int = 1

    def __post_init__(self) -> None:
        if self.encoding:
            try:
                codecs.lookup(self.encoding)
            except LookupError:
                raise ValueError(f"there is no encoding called `{self.encoding}`") from None
        if len(self.delimiter.replace("\\t", "\t")) > 1:
            raise ValueError("a `delimiter` is one character")
        if self.header < 1:
            raise ValueError("the `header` is row 1 or a later one")

    def rows(self, after: int) -> Iterator[Rows]:
        """The rows behind row `after`."""
        path = Path(self.path)
        encoding = self.encoding or encoding_of(path)
        with opened(path) as stream:
            head = _head(stream, encoding)
            delimiter = self.delimiter.replace("\\t", "\t") or _delimiter(head)
            names = self._names(head, delimiter)
        if names is None:
            return
        begin = max(after, self.header)
        with opened(path) as stream:
            reading = _Reading(names, begin, delimiter)
            yield from reading.rows(stream, encoding=encoding)

    def _names(self, head: str, delimiter: str) -> list[str] | None:
        """The columns' names; None for a file that ends before its head."""
        reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        try:
            for number, row in enumerate(reader, start=1):
                if number == self.header:
                    return column_names(row) if row else None
        except csv.Error as fault:
            raise Unreadable(
                f"`{Path(self.path).name}` is no CSV: {fault}", help="see that it is a text table"
            ) from None
        return None


class _Reading:
    """One pass: counts the rows, and keeps those that could not be read until their turn comes."""

    def __init__(self, names: list[str], begin: int, delimiter: str) -> None:
        self.names = names
        self._delimiter = delimiter
        self._next = begin + 1
        self._begin = begin
        self._bad: list[int] = []
        self._unread: list[Unread] = []

    def rows(self, stream: IO[bytes], *, encoding: str) -> Iterator[Rows]:
        names = [f"c{place}" for place in range(len(self.names))]
        try:
            reader = arrow_csv.open_csv(
                stream,
                read_options=arrow_csv.ReadOptions(
                    column_names=names,
                    skip_rows_after_names=self._begin,
                    encoding=encoding,
                    block_size=BLOCK,
                    use_threads=False,
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=self._refuse,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
                ),
            )
            for batch in reader:
                for begin in range(0, max(batch.num_rows, 1), BATCH_ROWS):
                    if found := self._rows(batch.slice(begin, BATCH_ROWS)):
                        yield found
        except pa.ArrowInvalid as fault:
            if "Empty CSV" not in str(fault):
                raise Unreadable(
                    f"row {self._next} or a later one can't be read: {fault}",
                    help="look for a quotation mark that is not closed",
                ) from None
        if self._unread:
            last = self._bad[-1]
            yield Rows(
                columns=dict.fromkeys(self.names, pa.array([], pa.string())),
                numbers=(),
                cursor=str(last),
                unread=tuple(self._unread),
            )

    def _refuse(self, row: Any) -> str:
        number = int(row.number) if row.number is not None else self._next + len(self._bad)
        self._bad.append(number)
        if row.text.strip():
            reason = f"the row has {row.actual_columns} values, and the head names {row.expected_columns}"
            self._unread.append(Unread(row=number, text=row.text, reason=reason))
        return "skip"

    def _rows(self, batch: Any) -> Rows | None:
        numbers = self._numbers(batch.num_rows)
        last = self._next - 1
        ready = tuple(each for each in self._unread if each.row <= last)
        self._unread = self._unread[len(ready) :]
        self._bad = self._bad[bisect_right(self._bad, last) :]
        if not numbers and not ready:
            return None
        if len(self.names) > 1 and (blank := _blank(batch)):
            keep = sorted(set(range(batch.num_rows)).difference(blank))
            batch, numbers = batch.take(pa.array(keep, pa.int64())), [numbers[at] for at in keep]
        swallowing = self._swallowing(batch)
        if swallowing:
            keep = [at for at in range(batch.num_rows) if at not in swallowing]
            told = (Unread(row=numbers[at], text=self._whole(batch, at), reason=_SWALLOWED) for at in swallowing)
            ready = tuple(sorted((*ready, *told), key=lambda each: each.row))
            batch, numbers = batch.take(pa.array(keep, pa.int64())), [numbers[at] for at in keep]
        columns = dict(zip(self.names, batch.columns, strict=True))
        return Rows(columns=columns, numbers=numbers, cursor=str(last), unread=ready)

    def _swallowing(self, batch: Any) -> list[int]:
        """The rows with a value that holds what look like further rows."""
        between = len(self.names) - 1
        enough = _MANY_OF_TWO if between == 1 else _MANY
        found: set[int] = set()
        for column in batch.columns if between else ():
            breaks = pc.count_substring(column, "\n")
            if (pc.max(breaks).as_py() or 0) < enough:
                continue
            for at in pc.indices_nonzero(pc.greater_equal(breaks, enough)).to_pylist():
                lines = column[at].as_py().split("\n")[1:]
                if sum(line.count(self._delimiter) == between for line in lines) >= enough:
                    found.add(at)
        return sorted(found)

    def _whole(self, batch: Any, at: int) -> str:
        return self._delimiter.join(column[at].as_py() for column in batch.columns)

    def _numbers(self, count: int) -> range | list[int]:
        """The numbers of the next rows that could be read."""
        if not self._bad or self._bad[0] >= self._next + count:
            numbers = range(self._next, self._next + count)
            self._next += count
            return numbers
        bad = set(self._bad)
        found: list[int] = []
        while len(found) < count:
            if self._next not in bad:
                found.append(self._next)
            self._next += 1
        return found


def _head(stream: IO[bytes], encoding: str) -> str:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    return decoder.decode(stream.read(_HEAD)).removeprefix("\ufeff")


def _blank(batch: Any) -> list[int]:
    """The rows of nothing at all, which blank lines are read as."""
    blank = None
    for column in batch.columns:
        empty = pc.fill_null(pc.equal(pc.binary_length(column), 0), fill_value=True)
        blank = empty if blank is None else pc.and_(blank, empty)
        if not pc.any(blank).as_py():
            return []
    found: list[int] = pc.indices_nonzero(blank).to_pylist()
    return found


def _delimiter(head: str) -> str:
    """The character that parts the values of the first lines most often."""
    line = next((each for each in head.splitlines() if each.strip()), "")
    return max(_DELIMITERS, key=lambda each: (line.count(each), -_DELIMITERS.index(each)))
