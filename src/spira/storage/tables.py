"""What tables there are: each package declares its own, and everything that must reach every table reads this.

A `Table` says which store holds it, which one stage writes it, and how it is bound to people:
erase, export, the data map and the test of one writer a table are all drawn from here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from spira.kernel.registry import Registry

Store = Literal["warehouse", "state"]
Person = Literal["profile_id", "subject_id", "subject_key", "vault_key", "address_key", "event_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its name, its DuckDB type, and whether it may be null."""

    name: str
    type: str
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table. `person` is the column that ties a row to a person, or None when no row is about one.

    `stage` is the one stage that writes it (or the part of the house, for the state).
    `holds` says in a few words what personal data is inside, for the data map.
    """

    name: str
    store: Store
    stage: str
    columns: tuple[Column, ...] = field(default_factory=tuple)
    key: tuple[str, ...] = ()
    person: Person | None = None
    holds: str = ""


TABLES: Registry[Table] = Registry("table")


def table(declared: Table) -> Table:
    """Register a table; called once for each where its package declares it."""
    return TABLES.add(declared.name, declared)


def columns(text: str) -> tuple[Column, ...]:
    """Columns written as one line each: `name TYPE` or `name TYPE required`."""
    found = []
    for line in text.strip().splitlines():
        name, _, rest = line.strip().partition(" ")
        kind, _, flag = rest.strip().rpartition(" ")
        required = flag == "required"
        found.append(Column(name=name, type=kind if required else rest.strip(), required=required))
    return tuple(found)
