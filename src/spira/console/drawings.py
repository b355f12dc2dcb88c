"""Small drawings made of numbers: spark lines and the spiral. Coordinates only; templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt

SPARK_WIDTH, SPARK_HEIGHT = 120, 32
SPIRAL = 240
_TURNS = 2.4
_INNER, _OUTER = 14.0, 104.0


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
