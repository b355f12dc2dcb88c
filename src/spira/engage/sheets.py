"""Sheets: rows as CSV that a spreadsheet opens as what it is, and takes no text in it for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from spira.kernel.clock import iso

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# A text that is one is no formula. With a plus it is none: a sheet would take the plus from a phone number.
_NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?")


def sheet(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV; a cell that a spreadsheet would take for a formula is a text."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([cell(each) for each in row] for row in rows)
    return written.getvalue()


def cell(value: object) -> str:
    """One cell: numbers as they are, and no text that begins like a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    is_number = isinstance(value, (int, float, Decimal)) or _NUMBER.fullmatch(text) is not None
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text
