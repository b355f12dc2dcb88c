"""Schema versions of the warehouse: what is declared exists, and older files are brought up to date.

Reads   `warehouse_version`
Writes  `warehouse_version`, and the shape of every declared table

A new table or a new column needs no step: it is made where it is missing. Whatever else
changes is a step in `STEPS`, run once, in order; steps, tables and the version are one
transaction. A file that a newer Spira has written is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from spira.kernel.errors import StorageDamaged
from spira.storage import ddl
from spira.storage.tables import TABLES, Table, columns, table
from spira.storage.warehouse import Warehouse

Step = Callable[[Warehouse], None]


def _heads_of_keys(warehouse: Warehouse) -> None:
    """Each identifier gets the head of its key, by which it is found."""
    if warehouse.columns("identifiers"):
        warehouse.execute("alter table identifiers add column if not exists key_head ubigint")
        warehouse.execute("update identifiers set key_head = ('0x' || subject_key[1:16])::ubigint")


# The step at place n takes a file of version n + 1 to version n + 2.
STEPS: tuple[Step, ...] = (_heads_of_keys,)

WAREHOUSE_VERSION = table(
    Table(
        name="warehouse_version",
        store="warehouse",
        stage="storage.migrations",
        columns=columns("version INTEGER required"),
    )
)


def prepare(warehouse: Warehouse, *, steps: Sequence[Step] = STEPS) -> int:
    """Bring the file up to date; the version it had before, 0 for a new one.

    StorageDamaged when a newer Spira has written it.
    """
    newest = len(steps) + 1
    before = version(warehouse)
    if before > newest:
        raise StorageDamaged(
            f"the warehouse has version {before}; this Spira knows versions up to {newest}",
            help="run the newer Spira that wrote it, or restore a backup from before",
        )
    with warehouse.transaction():
        if before:
            for step in steps[before - 1 :]:
                step(warehouse)
        there = warehouse.shapes()
        for name, declared in TABLES.items():
            if declared.store == "warehouse":
                _shape(warehouse, declared, there.get(name, {}))
        if before != newest:
            warehouse.execute(_FORGET_VERSION)
            warehouse.execute(_SET_VERSION, {"version": newest})
    return before


def version(warehouse: Warehouse) -> int:
    """The version of the file; 0 when nothing was ever made in it."""
    if not warehouse.columns("warehouse_version"):
        return 0
    return int(warehouse.value(_VERSION) or 0)


def _shape(warehouse: Warehouse, declared: Table, there: Mapping[str, str]) -> None:
    """Make a table, or the columns it does not have yet (which are empty in the rows that are there)."""
    if not there:
        warehouse.execute(ddl.create(declared))
        return
    for column in declared.columns:
        if column.name not in there:
            warehouse.execute(ddl.add_column(declared.name, column))


_VERSION = "select max(version) from warehouse_version"
_FORGET_VERSION = "delete from warehouse_version"
_SET_VERSION = "insert into warehouse_version (version) values ($version)"
