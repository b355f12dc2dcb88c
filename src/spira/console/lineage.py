"""The lineage graph of a tag as numbers: boxes in columns from left to right, and the curves between them.

Coordinates only; the template draws them. Columns with many things show the first, and say how
many more there are; the list beside the drawing has the near ones all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spira.segment.lineage import Lineage, Node, Thing

WIDE, HIGH, GAP_X, GAP_Y, ROWS = 168, 36, 56, 12, 8
FITS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One thing as a box. `text` is its label cut to what fits; `here` is the tag itself."""

    kind: str
    name: str
    label: str
    text: str
    href: str
    x: int
    y: int
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The whole graph. `more` counts what no box was drawn for."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    curves: tuple[str, ...]
    more: int


def draw(found: Lineage, labels: Mapping[Thing, str], hrefs: Mapping[Thing, str]) -> Drawing:
    """Columns by distance from the tag, each in the middle of the height; curves from right sides to left ones."""
    columns: dict[int, list[Node]] = {}
    for node in found.nodes:
        columns.setdefault(node.steps, []).append(node)
    kept = {steps: nodes[:ROWS] for steps, nodes in sorted(columns.items())}
    rows = max(len(nodes) for nodes in kept.values())
    height = rows * (HIGH + GAP_Y) - GAP_Y
    boxes: dict[Thing, Box] = {}
    for place, nodes in enumerate(kept.values()):
        top = (height - (len(nodes) * (HIGH + GAP_Y) - GAP_Y)) // 2
        for line, node in enumerate(nodes):
            key: Thing = (node.kind, node.name)
            boxes[key] = Box(
                kind=node.kind,
                name=node.name,
                label=labels.get(key, node.name),
                text=cut(labels.get(key, node.name)),
                href=hrefs.get(key, "/tags"),
                x=place * (WIDE + GAP_X),
                y=top + line * (HIGH + GAP_Y),
                here=node.steps == 0,
            )
    drawn = [
        (boxes[each.source], boxes[each.target]) for each in found.edges if {each.source, each.target} <= set(boxes)
    ]
    return Drawing(
        width=len(kept) * (WIDE + GAP_X) - GAP_X,
        height=height,
        boxes=tuple(boxes.values()),
        curves=tuple(_curve(source, target) for source, target in drawn),
        more=len(found.nodes) - len(boxes),
    )


def cut(text: str, *, fits: int = FITS) -> str:
    """The text, cut where a box ends; a Chinese character is as wide as two Latin ones."""
    room = fits
    for place, letter in enumerate(text):
        room -= 2 if letter > "\u2e7f" else 1
        if room < 0:
            return text[: max(place - 1, 1)] + "…"
    return text


def _curve(source: Box, target: Box) -> str:
    x0, y0 = source.x + WIDE, source.y + HIGH // 2
    x1, y1 = target.x, target.y + HIGH // 2
    half = (x0 + x1) // 2
    return f"M{x0} {y0}C{half} {y0} {half} {y1} {x1} {y1}"
