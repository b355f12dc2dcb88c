"""The order in which things that build on one another are worked out: layers, or the cycles that forbid them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`layers`: each uses only earlier ones. `cycles`: paths that end where they begin.

    What is on a cycle, or builds on one, is in no layer.
    """

    layers: tuple[tuple[str, ...], ...]
    cycles: tuple[tuple[str, ...], ...] = ()

    def flat(self) -> tuple[str, ...]:
        """Every name that can be worked out, each after what it uses."""
        return tuple(name for layer in self.layers for name in layer)


def order(uses: Mapping[str, Iterable[str]]) -> Order:
    """Sort names by what each uses; a used name that is no key counts as known already."""
    waiting = {name: {each for each in used if each in uses} for name, used in uses.items()}
    layers: list[tuple[str, ...]] = []
    while ready := tuple(sorted(name for name, used in waiting.items() if not used)):
        layers.append(ready)
        waiting = {name: used.difference(ready) for name, used in waiting.items() if name not in ready}
    return Order(layers=tuple(layers), cycles=tuple(_cycles(waiting)))


def show_cycle(cycle: tuple[str, ...]) -> str:
    """A cycle as a person reads it: `a → b → a`."""
    return " → ".join(cycle)


def _cycles(stuck: Mapping[str, set[str]]) -> Iterable[tuple[str, ...]]:
    """One path per group of names that use one another, from its first name by the alphabet."""
    seen: set[str] = set()
    for start in sorted(stuck):
        path: list[str] = []
        name = start
        while name not in seen and name not in path:
            path.append(name)
            name = min(stuck[name])
        if name in path:
            yield _turned((*path[path.index(name) :], name))
        seen.update(path)


def _turned(cycle: tuple[str, ...]) -> tuple[str, ...]:
    ring = cycle[:-1]
    first = ring.index(min(ring))
    ring = ring[first:] + ring[:first]
    return (*ring, ring[0])
