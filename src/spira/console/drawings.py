"""Small drawings made of numbers: spark lines, the spiral, rings. Coordinates only; templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import acos, cos, pi, sin, sqrt

SPARK_WIDTH, SPARK_HEIGHT = 120, 32
SPIRAL = 240
_TURNS = 2.4
_INNER, _OUTER = 14.0, 104.0
RINGS_WIDTH, RINGS_HEIGHT = 320, 240
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


def rings(sizes: Sequence[int], shared: Sequence[int]) -> tuple[Dot, ...]:
    """Two or three sets as circles in a drawing of `RINGS_WIDTH` by `RINGS_HEIGHT`.

    `shared` says what any two have in common: the first and the second, the first and the third, the second and the
    third. Areas are in proportion to sizes, and two circles overlap by what they share; three do as far as they can.
    """
    most = max(*sizes, 1)
    radii = [_RING * sqrt(size / most) for size in sizes]
    one, two = radii[:2]
    areas = [each / most * pi * _RING**2 for each in shared]
    across = _apart(one, two, areas[0])
    places = [(0.0, 0.0), (across, 0.0)]
    if len(sizes) > 2:
        places.append(_third(across, _apart(one, radii[2], areas[1]), _apart(two, radii[2], areas[2])))
    left, top = (min(place[axis] - radius for place, radius in zip(places, radii, strict=True)) for axis in (0, 1))
    right, below = (max(place[axis] + radius for place, radius in zip(places, radii, strict=True)) for axis in (0, 1))
    scale = min(1.0, (RINGS_WIDTH - 8) / max(right - left, 1), (RINGS_HEIGHT - 8) / max(below - top, 1))
    return tuple(
        Dot(
            x=round(RINGS_WIDTH / 2 + (x - (left + right) / 2) * scale, 1),
            y=round(RINGS_HEIGHT / 2 + (y - (top + below) / 2) * scale, 1),
            radius=round(radius * scale, 1),
        )
        for (x, y), radius in zip(places, radii, strict=True)
    )


def _third(across: float, first: float, second: float) -> tuple[float, float]:
    """Where a circle lies that is so far from one at the origin and from one `across`; beside them if it can't be."""
    if across < 1e-6:
        return 0.0, first
    x = (first**2 - second**2 + across**2) / (2 * across)
    x = min(max(x, -first), first)
    return x, sqrt(max(first**2 - x**2, 0.0))


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
