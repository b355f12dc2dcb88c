"""The child's job of an import: read a part from a cursor on, and leave the bodies in a file.

Reads   files, databases, object storage
Writes  one file of bodies in the scratch folder, each behind its length

A lot is bounded in rows and bytes, so that what is read is soon durable and its cursor kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

import spira.collect.connectors.builtin  # noqa: F401  (built-in connectors register themselves)
from spira.collect.connectors.base import Part, open_connector
from spira.collect.imports.reading import lots
from spira.collect.mapping.build import Builder, RowFault
from spira.collect.mapping.model import MappingDefinition
from spira.kernel.jobs import job
from spira.storage.keys import load_keys

LOT_ROWS = 200_000
LOT_BYTES = 64 * 1024 * 1024
_LENGTH = 4


class ReadTask(msgspec.Struct, frozen=True, kw_only=True):
    """What to read, the mapping as JSON, and from where. `keys` is the workspace's directory."""

    keys: str
    kind: str
    options: dict[str, Any]
    part: str
    mark: str
    grows: bool
    after: str
    mapping: bytes
    source: str
    zone: str
    scratch: str


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A row at fault, on its way to the parent."""

    row: int
    column: str
    reason: str
    cells: dict[str, str]
    subject_key: str


class ReadLot(msgspec.Struct, frozen=True, kw_only=True):
    """What was read: the file of bodies, the counts, the cursor behind it, and whether that is the part's end."""

    file: str
    rows: int
    calls: int
    skipped: int
    faults: list[Fault]
    cursor: str
    ended: bool


class PartsTask(msgspec.Struct, frozen=True, kw_only=True):
    """Which connector is asked what there is. Parts whose name and mark are in `known` need no identity."""

    kind: str
    options: dict[str, Any]
    known: list[str]


class FoundPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part that there is, with its identity."""

    name: str
    mark: str
    grows: bool
    identity: str


class PartsFound(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that are new."""

    parts: list[FoundPart]


@job("collect.imports.parts", task=PartsTask, result=PartsFound)
def find_parts(task: PartsTask) -> PartsFound:
    """What there is to read that is not known yet."""
    connector = open_connector(task.kind, task.options)
    known = set(task.known)
    return PartsFound(
        parts=[
            FoundPart(name=each.name, mark=each.mark, grows=each.grows, identity=connector.identity(each))
            for each in connector.parts()
            if each.grows or f"{each.name}\0{each.mark}" not in known
        ]
    )


@job("collect.imports.read", task=ReadTask, result=ReadLot)
def read_lot(task: ReadTask) -> ReadLot:
    """Read one lot."""
    mapping = MappingDefinition.model_validate_json(task.mapping)
    builder = Builder(mapping, source=task.source, keys=load_keys(Path(task.keys)), zone=task.zone)
    connector = open_connector(task.kind, task.options)
    part = Part(name=task.part, mark=task.mark, grows=task.grows)
    scratch = Path(task.scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    path = scratch / "lot"
    rows = calls = skipped = size = 0
    faults: list[Fault] = []
    cursor, ended = task.after, True
    with path.open("wb") as file:
        for lot in lots(connector, part, builder, task.after):
            for body in lot.bodies:
                file.write(len(body).to_bytes(_LENGTH, "little"))
                file.write(body)
                size += len(body)
            rows, calls, skipped = rows + lot.rows, calls + lot.calls, skipped + lot.skipped
            faults += map(_crossing, lot.faults)
            cursor = lot.cursor
            if rows >= LOT_ROWS or size >= LOT_BYTES:
                ended = False
                break
    return ReadLot(file=str(path), rows=rows, calls=calls, skipped=skipped, faults=faults, cursor=cursor, ended=ended)


def bodies_of(lot: ReadLot) -> Iterator[bytes]:
    """The bodies that a lot left in its file."""
    with Path(lot.file).open("rb") as file:
        while length := file.read(_LENGTH):
            yield file.read(int.from_bytes(length, "little"))


def _crossing(fault: RowFault) -> Fault:
    return Fault(
        row=fault.row,
        column=fault.column,
        reason=fault.reason,
        cells=dict(fault.cells),
        subject_key=fault.subject_key,
    )


def arrived(fault: Fault) -> RowFault:
    """A row at fault that came from a child."""
    return RowFault(
        row=fault.row,
        column=fault.column,
        value="",
        reason=fault.reason,
        cells=fault.cells,
        subject_key=fault.subject_key,
    )
