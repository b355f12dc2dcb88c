"""A registry: names to things of one kind, filled by built-ins and strangers alike.

Registries are the only mutable module-level state in the house.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from spira.kernel.diagnostics import did_you_mean
from spira.kernel.errors import NotFound

T = TypeVar("T")


class Registry(Generic[T]):
    """Things of one `kind` by name, in the order they were added."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> T:
        """Register `thing`; a name is taken once."""
        if name in self._things and self._things[name] is not thing:
            raise ValueError(f"there already is a {self.kind} called `{name}`")
        self._things[name] = thing
        return thing

    def get(self, name: str) -> T:
        """The thing called `name`; NotFound says what there is."""
        try:
            return self._things[name]
        except KeyError:
            known = ", ".join(self._things) or "none"
            help = did_you_mean(name, self._things) or f"there are: {known}"
            raise NotFound(f"there is no {self.kind} called `{name}`", help=help) from None

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def items(self) -> list[tuple[str, T]]:
        """Every name with its thing."""
        return list(self._things.items())
