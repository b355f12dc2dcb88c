"""Graphs: identifiers and their links laid out in numbers, so that an SVG needs no style.

The person's own identifiers stand on a circle in the order they were seen, those of others that
were only seen with them on a wider one; what does not fit is left to the list beside the drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin

from spira.unify.explain import Explanation, LinkView, NodeView

WIDTH, HEIGHT = 640, 400
MOST = 24
WIDE = 220


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One identifier and where it stands."""

    node: NodeView
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One link between two dots; the number is its place in the list beside the drawing."""

    link: LinkView
    number: int
    x1: int
    y1: int
    x2: int
    y2: int
    weakest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A drawing; `left_out` says how many identifiers are only in the list."""

    width: int
    height: int
    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    left_out: int


def drawn(found: Explanation) -> Graph:
    """The links of a person as a drawing."""
    nodes = found.nodes[:MOST]
    inner = [each for each in nodes if each.mine]
    outer = [each for each in nodes if not each.mine]
    dots = {dot.node.node: dot for dot in (*_ring(inner, wide=not outer), *_ring(outer, wide=True))}
    lines = [
        Line(
            link=link,
            number=number,
            x1=dots[link.one].x,
            y1=dots[link.one].y,
            x2=dots[link.two].x,
            y2=dots[link.two].y,
            weakest=link == found.weakest,
        )
        for number, link in enumerate(found.links, 1)
        if link.one in dots and link.two in dots
    ]
    return Graph(
        width=WIDTH,
        height=HEIGHT,
        dots=tuple(dots.values()),
        lines=tuple(lines),
        left_out=len(found.nodes) - len(nodes),
    )


def _ring(nodes: list[NodeView], *, wide: bool) -> list[Dot]:
    across, down = (WIDE, HEIGHT // 2 - 60) if wide else (WIDE // 2, HEIGHT // 4)
    count = len(nodes)
    if count == 1 and not wide:
        return [Dot(node=nodes[0], x=WIDTH // 2, y=HEIGHT // 2)]
    return [
        Dot(
            node=node,
            x=round(WIDTH / 2 - across * cos(2 * pi * place / count)),
            y=round(HEIGHT / 2 - down * sin(2 * pi * place / count)),
        )
        for place, node in enumerate(nodes)
    ]
