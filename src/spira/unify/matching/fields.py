"""Fields: what each comparison of a pair says, as a candidate keeps it: names and weights, no values."""

from __future__ import annotations

import re

import msgspec

# The field, what of it is compared, how alike the two are (none: one of them lacks it), and bits.
Told = tuple[str, str, str | None, float]


def written(told: list[Told]) -> str:
    """What was said of a pair, as text."""
    return msgspec.json.encode(told).decode()


def told_of(fields: str) -> list[Told]:
    """What each comparison of a pair said, as `match_candidates` has it."""
    return msgspec.json.decode(fields, type=list[Told])


def slug(level: str | None) -> str | None:
    """A level's name as a word of the catalogues."""
    return None if level is None else re.sub(r"[^a-z]+", "_", level.lower()).strip("_")
