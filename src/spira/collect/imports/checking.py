"""Checking: what a table would become, before anything is imported.

Reads   a file, by a connector
Writes  nothing

The first rows are shown as the calls they would become, every fault with its row and column, and
how many calls loading would refuse by the tracking plan, and why. A check stops after so many rows
if told to; it then says that it did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from spira.collect.calls import Call, Fault, inspect, read_request
from spira.collect.connectors.base import Connector, Part, Rows
from spira.collect.imports.reading import lots
from spira.collect.mapping.build import Builder
from spira.collect.mapping.values import shown
from spira.collect.modes import judged, mode_of
from spira.collect.properties import Properties
from spira.collect.tracking import Plan
from spira.kernel.settings import CollectSettings

SHOWN_CALLS = 10
SHOWN_FAULTS = 50
_NAMES = {"identify": "Identified"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMatch:
    """One column of the mapping, and where it stands in the table."""

    name: str = field(metadata={"help": "the mapping's name for it"})
    column: str | None = field(metadata={"help": "the table's column; none when it is not there"})
    type: str = field(metadata={"help": "what its values are read as"})
    sample: str = field(metadata={"help": "its first value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CallShown:
    """One call as it would arrive."""

    type: str = field(metadata={"help": "track or identify"})
    event: str | None = field(metadata={"help": "the event's name"})
    who: str = field(metadata={"help": "the user id, or else the anonymous id"})
    at: str | None = field(metadata={"help": "when it happened, in UTC"})
    details: str = field(metadata={"help": "its properties or traits, as JSON"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultShown:
    """One row that would become nothing."""

    row: int = field(metadata={"help": "the row as a spreadsheet counts it"})
    column: str = field(metadata={"help": "the table's column; empty when it is the row as a whole"})
    value: str = field(metadata={"help": "what stands there"})
    reason: str = field(metadata={"help": "what is wrong with it"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Calls that the loader would put into quarantine for one reason."""

    event: str = field(metadata={"help": "the event"})
    reason: str = field(metadata={"help": "why: one of the reasons of quarantine"})
    detail: str = field(metadata={"help": "what exactly is wrong with the first"})
    calls: int = field(metadata={"help": "how many"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a table would become."""

    part: str = field(metadata={"help": "the file's name"})
    mapping: str = field(metadata={"help": "the mapping"})
    rows: int = field(metadata={"help": "how many rows were looked at"})
    complete: bool = field(metadata={"help": "whether these are all the rows there are"})
    calls: int = field(metadata={"help": "how many calls they become"})
    skipped: int = field(metadata={"help": "how many rows no call is made of, as the mapping says"})
    faults: int = field(metadata={"help": "how many rows are at fault"})
    columns: tuple[ColumnMatch, ...] = field(metadata={"help": "the mapping's columns in the table"})
    unused: tuple[str, ...] = field(metadata={"help": "columns of the table that the mapping does not name"})
    first: tuple[CallShown, ...] = field(metadata={"help": "the first calls"})
    first_faults: tuple[FaultShown, ...] = field(metadata={"help": "the first rows at fault"})
    refused: tuple[Refusal, ...] = field(metadata={"help": "what the tracking plan would refuse"})


def check(
    connector: Connector,
    part: Part,
    builder: Builder,
    *,
    plan: Plan,
    at: datetime,
    most_rows: int = 0,
    mode: str | None = None,
) -> Report:
    """What the part's rows become; all of them, or the first `most_rows` or somewhat more. `mode` is the source's."""
    rows = calls = skipped = faults = 0
    complete = True
    first: list[CallShown] = []
    wrong: list[FaultShown] = []
    inspector = _Inspector(plan, at, mode)
    head = next(iter(connector.read(part)), None)
    for lot in lots(connector, part, builder):
        rows, calls, skipped = rows + lot.rows, calls + lot.calls, skipped + lot.skipped
        faults += len(lot.faults)
        wrong += [
            FaultShown(row=each.row, column=each.column, value=each.value, reason=each.reason)
            for each in lot.faults[: SHOWN_FAULTS - len(wrong)]
        ]
        for body in lot.bodies:
            told = inspector.look(body)
            first += told[: SHOWN_CALLS - len(first)]
        if most_rows and rows >= most_rows:
            complete = False
            break
    columns, unused = _matches(head, builder) if head is not None else ((), ())
    return Report(
        part=part.name,
        mapping=builder.mapping.mapping,
        rows=rows,
        complete=complete,
        calls=calls,
        skipped=skipped,
        faults=faults,
        columns=columns,
        unused=unused,
        first=tuple(first),
        first_faults=tuple(wrong),
        refused=inspector.refused(),
    )


class _Inspector:
    """Reads bodies as loading will, and counts what it would refuse."""

    def __init__(self, plan: Plan, at: datetime, mode: str | None) -> None:
        self._plan = plan
        self._mode = mode_of(plan, mode)
        self._at = at
        self._properties = Properties(plan)
        self._counted: Counter[tuple[str, str]] = Counter()
        self._details: dict[tuple[str, str], str] = {}

    def look(self, body: bytes) -> list[CallShown]:
        """The first calls of a body, as they would arrive."""
        found: list[CallShown] = []
        for call in read_request(body, "batch").calls:
            if isinstance(call, Fault):
                self._count("", call)
                continue
            name = _NAMES.get(call.type or "") or (call.event or "")
            if (wrong := self._wrong(name, call)) is not None:
                self._count(name, wrong)
            if len(found) < SHOWN_CALLS:
                found.append(_call(call))
        return found

    def refused(self) -> tuple[Refusal, ...]:
        """What would be refused, the most first."""
        return tuple(
            Refusal(event=event, reason=reason, detail=self._details[event, reason], calls=calls)
            for (event, reason), calls in self._counted.most_common(SHOWN_FAULTS)
        )

    def _count(self, name: str, wrong: Fault) -> None:
        self._counted[name, wrong.reason] += 1
        self._details.setdefault((name, wrong.reason), wrong.detail)

    def _wrong(self, name: str, call: Call) -> Fault | None:
        found = inspect(call, received_at=self._at, sent_at=None, limits=CollectSettings())
        if isinstance(found, Fault):
            return found
        judgement = judged(self._plan, self._properties, self._mode, name, call)
        return judgement if isinstance(judgement, Fault) else None


def _call(call: Call) -> CallShown:
    details = bytes(call.traits if call.type == "identify" else call.properties).decode()
    who = call.user_id if call.user_id is not None else call.anonymous_id
    return CallShown(type=call.type or "", event=call.event, who=str(who or ""), at=call.timestamp, details=details)


def _matches(head: Rows, builder: Builder) -> tuple[tuple[ColumnMatch, ...], tuple[str, ...]]:
    places = builder.places(list(head.columns))
    used = {each for each in places.values() if each is not None}
    matches = tuple(
        ColumnMatch(
            name=name,
            column=places[name],
            type=declared.type,
            sample=_sample(head.columns[place]) if (place := places[name]) is not None else "",
        )
        for name, declared in builder.mapping.columns.items()
    )
    return matches, tuple(name for name in head.columns if name not in used)


def _sample(column: Sequence[Any]) -> str:
    for value in column[:100]:
        plain = value.as_py() if hasattr(value, "as_py") else value
        if plain not in (None, ""):
            return plain[:60] if isinstance(plain, str) else shown(plain)[:60]
    return ""


def as_json(report: Report) -> bytes:
    """The report as the API writes it."""
    return msgspec.json.encode(report)
