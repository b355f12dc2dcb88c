"""A model that was learned, or stands for one until there are records enough, as what can be kept of it.

What is kept says nothing of anybody: probabilities, the expressions that pairs are brought together by, and of
values that at least `CROWD` records share how common they are, by a keyed hash. So the same two records have the
same weight in every run with the same model, whichever others are there.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection

import msgspec

from spira.unify.matching.clean import Cleaned, Shape
from spira.unify.matching.comparisons import comparisons, kinds_of

CROWD = 5  # records that must share a value before it is remembered how common it is
RAREST = 0.0001  # as rare as a value may count
FEW = 1_000  # records below which nothing is learned

Odds = tuple[float, float]


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A model of `columns`.

    `keys` are expressions over cleaned columns, `levels` has for each comparison the two probabilities of every level
    but a missing one, in the order of the comparison; `common` and `rare` say how common values are.
    """

    version: str
    records: int
    learned: bool
    columns: list[str]
    shape: Shape
    keys: list[str]
    prior: float
    levels: dict[str, list[Odds]]
    common: dict[str, dict[int, float]]
    rare: dict[str, float]


def mark(key: bytes, column: str, value: str) -> int:
    """A value as a number that says nothing of it to those who lack the key."""
    return int.from_bytes(hashlib.blake2b(f"{column}\0{value}".encode(), key=key, digest_size=8).digest(), "little")


def prior_of(records: int) -> float:
    """The share of pairs that are of one person, where nothing could be learned: one record in ten is double."""
    return 0.2 / max(records, FEW)


def built_in(cleaned: Cleaned, exact: Collection[str] = ()) -> dict[str, list[Odds]]:
    """The two probabilities of each level where nothing was learned: what tables of people are like as a rule."""
    kinds = kinds_of(cleaned)
    made = {}
    for each in comparisons(cleaned, exact):
        column, levels = each["output_column_name"], each["comparison_levels"][1:-1]
        said = [_SURE.get(kinds[column], _SURE["text"])]
        said += [_LEVELS[level["label_for_charts"]] for level in levels[1:]]
        same, chance = sum(m for m, _ in said), sum(u for _, u in said)
        scale = min(1.0, 0.92 / same)
        made[column] = [*((m * scale, u) for m, u in said), (1 - same * scale, max(1 - chance, 0.5))]
    return made


# Of two records of one person, and of two others, how many are equal in a field.
_SURE: dict[str, Odds] = {
    "given": (0.72, 0.004),
    "family": (0.85, 0.02),
    "birth_date": (0.85, 0.0001),
    "phone": (0.6, 0.000002),
    "email": (0.6, 0.000002),
    "id_number": (0.9, 0.000001),
    "category": (0.9, 0.3),
    "rest": (0.45, 0.0008),
    "area": (0.75, 0.03),
    "number": (0.5, 0.03),
    "postcode": (0.7, 0.003),
    "house_number": (0.7, 0.02),
    "text": (0.7, 0.02),
}
# The same of the other levels, by what they are called.
_LEVELS: dict[str, Odds] = {
    "equal": (0.1, 0.002),
    "names in the other order": (0.03, 0.0005),
    "one letter differs": (0.05, 0.004),
    "same beginning": (0.03, 0.03),
    "a short form, or the first of several names": (0.05, 0.004),
    "nearly equal": (0.05, 0.004),
    "an initial": (0.04, 0.03),
    "alike": (0.04, 0.02),
    "sounds alike": (0.03, 0.006),
    "one digit, or day and month exchanged": (0.05, 0.001),
    "two of year, month and day": (0.03, 0.01),
    "the year, or two digits": (0.02, 0.04),
    "one character differs": (0.06, 0.00002),
    "same before the @": (0.08, 0.00002),
    "two characters differ": (0.05, 0.00002),
    "alike before the @": (0.03, 0.002),
    "same city": (0.1, 0.06),
    "same province": (0.05, 0.1),
    "one digit": (0.1, 0.1),
    "a typing error": (0.03, 0.01),
}


def rarity(records: int, chance: float) -> float:
    """How common a value is taken to be that no crowd shares, in a column where two agree by chance so often."""
    return min(max(RAREST, 1 / max(records, 1)), chance) if chance > 0 else RAREST


def is_number(value: float) -> bool:
    """Whether a probability can be worked with."""
    return math.isfinite(value) and 0 < value < 1
