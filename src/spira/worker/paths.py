"""Where things lie in a workspace directory.

Everything under `data/` is derived or collected and goes into a backup; the keys lie beside
it, and never do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spira.storage.backup import Places
from spira.storage.log_apart import logs_apart


@dataclass(frozen=True, slots=True)
class Paths:
    """The files of one workspace. Everything but `data/` is a person's, and belongs in git (the keys excepted)."""

    directory: Path

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def lock(self) -> Path:
        return self.data / "lock"

    @property
    def warehouse(self) -> Path:
        return self.data / "warehouse.duckdb"

    @property
    def state(self) -> Path:
        return self.data / "state.sqlite"

    @property
    def facts(self) -> Path:
        """The copy of the facts, which is in no backup: it is made from the warehouse again."""
        return self.data / "facts.sqlite"

    @property
    def log(self) -> Path:
        return self.data / "log"

    @property
    def logs_apart(self) -> list[Path]:
        """The logs of collectors, those that run and those that ran."""
        return [each.directory for each in logs_apart(self.data)]

    def places(self) -> Places:
        """What a backup holds, and a restore puts back."""
        return Places(data=self.data, warehouse=self.warehouse, state=self.state, log=self.log)

    @property
    def scratch(self) -> Path:
        return self.data / "scratch"

    @property
    def server(self) -> Path:
        return self.data / "run" / "server.json"
