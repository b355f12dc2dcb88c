"""A turn: everything the stages of one refresh or tick are given.

The definitions' generation and the instant `as_of` are pinned when the turn begins, so that
every stage of it speaks of the same world.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from spira.collect.known import KnownIds
from spira.collect.tracking import Plan
from spira.definitions.apply import Applied
from spira.kernel.clock import Clock
from spira.kernel.jobs import JobRunner
from spira.kernel.settings import Settings
from spira.segment.conditions.catalog import Catalog
from spira.storage.keys import Keys
from spira.storage.log import Log
from spira.storage.log_apart import Apart
from spira.storage.state import State
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse
from spira.unify.facts_store import FactsStore
from spira.unify.ties import Ties


@dataclass(slots=True)
class Memory:
    """What one process remembers of its warehouse from turn to turn, and may find out again.

    `kinds_of` are the definitions whose kinds of identifiers the warehouse is known to hold; `ties` who is linked
    with whom.
    """

    known: KnownIds
    ties: Ties = field(default_factory=Ties)
    kinds_of: Applied | None = None

    @classmethod
    def of(cls, scratch: Path) -> Memory:
        """Nothing yet; large parts go to files in `scratch`."""
        return cls(KnownIds(scratch))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One refresh or tick. `warehouse` is the worker's own lane; `units` pairs unit ids with their codes.

    `apart` are the logs beside the core's own.
    """

    directory: Path
    scratch: Path
    settings: Settings
    clock: Clock
    keys: Keys
    log: Log
    apart: tuple[Apart, ...]
    state: State
    vault: Vault
    warehouse: Warehouse
    runner: JobRunner
    memory: Memory
    facts: FactsStore
    applied: Applied
    plan: Plan
    catalog: Catalog
    units: tuple[tuple[int, str], ...]
    public_url: str
    as_of: datetime
    full: bool = False
