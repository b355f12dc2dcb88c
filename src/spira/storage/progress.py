"""Progress: how far each stage has come, in the warehouse beside what the stage writes.

Reads   `progress`
Writes  `progress`   one row per stage: the last batch it has taken in, and the instant it stood at

A stage marks its progress in the transaction of its own writes; killed before the commit, it
finds the old mark and does the same work again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from spira.storage.tables import Table, columns, table
from spira.storage.warehouse import Warehouse

PROGRESS = table(
    Table(
        name="progress",
        store="warehouse",
        stage="storage.progress",
        columns=columns(
            """
            stage VARCHAR required
            batch BIGINT required
            as_of TIMESTAMP required
            """
        ),
        key=("stage",),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a stage stands."""

    stage: str
    batch: int
    as_of: datetime


def since(warehouse: Warehouse, stage: str) -> int:
    """The last batch that `stage` has taken in; 0 before its first."""
    return int(warehouse.value(_BATCH, {"stage": stage}) or 0)


def stood_at(warehouse: Warehouse, stage: str) -> datetime | None:
    """The instant that `stage` last computed for; None before its first run."""
    found: datetime | None = warehouse.value(_AS_OF, {"stage": stage})
    return found


def mark(warehouse: Warehouse, stage: str, batch: int, as_of: datetime) -> None:
    """Say that `stage` has taken in everything up to `batch`, as of an instant."""
    row = {"stage": stage, "batch": batch, "as_of": as_of}
    with warehouse.transaction():
        if not warehouse.execute(_UPDATE, row):
            warehouse.execute(_INSERT, row)


def marks(warehouse: Warehouse) -> list[Mark]:
    """Where every stage stands, by name."""
    return [Mark(stage=stage, batch=batch, as_of=as_of) for stage, batch, as_of in warehouse.query(_ALL)]


_BATCH = "select batch from progress where stage = $stage"
_AS_OF = "select as_of from progress where stage = $stage"
_UPDATE = "update progress set batch = $batch, as_of = $as_of where stage = $stage"
_INSERT = "insert into progress (stage, batch, as_of) values ($stage, $batch, $as_of)"
_ALL = "select stage, batch, as_of from progress order by stage"
