"""The core: one process that owns a workspace's stores, and everything that may be asked of them.

Opening takes the directory's lock before anything else; the stores are then brought up to
date, and the applied definitions' generation is pinned for the next turn. All turns, and
whatever changes what they stand on (apply, erase, backup), run one after another under one
lock, on the worker's own lane. Readers have a lane a thread.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import spira.worker.builtin  # noqa: F401  (registers everything)
from spira.collect import load as loading
from spira.collect import stretches, tracking
from spira.collect.door import Door
from spira.collect.intake import Intake
from spira.definitions import apply as applying
from spira.definitions import plan as planning
from spira.definitions.files import admitted, write
from spira.definitions.workspace import Edits, read_workspace
from spira.kernel.clock import Clock
from spira.kernel.errors import Conflict, SpiraError, StorageDamaged
from spira.kernel.jobs import JobRunner
from spira.kernel.kept import Kept
from spira.kernel.settings import Settings, load_settings
from spira.kernel.viewer import Viewer
from spira.measure.summary import Summary, summary
from spira.segment import facts_copy
from spira.segment.conditions.catalog import Catalog
from spira.storage import backup as backing
from spira.storage.keys import Keys, load_keys
from spira.storage.log import BEGINNING, Log, Position
from spira.storage.migrations import state as state_schema
from spira.storage.migrations import warehouse as warehouse_schema
from spira.storage.state import State, open_state
from spira.storage.trouble import trouble_of
from spira.storage.vault import Vault
from spira.storage.warehouse import Warehouse, open_warehouse
from spira.unify import erase, units
from spira.worker import reconcile, turns
from spira.worker.children import Children
from spira.worker.clock import ManualClock, open_clock
from spira.worker.collectors import Collectors
from spira.worker.lanes import Lanes
from spira.worker.lock import DirectoryLock
from spira.worker.paths import Paths
from spira.worker.report import Run, SystemReport, system_report
from spira.worker.stages import STAGES, Stage, of_refresh, of_tick
from spira.worker.turn import Memory, Turn

T = TypeVar("T")


class Core:
    """An open workspace. Close it, or use it as a context manager; `Core.open` is the way in."""

    def __init__(
        self,
        *,
        directory: Path,
        settings: Settings,
        keys: Keys,
        state: State,
        warehouse: Warehouse,
        log: Log,
        runner: JobRunner,
        closing: ExitStack,
    ) -> None:
        self.directory = directory
        self.paths = Paths(directory)
        self.settings = settings
        self.keys = keys
        self.state = state
        self.log = log
        self.vault = Vault(state, keys)
        self.clock: Clock = open_clock(settings.workspace.clock, state)
        self.runs: dict[str, Run] = {}
        self.public_url = settings.server.public_url
        self._warehouse = warehouse
        self._runner = runner
        self._closing = closing
        self._turns = threading.RLock()
        self._kept = Kept()
        self._world = 0  # counts up with every turn that computes, so that kept answers know their age
        self._lanes = Lanes(warehouse.lane())  # made from one of their own, since the worker's is busy during a turn
        self._closing.callback(self._close_warehouse)
        self._closing.callback(self._lanes.end)
        self._closing.callback(self._kept.close)
        self._memory = Memory.of(self.paths.scratch)
        self.facts = closing.enter_context(facts_copy.opened(warehouse, self.paths.facts))
        self.collectors = Collectors(self.paths, settings, keys)
        self._closing.callback(self.collectors.close)
        self._loaded: Mapping[str, Position] = loading.positions(warehouse)
        self.take_up()
        self.door = Door(state, self.clock, lambda: self.plan_of_events)
        self._closing.callback(self.door.refusals.close)
        self.intake = Intake(
            log=self.collectors.topic.log or log,
            state=state,
            clock=self.clock,
            settings=settings,
            backlog=self.backlog,
            door=self.door,
        )

    @classmethod
    def open(cls, directory: Path, *, runner: JobRunner | None = None, lock: DirectoryLock | None = None) -> Core:
        """Open the workspace in `directory`; DirectoryBusy names who else has it.

        A `lock` that the caller holds already is used, and stays the caller's: a restore opens its
        half-restored workspace so, to erase again whom it brought back.
        """
        settings = load_settings(directory)
        paths = Paths(directory)
        with ExitStack() as opening:
            if lock is None:
                opening.callback(DirectoryLock(paths.lock).release)
                if backing.unfinished(paths.data):
                    raise StorageDamaged(
                        "a restore was broken off half-way",
                        help="run the same `spira restore` again before anything else",
                    )
            keys = load_keys(directory)
            state = opening.enter_context(open_state(paths.state))
            state_schema.prepare(state)
            warehouse = opening.enter_context(
                open_warehouse(paths.warehouse, memory=settings.storage.memory, threads=settings.storage.threads)
            )
            warehouse_schema.prepare(warehouse)
            log = Log.open(paths.log, keys)
            opening.callback(log.close)
            if runner is None:
                runner = Children(stretches.AHEAD)
                opening.callback(runner.close)
            shutil.rmtree(paths.scratch, ignore_errors=True)
            paths.scratch.mkdir(parents=True)
            core = cls(
                directory=directory,
                settings=settings,
                keys=keys,
                state=state,
                warehouse=warehouse,
                log=log,
                runner=runner,
                closing=opening,
            )
            erase.resume(core.stores())
            core._closing = opening.pop_all()
        return core

    # Turns

    def load(self) -> None:
        """Stage 2 alone: bring what was accepted into the warehouse."""
        self._run(STAGES[1:2])

    def refresh(self, *, full: bool = False) -> dict[str, Run]:
        """Stages 2 to 6; with `full`, for every profile."""
        return self._run(of_refresh(), full=full)

    def tick(self) -> dict[str, Run]:
        """Stages 2 to 13."""
        return self._run(of_tick())

    def step_clock(self, to: datetime) -> datetime:
        """Move a manual clock on; Conflict when the clock is real."""
        if not isinstance(self.clock, ManualClock):
            raise Conflict("this workspace's clock is real", help='set clock = "manual" under [workspace] to step it')
        with self._turns:
            return self.clock.step(to)

    def _run(self, stages: tuple[Stage, ...], *, full: bool = False) -> dict[str, Run]:
        """Run the stages in order; a stage that fails ends the turn and is remembered with its fault."""
        done = {}
        with self._turns:
            self._revive()
            turn = self._turn(full=full)
            for stage in stages:
                done[stage.name] = self._run_stage(stage, turn)
                if stage.run is turns.load:
                    self._loaded = self.collectors.loaded(loading.positions(self._warehouse))
            self._world += len(stages) > 1
        return done

    def _run_stage(self, stage: Stage, turn: Turn) -> Run:
        before = self.runs.get(stage.name, Run(stage=stage.name))
        started = time.perf_counter()
        try:
            rows = stage.run(turn) if stage.run else 0
        except Exception as raised:
            fault = trouble_of(raised) or raised
            said = str(fault) if isinstance(fault, SpiraError) else f"{type(fault).__name__}: {fault}"
            self.runs[stage.name] = before.failed(turn.as_of, time.perf_counter() - started, said)
            if fault is raised:
                raise
            raise fault from raised
        self.runs[stage.name] = run = before.finished(turn.as_of, time.perf_counter() - started, rows)
        return run

    def _revive(self) -> None:
        """Open the warehouse anew when DuckDB has given it up, as it does when a checkpoint finds the disk full."""
        if self._warehouse.is_usable():
            return
        self._close_warehouse()
        storage = self.settings.storage
        try:
            self._warehouse = open_warehouse(self.paths.warehouse, memory=storage.memory, threads=storage.threads)
        except Exception as raised:
            raise trouble_of(raised) or raised from raised
        self._memory = Memory.of(self.paths.scratch)
        self._lanes.renew(self._warehouse.lane())

    def _close_warehouse(self) -> None:
        self._lanes.close()
        self._warehouse.close()

    def _turn(self, *, full: bool) -> Turn:
        return Turn(
            directory=self.directory,
            scratch=self.paths.scratch,
            settings=self.settings,
            clock=self.clock,
            keys=self.keys,
            log=self.log,
            apart=self.collectors.to_load(),
            state=self.state,
            vault=self.vault,
            warehouse=self._warehouse,
            runner=self._runner,
            memory=self._memory,
            facts=self.facts,
            applied=self.applied,
            plan=self.plan_of_events,
            catalog=self.catalog,
            units=units.codes(self.state),
            public_url=self.public_url,
            as_of=self.clock.now(),
            full=full,
        )

    # Definitions

    def take_up(self) -> None:
        """Make the warehouse fit the applied definitions, and pin them for the turns to come."""
        with self._turns:
            self.applied = applying.applied(self.state)
            self.plan_of_events = tracking.plan_of(self.applied.of("tracking"), self.applied.of("identifier"))
            self.catalog: Catalog = reconcile.take_up(self._warehouse, self.applied, self.plan_of_events, self.settings)

    def plan(self, edits: Edits | None = None) -> planning.Plan:
        """What applying the files, with `edits` made, would change, and for how many people; writes nothing."""
        admitted(self.directory, edits or {})
        workspace = read_workspace(self.directory, edits)
        found = planning.plan(self.applied, workspace)
        if not found.changes:  # nobody is moved, so nobody need wait for the turn in hand
            return found
        with self._turns, self._warehouse.lane() as lane:
            return reconcile.plan_for_people(lane, self.applied, workspace)

    def apply(self, viewer: Viewer, *, edits: Edits | None = None, fingerprint: str | None = None) -> planning.Plan:
        """Write the edits and apply the files as the next generation; the plan that was carried out.

        `fingerprint` is that of the plan which was seen; Conflict when the files or the generation have
        moved since. The files are written first: one who is killed then leaves changes that are on disk
        and not yet applied, as if made by hand. A refusal leaves the files as they were.
        """
        admitted(self.directory, edits or {})
        with self._turns:
            found = planning.plan(self.applied, read_workspace(self.directory, edits))
            if fingerprint is not None and fingerprint != found.fingerprint:
                raise Conflict(
                    "the definitions have changed since this plan was made", help="look at the new plan, and apply that"
                )
            undo = write(self.directory, edits or {})
            try:
                if found.changes:
                    workspace = read_workspace(self.directory)
                    applying.apply(self.state, self.clock, viewer.staff_id, found, workspace)
            except BaseException:
                write(self.directory, undo)
                raise
            if found.changes:
                self.take_up()
            return found

    def lane(self) -> Warehouse:
        """This thread's own lane for reading; nobody waits for a turn to get one."""
        return self._lanes.lane()

    def meanwhile(self, find: Callable[[Warehouse], T]) -> Future[T]:
        """What `find` reads on a lane of its own, while this thread goes on."""
        return self._lanes.meanwhile(find)

    def kept(self, question: Hashable, find: Callable[[], T]) -> T:
        """An answer that may be half a minute old, or older if it took long; `find` finds it when none is kept."""
        return self._kept.get((self.applied.generation, question), self._world, find)

    def soon(self, question: Hashable, find: Callable[[], T], *, within: float) -> T | None:
        """The same if it is found `within` seconds, else None; it is found on, and kept for who asks again."""
        return self._kept.soon((self.applied.generation, question), self._world, find, within=within)

    def backlog(self) -> int:
        """How many bytes of the core's own log, and of the topic, are waiting to be loaded."""
        return self.log.size_after(self._loaded.get(loading.LOG, BEGINNING)) + self.collectors.topic.behind

    def report(self) -> SystemReport:
        """How the stages and stores are, for the System page."""
        children = self._runner.pids() if isinstance(self._runner, Children) else []
        return system_report(
            self.lane(),
            stages=STAGES,
            runs=self.runs,
            now=self.clock.now(),
            manual=isinstance(self.clock, ManualClock),
            generation=self.applied.generation,
            backlog=self.backlog(),
            children=children,
            collectors=self.collectors.report(self._loaded),
            paths=self.paths,
        )

    # Maintenance

    def stores(self) -> erase.Stores:
        """What erasing needs; for one who holds `exclusive()`. Nothing that is kept outlives it."""
        self._kept.forget()
        return erase.Stores(
            warehouse=self._warehouse,
            state=self.state,
            vault=self.vault,
            keys=self.keys,
            log=self.log,
            log_directory=self.paths.log,
            apart=self.collectors.roll,
            forget=self.facts.forget,
            clock=self.clock,
            load=self.load,
            ties=self._memory.ties,
        )

    def backup(self, to: Path) -> backing.Manifest:
        """Write everything but the keys into the file `to`: one moment of all stores, while callers go on."""
        with self._turns:
            barrier, apart = self.log.roll(), {log.name: place.segment for log, place in self.collectors.roll()}
            self.load()
            self._warehouse.checkpoint()
            return backing.backup(
                self.paths.places(),
                to,
                state=self.state,
                barrier=barrier,
                apart=apart,
                keys=self.keys,
                clock=self.clock,
                runner=self._runner,
            )

    def summary(self) -> Summary:
        """The workspace in one screen of counts."""
        return summary(
            self.lane(),
            as_of=self.clock.now(),
            audiences=tuple(each.audience for each in self.applied.of("audience")),
            tags=len(self.applied.of("tag")),
        )

    def exclusive(self) -> threading.RLock:
        """The lock that turns run under; hold it for whatever must not meet a turn."""
        return self._turns

    @property
    def worker_lane(self) -> Warehouse:
        """The worker's lane; only for one who holds `exclusive()`."""
        return self._warehouse

    def close(self) -> None:
        """Wait for the turn in hand, then close everything, the lock last."""
        with self._turns:
            self._closing.close()

    def __enter__(self) -> Core:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
