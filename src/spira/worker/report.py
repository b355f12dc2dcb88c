"""How the system is: each stage's last run and lag, the stores' sizes, who is working.

Reads   `progress`, `loaded`, `log_damage`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spira.collect import damage
from spira.collect.damage import LogDamage
from spira.storage.warehouse import Warehouse
from spira.worker.collectors import CollectorReport
from spira.worker.paths import Paths

if TYPE_CHECKING:
    from spira.worker.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stage's last run in this process, and what all its runs took together."""

    stage: str
    at: datetime | None = None
    seconds: float = 0.0
    rows: int = 0
    fault: str | None = None
    runs: int = 0
    total_seconds: float = 0.0

    def finished(self, at: datetime, seconds: float, rows: int) -> Run:
        """This stage after one more run."""
        total = self.total_seconds + seconds
        return replace(self, at=at, seconds=seconds, rows=rows, fault=None, runs=self.runs + 1, total_seconds=total)

    def failed(self, at: datetime, seconds: float, fault: str) -> Run:
        """This stage after a run that failed."""
        total = self.total_seconds + seconds
        return replace(self, at=at, seconds=seconds, rows=0, fault=fault, runs=self.runs + 1, total_seconds=total)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport:
    """One row of the System page."""

    name: str = field(metadata={"help": "the stage"})
    reads: tuple[str, ...] = field(metadata={"help": "what it reads"})
    writes: tuple[str, ...] = field(metadata={"help": "what it writes"})
    in_turn: bool = field(metadata={"help": "whether it runs in turns, or acts when called"})
    as_of: datetime | None = field(metadata={"help": "the instant its tables speak of"})
    lag: int | None = field(metadata={"help": "batches loaded that it has not seen yet"})
    run: Run = field(metadata={"help": "its last run in this process"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemReport:
    """Everything the System page shows."""

    now: datetime = field(metadata={"help": "the workspace's clock"})
    manual: bool = field(metadata={"help": "whether the clock is stepped by hand"})
    generation: int = field(metadata={"help": "the applied generation of the definitions"})
    batch: int = field(metadata={"help": "the last loaded batch"})
    backlog_bytes: int = field(metadata={"help": "accepted and not loaded yet, collectors included"})
    sizes: Mapping[str, int] = field(metadata={"help": "bytes on disk, by store"})
    children: tuple[int, ...] = field(metadata={"help": "process ids of the children"})
    collectors: tuple[CollectorReport, ...] = field(metadata={"help": "more processes that take calls in"})
    damage: tuple[LogDamage, ...] = field(metadata={"help": "what of the log could not be read, of the last month"})
    stages: tuple[StageReport, ...] = field(metadata={"help": "the pipeline, in order"})


def system_report(
    warehouse: Warehouse,
    *,
    stages: Sequence[Stage],
    runs: Mapping[str, Run],
    now: datetime,
    manual: bool,
    generation: int,
    backlog: int,
    children: Sequence[int],
    collectors: tuple[CollectorReport, ...] = (),
    paths: Paths,
) -> SystemReport:
    """The report as of now."""
    batch = warehouse.value("select max(batch) from loaded") or 0
    touched = warehouse.value("select max(batch) from changes") or 0  # a batch that touched nobody leaves no lag
    seen = {stage: (at, as_of) for stage, at, as_of in warehouse.query("select stage, batch, as_of from progress")}
    rows = []
    for stage in stages:
        at, as_of = seen.get(stage.name, (0, None))
        rows.append(
            StageReport(
                name=stage.name,
                reads=stage.reads,
                writes=stage.writes,
                in_turn=stage.run is not None,
                as_of=as_of,
                lag=max(0, touched - at) if stage.batches else None,
                run=runs.get(stage.name, Run(stage=stage.name)),
            )
        )
    return SystemReport(
        now=now,
        manual=manual,
        generation=generation,
        batch=batch,
        backlog_bytes=backlog + sum(each.backlog_bytes for each in collectors),
        sizes={
            "log": sum(map(_size, (paths.log, *paths.logs_apart))),
            "warehouse": _size(paths.warehouse),
            "state": _size(paths.state),
        },
        children=tuple(children),
        collectors=collectors,
        damage=damage.recent(warehouse, now=now),
        stages=tuple(rows),
    )


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
