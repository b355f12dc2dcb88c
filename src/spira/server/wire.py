"""View models as the API writes them: plain objects, instants as ISO 8601 ending in Z, money and large ids as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from spira.kernel.clock import iso

EXACT = 2**53  # whole numbers beyond it lose digits in a browser, so ids of that size go as text


def plain(value: Any) -> Any:
    """A view model as JSON's own kinds; what JSON has no kind for becomes text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in (sorted(value) if isinstance(value, (set, frozenset)) else value)]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, int) and abs(value) > EXACT:
        return str(value)
    if value is None or isinstance(value, (str, int, bool)):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)
