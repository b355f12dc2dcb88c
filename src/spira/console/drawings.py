"""Small drawings made of numbers: spark lines, the spiral, two rings. Coordinates only; templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import acos, cos, pi, sin, sqrt

SPARK_WIDTH, SPARK_HEIGHT = 120, 32
SPIRAL = 240
_TURNS = 2.4
_INNER, _OUTER = 14.0, 104.0
RINGS_WIDTH, RINGS_HEIGHT = 320, 160
_RING = 72.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A place on the spiral; the dot's area stands for how many are there."""

    x: float
    y: float
    radius: float


def spark(values: Sequence[float]) -> str:
    """The points of a line through `values` from a zero base; empty when there is nothing to draw."""
    top = max(values, default=0)
    if len(values) < 2 or top <= 0:
        return ""
    step = SPARK_WIDTH / (len(values) - 1)
    height = SPARK_HEIGHT - 4
    places = [(i * step, SPARK_HEIGHT - 2 - max(value, 0) / top * height) for i, value in enumerate(values)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def spiral_line() -> str:
    """The spiral itself, as the points of a line from the inside out."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in (_on_spiral(step / 160) for step in range(161)))


def spiral_dots(counts: Sequence[int]) -> list[Dot]:
    """A dot for each count, from the inside out, the areas in proportion to the counts."""
    most = max(counts, default=0)
    dots = []
    for place, count in enumerate(counts):
        x, y = _on_spiral(0.22 + 0.78 * (place + 0.5) / max(len(counts), 1))
        dots.append(Dot(x=round(x, 1), y=round(y, 1), radius=round(9 + 11 * sqrt(count / most), 1) if most else 9))
    return dots


def _on_spiral(part: float) -> tuple[float, float]:
    angle = part * _TURNS * 2 * pi - pi / 2
    radius = _INNER + (_OUTER - _INNER) * part
    return SPIRAL / 2 + radius * cos(angle), SPIRAL / 2 + radius * sin(angle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rings:
    """Two circles whose areas and whose common area are in proportion to counts, as far as they fit."""

    one: Dot
    two: Dot


def rings(only_one: int, both: int, only_two: int) -> Rings:
    """Two sets as circles: the larger one is of full size, and they overlap by what they share."""
    first, second = only_one + both, only_two + both
    most = max(first, second, 1)
    big, small = _RING * sqrt(first / most), _RING * sqrt(second / most)
    apart = _apart(big, small, both / most * pi * _RING**2)
    left = (RINGS_WIDTH - (big + apart + small)) / 2 + big
    middle = RINGS_HEIGHT / 2
    return Rings(
        one=Dot(x=round(left, 1), y=middle, radius=round(big, 1)),
        two=Dot(x=round(left + apart, 1), y=middle, radius=round(small, 1)),
    )


def _apart(one: float, two: float, area: float) -> float:
    """How far the centres of two circles lie apart that share an area; found by halving."""
    low, high = abs(one - two), one + two
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _shared(one, two, middle) > area else (low, middle)
    return (low + high) / 2


def _shared(one: float, two: float, apart: float) -> float:
    """The area that two circles have in common."""
    if apart >= one + two or not one or not two:
        return 0.0
    if apart <= abs(one - two):
        return pi * min(one, two) ** 2
    first = acos((apart**2 + one**2 - two**2) / (2 * apart * one))
    second = acos((apart**2 + two**2 - one**2) / (2 * apart * two))
    return one**2 * (first - sin(2 * first) / 2) + two**2 * (second - sin(2 * second) / 2)
