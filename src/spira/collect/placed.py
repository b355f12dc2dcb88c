"""Placed: the decoded events of a batch beside the numbers that the loader gave them.

Reads   `batch_events`   (temporary) which of the decoded events are new, and their numbers
Writes  `events`         those events, in the order of their numbers

A row of `events` is wide, and its numbers are four. So only the numbers come out of the engine, and the rows
go in as they were decoded: joining and sorting whole rows to bring both together cost as much as writing them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spira.storage.warehouse import Warehouse

_OF_THE_STRETCH = ("item", "subject", "given_subject_id")  # columns that mean nothing outside of it
_NUMBERS = ("event_id", "subject_id", "profile_id")


def add(warehouse: Warehouse, incoming: pa.Table, batch: int) -> int:
    """Add the events that are new; how many there were."""
    placed = warehouse.arrow(_PLACED)
    rows = _rows(incoming.column("item").to_numpy(), placed.column("item").to_numpy())
    new = (incoming if rows is None else incoming.take(rows)).drop_columns(_OF_THE_STRETCH)
    for name in _NUMBERS:
        new = new.append_column(name, placed.column(name))
    with warehouse.registered("placed_events", new):
        return warehouse.execute(_ADD, {"batch": batch})


def _rows(there: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
    """Where each wanted item is among those that are there; None when they are the same in the same order."""
    if np.array_equal(there, wanted):
        return None
    order: npt.NDArray[np.int64] = np.argsort(there)
    found: npt.NDArray[np.int64] = order[np.searchsorted(there, wanted, sorter=order)]
    return found


_PLACED = "select item, event_id, subject_id, profile_id from batch_events order by event_id"
# One scan of one table, which the engine writes in the order it reads.
_ADD = "insert into events by name select *, $batch as batch from placed_events"
