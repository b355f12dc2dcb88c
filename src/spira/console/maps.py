"""The map of China as tiles: where each province stands, how dark it is, and what it says. Templates draw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spira.measure.places import Place, places
from spira.measure.provinces import Province, Provinces

WIDTH, HEIGHT, GAP = 56, 48, 2
COLUMNS, ROWS = 7, 8
STEPS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One province as it is drawn; `step` 0 is one without people, `here` what is known of the others."""

    x: int
    y: int
    name: str
    short: str
    step: int
    here: Province | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """The tiles, what each darkness stands for (from, to), and the names of provinces by code."""

    tiles: tuple[Tile, ...]
    legend: tuple[tuple[int, int, int], ...]
    names: Mapping[str, str]
    people: int


def map_of(found: Provinces, language: str) -> Map:
    """Every province as a tile, those with people by how many there are."""
    known = {each.code: each for each in found.provinces}
    tops = steps([each.people for each in found.provinces])
    used = [step_of(each.people, tops) for each in found.provinces]
    tiles = tuple(_tile(place, known.get(code), tops, language) for code, place in places().items())
    legend = tuple(
        (step, low + 1, high)
        for step, (low, high) in enumerate(zip((0, *tops), tops, strict=False), start=1)
        if step in used
    )
    return Map(
        tiles=tiles,
        legend=legend,
        names={code: name_of(place, language) for code, place in places().items()},
        people=sum(each.people for each in found.provinces) + found.unknown,
    )


def steps(counts: Sequence[int]) -> tuple[int, ...]:
    """The highest count of each darkness; they grow by squares, for a few provinces have most of the people."""
    most = max(counts, default=0)
    return tuple(-(-most * step * step // STEPS**2) for step in range(1, STEPS + 1))


def step_of(count: int, tops: Sequence[int]) -> int:
    """How dark a count is, from 1 to 5; nobody is 0."""
    return next((step for step, top in enumerate(tops, start=1) if count <= top), STEPS) if count else 0


def name_of(place: Place, language: str) -> str:
    """What the province is called."""
    return place.zh if language == "zh-CN" else place.en


def _tile(place: Place, here: Province | None, tops: Sequence[int], language: str) -> Tile:
    return Tile(
        x=place.column * WIDTH + GAP // 2,
        y=place.row * HEIGHT + GAP // 2,
        name=name_of(place, language),
        short=place.zh if language == "zh-CN" else place.iso,
        step=step_of(here.people, tops) if here else 0,
        here=here,
    )
