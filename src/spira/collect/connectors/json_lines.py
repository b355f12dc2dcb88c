"""JSON Lines: one JSON object on each line.

kind: json_lines
path: events.jsonl

A field is a column; a field inside an object is reached as `address.city`. Blank lines are
skipped; a line that is no JSON object is not read, and said so. Rows are counted by lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from spira.collect.connectors.base import BATCH_ROWS, Rows, Unread, connector
from spira.collect.connectors.files import FileConnector, opened

_OBJECT = msgspec.json.Decoder(dict[str, Any])
_BOM = b"\xef\xbb\xbf"


@connector("json_lines")
@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLines(FileConnector):
    """One file of JSON objects."""

    suffixes = (".jsonl", ".ndjson", ".jsonlines")

    def rows(self, after: int) -> Iterator[Rows]:
        """The rows behind line `after`."""
        with opened(Path(self.path)) as stream:
            objects: list[dict[str, Any]] = []
            numbers: list[int] = []
            unread: list[Unread] = []
            number = 0
            for number, line in enumerate(stream, start=1):
                if number <= after or not (text := line.removeprefix(_BOM).strip()):
                    continue
                try:
                    objects.append(_OBJECT.decode(text))
                    numbers.append(number)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
                    unread.append(Unread(row=number, text=text.decode(errors="replace"), reason=_why(fault)))
                if len(numbers) + len(unread) >= BATCH_ROWS:
                    yield _rows(objects, numbers, unread, number)
                    objects, numbers, unread = [], [], []
            if numbers or unread:
                yield _rows(objects, numbers, unread, number)


def _rows(objects: list[dict[str, Any]], numbers: list[int], unread: list[Unread], last: int) -> Rows:
    names = dict.fromkeys(name for each in objects for name in each)
    columns: dict[str, list[Any]] = {name: [each.get(name) for each in objects] for name in names}
    for path in [name for name in names if any(isinstance(value, dict) for value in columns[name])]:
        columns |= _inside(path, columns[path])
    return Rows(columns=columns, numbers=numbers, cursor=str(last), unread=tuple(unread))


def _inside(path: str, values: list[Any], depth: int = 4) -> dict[str, list[Any]]:
    """The fields of objects as columns of their own."""
    objects = [value if isinstance(value, dict) else {} for value in values]
    found: dict[str, list[Any]] = {}
    for name in dict.fromkeys(key for each in objects for key in each):
        column = [each.get(name) for each in objects]
        found[f"{path}.{name}"] = column
        if depth and any(isinstance(value, dict) for value in column):
            found |= _inside(f"{path}.{name}", column, depth - 1)
    return found


def _why(fault: Exception) -> str:
    if isinstance(fault, UnicodeDecodeError):
        return "the line is not UTF-8"
    if isinstance(fault, RecursionError):
        return "the line is nested too deeply"
    if isinstance(fault, msgspec.ValidationError):
        return "the line is no JSON object"
    return f"the line is not JSON: {fault}"
