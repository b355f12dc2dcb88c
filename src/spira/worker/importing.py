"""Importing: a thread beside the worker that carries imports out, one after the other, in a child of its own.

Reads   `imports/*.yaml`, `imports`, `import_schedules`; through the child: files, databases, object storage
Writes  the log, `imports`, `import_faults`, `import_schedules`

The child reads and maps; this thread only appends what it made, and keeps the cursor when that is
durable. Whoever is killed in between reads a lot again, whose message ids are known. It waits while
loading is behind, so that an import never keeps out what comes from clients. With a manual clock
only what somebody asked for is carried out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from spira.collect import sources
from spira.collect.envelope import Accepted, encode
from spira.collect.imports import tables, uploads
from spira.collect.imports.definition import connector_of, file_connector, name_of
from spira.collect.imports.jobs import (
    PartsTask,
    ReadLot,
    ReadTask,
    arrived,
    bodies_of,
    find_parts,
    read_lot,
)
from spira.collect.imports.tables import Beginning, Import, Schedule
from spira.collect.mapping.model import MappingDefinition, mapping_called
from spira.definitions.workspace import fingerprint
from spira.kernel.durations import parse_duration
from spira.kernel.errors import Conflict, Retryable, SpiraError
from spira.kernel.jobs import JobRunner
from spira.worker.beside import Looking
from spira.worker.clock import ManualClock
from spira.worker.core import Core

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 10.0
BACKLOG_BYTES = 256 * 1024 * 1024  # unloaded log above which an import waits
APPEND_BYTES = 8 * 1024 * 1024
UPLOAD = "upload"
_log = logging.getLogger("spira.imports")


class Importing(Looking):
    """The thread. `stop` waits for the lot in hand."""

    look_seconds, pause_seconds = LOOK_SECONDS, PAUSE_SECONDS

    def __init__(self, core: Core, *, runner: JobRunner | None = None) -> None:
        super().__init__("imports", runner=runner)
        self._core = core
        self._met: set[str] = set()  # files that are there again under another name

    def look(self) -> int:
        """Carry out what is due now; how many imports that were."""
        done = 0
        state = self._core.state
        waiting = [*tables.with_status(state, "waiting"), *tables.with_status(state, "running")]
        for each in waiting:
            if each.kind == UPLOAD and not self._stopping.is_set():
                self._upload(each)
                done += 1
        known = tables.schedules(state)
        for model in self._core.applied.of("import"):
            if self._stopping.is_set():
                break
            schedule = known.get(name_of(model), Schedule(name=name_of(model)))
            if self._due(model, schedule):
                self._definition(model, schedule)
                done += 1
        if done:
            tables.let_go(state, self._core.clock)
        return done

    def _failed(self, fault: Exception) -> None:
        if isinstance(fault, Retryable):
            _log.warning("%s; trying again", fault)
        else:
            _log.exception("an import failed; this is a fault in Spira")

    def _due(self, model: Any, schedule: Schedule) -> bool:
        if schedule.asked:
            return True
        if model.paused or isinstance(self._core.clock, ManualClock):
            return False
        return schedule.next_at is None or schedule.next_at <= self._core.clock.now()

    def _definition(self, model: Any, schedule: Schedule) -> None:
        """One run of a definition: every part that is new, and what goes wrong kept for the page."""
        core = self._core
        begun = core.clock.now()
        fault: str | None = None
        try:
            self._parts(model, again=schedule.asked)
        except SpiraError as wrong:
            fault = told(wrong)
            _log.warning("import `%s`: %s", schedule.name, fault)
        following: datetime | None = begun + parse_duration(model.every)
        tables.keep_schedule(core.state, replace(schedule, last_at=begun, next_at=following, asked=False, fault=fault))

    def _parts(self, model: Any, *, again: bool) -> None:
        core = self._core
        sources.get(core.state, model.source)
        mapping = mapping_called(model.mapping, core.applied.of("mapping"))
        kind, options = connector_of(
            model.origin, mapping, directory=core.directory, folders=core.settings.collect.import_folders
        )
        before = tables.of_name(core.state, name_of(model))
        settled = [mark for mark, each in before.items() if each.status == "done" or not again]
        settled = [mark for mark in settled if before[mark].status != "running"]
        task = PartsTask(kind=kind, options=options, known=[*settled, *self._met])
        wrong: SpiraError | None = None
        for part in self._child().run(find_parts, task).parts:
            begun = self._begin(model, mapping, kind, part)
            if begun.status == "done" and not part.grows:
                self._met.add(f"{part.name}\0{part.mark}")
                continue
            try:
                self._read(begun, kind, options, mapping, grows=part.grows)
            except Retryable:
                raise
            except SpiraError as fault:  # one bad file does not keep the others out
                wrong = wrong or fault
            if self._stopping.is_set():
                return
        if wrong is not None:
            raise wrong

    def _begin(self, model: Any, mapping: MappingDefinition, kind: str, part: Any) -> Import:
        what = Beginning(
            source=model.source,
            mapping=mapping.mapping,
            fingerprint="" if part.grows else fingerprint(mapping.model_dump(mode="json"), {}),
            kind=kind,
            part=part.name,
            identity=part.identity,
            actor="system",
            name=name_of(model),
            mark=part.mark,
        )
        begun = tables.begin(self._core.state, self._core.clock, what)
        if part.grows and begun.status == "done":
            tables.finish(self._core.state, self._core.clock, begun.import_id, status="running")
        return begun

    def _upload(self, each: Import) -> None:
        """A file that somebody handed in; it is gone when it was read."""
        core = self._core
        try:
            folder = uploads.folder_of(core.directory, each.mark)
            mapping = uploads.mapping_of(folder)
            with uploads.opened(folder, core.keys, core.paths.scratch) as path:
                kind, options = file_connector(path, mapping)
                self._read(each, kind, options, mapping, grows=False)
        except Retryable:
            raise
        except SpiraError as wrong:
            if tables.get(core.state, each.import_id).status != "failed":
                tables.finish(core.state, core.clock, each.import_id, fault=told(wrong))
            return
        if tables.get(core.state, each.import_id).status == "done":
            uploads.discard(core.directory, each.mark)

    def _read(
        self, begun: Import, kind: str, options: dict[str, Any], mapping: MappingDefinition, *, grows: bool
    ) -> None:
        """One part from its cursor to its end, lot by lot."""
        core, cursor = self._core, begun.cursor
        while not self._stopping.is_set():
            task = ReadTask(
                keys=str(core.directory),
                kind=kind,
                options=options,
                part=begun.part,
                mark=begun.mark,
                grows=grows,
                after=cursor,
                mapping=mapping.model_dump_json(by_alias=True).encode(),
                source=begun.source,
                zone=core.settings.workspace.zone,
                scratch=str(core.paths.scratch / "imports"),
            )
            try:
                lot = self._child().run(read_lot, task)
                self._keep(begun, lot)
            except Retryable as fault:
                tables.hold(core.state, core.clock, begun.import_id, told(fault))
                raise
            except SpiraError as wrong:
                tables.finish(core.state, core.clock, begun.import_id, fault=told(wrong))
                raise
            if lot.ended:
                tables.finish(core.state, core.clock, begun.import_id)
                return
            cursor = lot.cursor

    def _keep(self, begun: Import, lot: ReadLot) -> None:
        """Make a lot durable, then its cursor."""
        core = self._core
        now = tables.get(core.state, begun.import_id)
        if now.faults + len(lot.faults) > tables.MOST_FAULTS:
            raise Conflict(
                f"more than {tables.MOST_FAULTS} rows are at fault; nothing of the last lot was imported",
                help="mend the mapping, and import it again",
            )
        new = tables.keep_faults(core.state, core.clock, core.keys, begun.import_id, list(map(arrived, lot.faults)))
        waiting: list[bytes] = []
        size = 0
        for body in bodies_of(lot):
            waiting.append(body)
            size += len(body)
            if size >= APPEND_BYTES:
                self._append(begun.source, waiting)
                waiting, size = [], 0
        self._append(begun.source, waiting)
        Path(lot.file).unlink(missing_ok=True)
        tables.advance(
            core.state,
            core.clock,
            begun.import_id,
            cursor=lot.cursor,
            rows=lot.rows,
            calls=lot.calls,
            skipped=lot.skipped,
            faults=new,
        )

    def _append(self, source: str, bodies: Sequence[bytes]) -> None:
        """Append when there is room; an import waits for loading, clients never wait for an import."""
        if not bodies:
            return
        core = self._core
        while core.backlog() > BACKLOG_BYTES and not self._stopping.wait(0.2):
            continue
        now = core.clock.now()
        core.log.append([encode(Accepted(source, now, "batch", body)) for body in bodies])


def told(fault: SpiraError) -> str:
    """A fault as a page shows it, without the child's own words around it."""
    text = str(fault)
    _, mark, rest = text.partition("` failed: ")
    text = " ".join((rest if mark else text).split())
    return f"{text}; {fault.help}" if fault.help else text
