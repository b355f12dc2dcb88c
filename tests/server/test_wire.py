from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from spira.server.wire import plain


@dataclass(frozen=True)
class View:
    at: datetime
    parts: tuple[object, ...]


def test_view_models_become_plain_json():
    """Instants end in Z, money is exact text, sets are in order, and what is no number is null."""
    view = View(
        at=datetime(2026, 3, 1, 12), parts=(Decimal("1.5000"), date(2026, 3, 1), frozenset({2, 1}), float("nan"))
    )
    assert plain(view) == {"at": "2026-03-01T12:00:00.000Z", "parts": ["1.5000", "2026-03-01", [1, 2], None]}
