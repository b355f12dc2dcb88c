"""Money: exact decimals with a currency, four places inside, the currency's own outside."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

PLACES = Decimal("0.0001")


def money(value: int | str | float | Decimal) -> Decimal:
    """A value as DECIMAL(18,4), rounded half to even; floats go through their shortest text."""
    return Decimal(str(value)).quantize(PLACES, rounding=ROUND_HALF_EVEN)
