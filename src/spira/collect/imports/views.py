"""What pages and the API show of imports: the schedules, the list, one import with its rows at fault.

Reads   `imports`, `import_faults`, `import_schedules`   (state)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spira.collect import sources
from spira.collect.imports import tables
from spira.collect.imports.definition import name_of
from spira.collect.imports.tables import Import
from spira.collect.mapping.model import MappingDefinition, shipped
from spira.storage.state import State

LIST = 50
SHOWN_FAULTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """One import on a schedule."""

    name: str = field(metadata={"help": "the definition's name"})
    label: Any = field(metadata={"help": "what people call it"})
    source: str = field(metadata={"help": "the source its events come through"})
    kind: str = field(metadata={"help": "the kind of connector"})
    mapping: str = field(metadata={"help": "the mapping"})
    every: str = field(metadata={"help": "how often it is looked at"})
    paused: bool = field(metadata={"help": "whether it waits"})
    asked: bool = field(metadata={"help": "whether somebody asked for a run that has not begun"})
    last_at: datetime | None = field(metadata={"help": "when it ran last"})
    next_at: datetime | None = field(metadata={"help": "when it runs next; none while it is paused"})
    rows: int = field(metadata={"help": "rows read so far"})
    faults: int = field(metadata={"help": "rows at fault so far"})
    fault: str | None = field(metadata={"help": "what went wrong in the last run"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportShown:
    """One import in the list."""

    import_id: str = field(metadata={"help": "its id"})
    name: str | None = field(metadata={"help": "the schedule it belongs to; none when a person began it"})
    source: str = field(metadata={"help": "the source"})
    mapping: str = field(metadata={"help": "the mapping"})
    kind: str = field(metadata={"help": "file, upload, or the kind of connector"})
    part: str = field(metadata={"help": "the file or table"})
    status: str = field(metadata={"help": "checked, waiting, running, done or failed"})
    rows: int = field(metadata={"help": "rows read"})
    calls: int = field(metadata={"help": "calls made of them"})
    skipped: int = field(metadata={"help": "rows no call is made of, as the mapping says"})
    faults: int = field(metadata={"help": "rows at fault"})
    fault: str | None = field(metadata={"help": "what stopped it"})
    actor: str = field(metadata={"help": "who began it"})
    started_at: datetime = field(metadata={"help": "when it began"})
    updated_at: datetime = field(metadata={"help": "when it moved last"})
    ended_at: datetime | None = field(metadata={"help": "when it ended"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportList:
    """The page of imports."""

    as_of: datetime = field(metadata={"help": "the instant this speaks of"})
    schedules: tuple[Scheduled, ...] = field(metadata={"help": "what is read on a schedule"})
    imports: tuple[ImportShown, ...] = field(metadata={"help": "what was imported, the last begun first"})
    next: str | None = field(metadata={"help": "where the next page begins; none on the last"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowAtFault:
    """One row that became nothing."""

    row: int = field(metadata={"help": "the row as a spreadsheet counts it"})
    column: str = field(metadata={"help": "the table's column; empty when it is the row as a whole"})
    reason: str = field(metadata={"help": "what is wrong"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportView:
    """One import in full."""

    as_of: datetime = field(metadata={"help": "the instant this speaks of"})
    told: ImportShown = field(metadata={"help": "the import"})
    rows_at_fault: tuple[RowAtFault, ...] = field(metadata={"help": "the first two hundred rows at fault"})
    kept_days: int = field(metadata={"help": "for how many days rows at fault are kept"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingChoice:
    """A mapping that an upload may be read by."""

    name: str = field(metadata={"help": "the mapping's name"})
    label: Any = field(metadata={"help": "what people call it"})
    shipped: bool = field(metadata={"help": "whether it comes with Spira"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an upload can be: through which source, by which mapping."""

    sources: tuple[str, ...] = field(metadata={"help": "sources that have not ended"})
    mappings: tuple[MappingChoice, ...] = field(metadata={"help": "mappings, the workspace's own first"})


def listing(state: State, definitions: Sequence[Any], *, as_of: datetime, before: datetime | None = None) -> ImportList:
    """The schedules, and a page of what was imported."""
    found = tables.latest(state, limit=LIST + 1, before=before)
    known = tables.schedules(state)
    return ImportList(
        as_of=as_of,
        schedules=tuple(_scheduled(state, each, known.get(name_of(each))) for each in definitions),
        imports=tuple(map(shown, found[:LIST])),
        next=found[LIST - 1].started_at.isoformat() if len(found) > LIST else None,
    )


def one(state: State, import_id: str, *, as_of: datetime) -> ImportView:
    """One import with its first rows at fault; NotFound when there is none."""
    found = tables.get(state, import_id)
    faults = tables.faults_of(state, import_id, limit=SHOWN_FAULTS)
    return ImportView(
        as_of=as_of,
        told=shown(found),
        rows_at_fault=tuple(RowAtFault(row=each.row, column=each.column, reason=each.reason) for each in faults),
        kept_days=tables.KEPT_DAYS,
    )


def choices(state: State, own: Sequence[MappingDefinition]) -> Choices:
    """What an upload can be."""
    mine = [MappingChoice(name=each.mapping, label=each.label, shipped=False) for each in own]
    named = {each.name for each in mine}
    theirs = [
        MappingChoice(name=name, label=model.label, shipped=True)
        for name, (model, _) in shipped().items()
        if name not in named
    ]
    open_sources = tuple(each.source for each in sources.every(state) if each.ended_at is None)
    return Choices(sources=open_sources, mappings=(*mine, *theirs))


def shown(found: Import) -> ImportShown:
    """An import as it is shown."""
    return ImportShown(
        import_id=found.import_id,
        name=found.name,
        source=found.source,
        mapping=found.mapping,
        kind=found.kind,
        part=found.part,
        status=found.status,
        rows=found.rows,
        calls=found.calls,
        skipped=found.skipped,
        faults=found.faults,
        fault=found.fault,
        actor=found.actor,
        started_at=found.started_at,
        updated_at=found.updated_at,
        ended_at=found.ended_at,
    )


def _scheduled(state: State, model: Any, kept: tables.Schedule | None) -> Scheduled:
    parts = tables.latest(state, limit=1_000, name=name_of(model))
    return Scheduled(
        name=name_of(model),
        label=model.label,
        source=model.source,
        kind=str(model.origin.get("kind", "")),
        mapping=model.mapping,
        every=model.every,
        paused=model.paused,
        asked=bool(kept and kept.asked),
        last_at=kept.last_at if kept else None,
        next_at=None if model.paused or kept is None else kept.next_at,
        rows=sum(each.rows for each in parts),
        faults=sum(each.faults for each in parts),
        fault=kept.fault if kept else None,
    )
