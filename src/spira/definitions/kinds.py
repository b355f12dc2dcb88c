"""Kinds: what can be defined in a workspace, each registered by the package that it belongs to.

This package knows no particular kind. A `Kind` brings the model of its files, the names a
definition refers to, and a check of what a model alone can't see; all of `check`, `plan`,
`apply` and the JSON Schema then work for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, TypeVar

from pydantic import BaseModel

from spira.definitions.source import Key, Node
from spira.kernel.diagnostics import Diagnostic
from spira.kernel.registry import Registry
from spira.kernel.settings import Settings

T = TypeVar("T")
Reference = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One definition that was read and decoded.

    `node` is the document it was read from, `fingerprint` a hash of what it says and of its
    companions, and `companions` the texts of the files it names, such as a template's body.
    """

    kind: str
    name: str
    model: Any
    node: Node
    path: PurePath
    fingerprint: str
    companions: Mapping[str, str] = field(default_factory=dict)


class World:
    """Everything that is defined side by side, for checks that look beyond one definition."""

    def __init__(
        self,
        definitions: Iterable[Definition],
        settings: Settings,
        *,
        broken: Iterable[Reference] = (),
    ) -> None:
        self.settings = settings
        self.definitions: dict[Reference, Definition] = {}
        for each in definitions:
            self.definitions.setdefault((each.kind, each.name), each)
        self._broken = frozenset(broken)
        self._memory: dict[str, Any] = {}

    def of(self, kind: str) -> list[Definition]:
        """The definitions of one kind, in the order they were read."""
        return [each for each in self.definitions.values() if each.kind == kind]

    def get(self, kind: str, name: str) -> Definition | None:
        """One definition, or None."""
        return self.definitions.get((kind, name))

    def knows(self, kind: str, name: str) -> bool:
        """Whether there is such a definition, be it one with faults of its own."""
        return (kind, name) in self.definitions or (kind, name) in self._broken

    def names(self, kind: str) -> list[str]:
        """The names of one kind, those with faults included."""
        found = [*self.definitions, *self._broken]
        return sorted({name for each, name in found if each == kind})

    def memo(self, key: str, make: Callable[[], T]) -> T:
        """What `make` makes, once for this world: for what several checks need, such as a catalogue."""
        if key not in self._memory:
            self._memory[key] = make()
        made: T = self._memory[key]
        return made


def _none(*_: Any) -> tuple[Any, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of definition.

    `name` is also the key that a file begins with (`tag: orders_90d`), unless `name_field`
    says another. `references` lists (kind, name) pairs that must exist: a kind whose names
    stand in expressions reports unknown ones in `check` instead. `companions` lists files
    beside the definition that belong to it. A change in only `text_fields` needs no
    recomputing. `alive` is set for kinds that people may be in the middle of. `reserved` are
    names that no definition may have, for the console has pages of its own at their addresses.
    """

    name: str
    folder: str
    model: type[BaseModel]
    name_field: str = ""
    check: Callable[[Definition, World], Iterable[Diagnostic]] = _none
    references: Callable[[Any], Iterable[Reference]] = _none
    companions: Callable[[Any], Iterable[str]] = _none
    text_fields: frozenset[str] = frozenset({"label", "description", "owner"})
    alive: Callable[..., Any] | None = None
    reserved: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The key that names a definition of this kind."""
        return self.name_field or self.name


KINDS: Registry[Kind] = Registry("kind of definition")


def kind(declared: Kind) -> Kind:
    """Register a kind; called once for each where its model is declared."""
    return KINDS.add(declared.name, declared)


def kind_by_key(key: Key) -> Kind | None:
    """The kind whose files begin with `key`, or None."""
    return next((each for _, each in KINDS.items() if each.key == key), None)
