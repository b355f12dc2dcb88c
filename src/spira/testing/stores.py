"""Stores as a first opening leaves them: made once in a process, and laid down again as bytes.

Opening makes a state by all its revisions and a warehouse table by table, in a third of a second;
a run of tests opens thousands. What is declared later is made by the opening, as in an upgrade.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from spira.collect.tracking import plan_of
from spira.definitions.apply import Applied
from spira.kernel.settings import Settings
from spira.storage.migrations.warehouse import prepare
from spira.storage.state import State, open_state
from spira.storage.warehouse import open_warehouse
from spira.worker.paths import Paths
from spira.worker.reconcile import take_up


def fresh_state(path: Path) -> State:
    """A new SQLite state at a path, with the tables that the imported packages declare, open."""
    path.write_bytes(_state())
    return open_state(path)


def lay_stores(directory: Path) -> None:
    """Lay the state and the warehouse of a workspace that was never used into its directory."""
    paths = Paths(directory)
    paths.data.mkdir(parents=True, exist_ok=True)
    paths.state.write_bytes(_state())
    paths.warehouse.write_bytes(_warehouse())


@cache
def _state() -> bytes:
    with TemporaryDirectory() as scratch:
        path = Path(scratch, "state.sqlite")
        with open_state(path) as made:
            made.settle()
        return path.read_bytes()


@cache
def _warehouse() -> bytes:
    with TemporaryDirectory() as scratch:
        path = Path(scratch, "warehouse.duckdb")
        with open_warehouse(path) as made:
            prepare(made)
            take_up(made, Applied(generation=0), plan_of(()), Settings())
        return path.read_bytes()
