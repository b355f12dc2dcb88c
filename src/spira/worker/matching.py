"""Matching: runs of probable matching, in a child of their own, and the thread that begins them when they are due.

Reads   `matching/*.yaml`, and what `unify.matching.candidates` gathers
Writes  `match_candidates`, `match_models`, `match_runs`, and identity's tables, by way of `unify.matching.candidates`

A run gathers on a lane of its own, is done in a child that ends with it and gives its memory back, and holds the
worker up only while its findings are written. What it looks at first is one number, so a look without news costs
nothing. With a manual clock nothing is matched but what somebody asks for.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

import logging
import shutil
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from spira.definitions.apply import Applied
from spira.definitions.workspace import fingerprint
from spira.kernel.clock import Clock
from spira.kernel.durations import parse_duration
from spira.kernel.errors import Conflict, NotFound, SpiraError
from spira.kernel.ids import new_id
from spira.kernel.jobs import JobRunner
from spira.kernel.settings import Settings
from spira.storage import progress
from spira.storage.state import State
from spira.storage.warehouse import Warehouse
from spira.unify import changed, erase
from spira.unify.erase import Stores
from spira.unify.matching import candidates, forms
from spira.unify.matching.candidates import Found, Learned
from spira.unify.matching.definition import MatchingDefinition, columns_of
from spira.unify.matching.evaluate import weight_of
from spira.unify.matching.job import MatchTask
from spira.unify.matching.job import match as match_job
from spira.unify.matching.needs import MatchingMissing, need
from spira.unify.matching.tables import STAGE
from spira.unify.portrait import says
from spira.worker.beside import Looking
from spira.worker.children import Children
from spira.worker.clock import ManualClock

LOOK_SECONDS = 5.0
PAUSE_SECONDS = 300.0
GROWN = 2  # times as many records as the model was learned from: it is learned anew
_running = threading.Lock()
_log = logging.getLogger("spira.matching")


class Matchable(Protocol):
    """What a run needs of the core."""

    settings: Settings

    @property
    def directory(self) -> Path: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def state(self) -> State: ...
    @property
    def applied(self) -> Applied: ...

    def lane(self) -> Warehouse: ...
    def exclusive(self) -> AbstractContextManager[Any]: ...
    def stores(self) -> Stores: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRun:
    """What a run did."""

    run_at: datetime = says("when it was")
    everyone: bool = says("whether all people were matched with all, or only those new or changed")
    records: int = says("how many people there are to match, as evidence alone makes them")
    changed: int = says("how many of them were matched with all others")
    pairs: int = says("how many pairs were found likely enough to be kept")
    joining: int = says("how many of all kept pairs are sure enough to join by themselves")
    moved: int = says("how many identifiers went to another profile")
    cleaned: int = says("how many records were opened and cleaned; of the others the form was known")
    seconds: float = says("how long comparing took")
    model: str = says("the version of the model")


def match(
    core: Matchable, *, full: bool = False, keep_model: bool = False, runner: JobRunner | None = None
) -> MatchRun | None:
    """Match whoever is new or changed, or everyone; None where nothing has changed since the last run.

    A `full` run learns the model anew, unless it is to be kept. NotFound where the workspace has no matching, Conflict
    while another run is going on, MatchingMissing without the libraries.
    """
    model = definition_of(core.applied)
    if model is None:
        _clear(core)
        raise NotFound(
            "this workspace matches nobody", help="write `matching: people` into matching/people.yaml, and apply it"
        )
    need("splink")
    if not _running.acquire(blocking=False):
        raise Conflict("people are being matched at this moment", help="wait until that is done")
    try:
        return _match(core, model, full=full, keep_model=keep_model, runner=runner)
    finally:
        _running.release()


def definition_of(applied: Applied) -> MatchingDefinition | None:
    """The workspace's one model, if it has any."""
    found: list[MatchingDefinition] = applied.of("matching")
    return min(found, key=lambda each: each.matching, default=None)


def _clear(core: Matchable) -> None:
    """Take away what matching has joined and made, since the workspace asks for none."""
    (core.directory / "data" / forms.FILE).unlink(missing_ok=True)
    with core.exclusive():
        stores = core.stores()
        candidates.clear(stores.warehouse, at=core.clock.now(), ties=stores.ties)


def _match(
    core: Matchable, model: MatchingDefinition, *, full: bool, keep_model: bool, runner: JobRunner | None
) -> MatchRun | None:
    lane, said = core.lane(), fingerprint(model.model_dump(mode="json"), {})
    learned = candidates.learned(lane)
    learned = learned if learned is not None and learned.fingerprint == said else None
    upto, since = changed.newest(lane), progress.since(lane, STAGE)
    everyone = full or learned is None
    if not everyone and upto <= since:
        return None
    if full and not keep_model:
        learned = None
    folder = core.directory / "data" / "scratch" / "matching" / new_id("run")
    erased = len(erase.listed(core.state))
    own = Children()  # starts a process when it is first asked
    try:
        told, units = candidates.gather(lane, folder, columns_of(model.compared), since=since, upto=upto)
        task = _task(core, model, folder, told, units)
        task.saved, task.everyone = learned.saved if learned else None, everyone
        matched = (runner or own).run(match_job, task)
        found = Found(
            matched=matched,
            pairs=_read(task.out),
            name=model.matching,
            fingerprint=said,
            join=None if model.join == "never" else float(model.join),
            everyone=everyone,
            fresh=learned is None,
            upto=upto,
        )
        with core.exclusive():
            at, stores = core.clock.now(), core.stores()
            kept = candidates.keep(stores.warehouse, found, at=at, ties=stores.ties)
            if len(erase.listed(core.state)) == erased:  # what was read before an erasure does not come back by a file
                _keep_forms(core, Path(task.forms_out))
    finally:
        own.close()
        shutil.rmtree(folder, ignore_errors=True)
    return MatchRun(
        run_at=at,
        everyone=everyone,
        records=matched.records,
        changed=matched.records if everyone else matched.changed,
        pairs=matched.pairs,
        joining=kept.joining,
        moved=kept.moved,
        cleaned=matched.cleaned,
        seconds=matched.seconds,
        model=matched.saved.version,
    )


def _task(core: Matchable, model: MatchingDefinition, folder: Path, told: str, units: str) -> MatchTask:
    """What a child is to do with what was gathered; which model it goes by is for the caller to say."""
    return MatchTask(
        keys=str(core.directory),
        state=_where(core.state),
        told=told,
        units=units,
        out=str(folder / "pairs.arrow"),
        columns=[(name, kind) for name, kind, _ in columns_of(model.compared)],
        exact=[name for name, how in model.compare.items() if how == "exact"],
        asked=model.block,
        least=weight_of(model.review),
        memory=core.settings.storage.memory,
        threads=core.settings.storage.threads or 2,
        forms=str(core.directory / "data" / forms.FILE),
        forms_out=str(folder / forms.FILE.name),
    )


def _keep_forms(core: Matchable, made: Path) -> None:
    """Put the forms of a run in their place, if it made any."""
    if made.is_file():
        kept = core.directory / "data" / forms.FILE
        kept.parent.mkdir(exist_ok=True)
        made.replace(kept)


def _read(path: str) -> pa.Table:
    with pa.memory_map(path) as source:
        return pa.ipc.open_file(source).read_all()


def _where(state: State) -> str:
    """The database of the state, as another process opens it."""
    url = state.engine.url
    return str(url.database) if state.is_sqlite else url.render_as_string(hide_password=False)


class Matching(Looking):
    """The thread that begins runs when they are due. `stop` waits for the one in hand."""

    look_seconds, pause_seconds = LOOK_SECONDS, PAUSE_SECONDS

    def __init__(self, core: Matchable, *, runner: JobRunner | None = None) -> None:
        super().__init__("matching", runner=runner)
        self._core = core
        self._cleared: Applied | None = None
        self._tried: datetime | None = None

    def look(self) -> MatchRun | None:
        """Begin a run if one is due; what it did. Where matching was taken away, so is all that it had joined."""
        core = self._core
        model = definition_of(core.applied)
        if model is None:
            if self._cleared is not core.applied:
                _clear(core)
                self._cleared = core.applied
            return None
        if model.paused or isinstance(core.clock, ManualClock):
            return None
        now = core.clock.now()
        if self._tried is not None and now - self._tried < parse_duration(model.every):
            return None
        lane = core.lane()
        learned = candidates.learned(lane)
        full = learned is not None and is_old(learned, model, now=now, records=candidates.people(lane))
        if not full and learned is not None and changed.newest(lane) <= progress.since(lane, STAGE):
            return None
        self._tried = now
        return match(core, full=full, runner=self._runner)

    def _failed(self, fault: Exception) -> None:
        if isinstance(fault, MatchingMissing):
            _log.warning("%s; %s", fault, fault.help)
        elif isinstance(fault, SpiraError):
            _log.error("matching: %s; %s", fault, fault.help)
        else:
            _log.exception("matching failed; this is a fault in Spira")


def is_old(learned: Learned, model: MatchingDefinition, *, now: datetime, records: int) -> bool:
    """Whether a model is to be learned anew: its time is over, or there are many more people than it was made of."""
    return now - learned.trained_at >= parse_duration(model.learn) or records > GROWN * max(
        learned.saved.records, 1_000
    )
