"""Weights: what each field of a pair adds to its weight, laid out as bars that begin where the one before ended.

In hundredths of the drawing's width, so that an SVG needs no style.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from spira.unify.matching.review import ReviewPair

WIDTH = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One step: from `x` on, `width` wide; `towards` says whether it speaks for one person or against."""

    x: float
    width: float
    towards: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """The steps of a pair: the first for how rare it is, one for each field, the last from even odds to the sum.

    `zero` is where the odds are even.
    """

    start: Bar
    fields: tuple[Bar, ...]
    total: Bar
    zero: float


def waterfall(pair: ReviewPair) -> Waterfall:
    """The weights of a pair as a drawing."""
    steps = [pair.start, *(each.bits for each in pair.fields)]
    ends = list(accumulate(steps))
    low, high = min(0.0, *ends), max(0.0, *ends)
    scale = WIDTH / max(high - low, 1e-9)

    def bar(before: float, after: float) -> Bar:
        return Bar(
            x=round((min(before, after) - low) * scale, 2),
            width=max(round(abs(after - before) * scale, 2), 0.4),
            towards=after >= before,
        )

    bars = [bar(before, after) for before, after in zip([0.0, *ends[:-1]], ends, strict=True)]
    return Waterfall(start=bars[0], fields=tuple(bars[1:]), total=bar(0.0, ends[-1]), zero=round(-low * scale, 2))
