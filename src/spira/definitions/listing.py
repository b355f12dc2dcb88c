"""Everything that is defined: what is applied and what the files say, side by side.

Reads   the applied definitions, and the files of the workspace

A definition that is only in the files is `new`, one that only is applied is `removed`; one whose files
say something else is `changed`, one with faults is `faulty`. Nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Literal

from spira.definitions.apply import Applied
from spira.definitions.check import check
from spira.definitions.kinds import KINDS, Definition, Reference
from spira.definitions.workspace import Edits, Workspace, definition_files, read_workspace
from spira.kernel.diagnostics import Diagnostic, render

State = Literal["applied", "changed", "new", "removed", "faulty"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionRow:
    """One definition, and how its files stand to what is applied."""

    kind: str = field(metadata={"help": "tag, audience, journey…"})
    name: str = field(metadata={"help": "its name"})
    label: Any = field(metadata={"help": "what people read, by language where it says so"})
    owner: str = field(metadata={"help": "who answers for it"})
    path: str = field(metadata={"help": "the file it lies in"})
    line: int = field(metadata={"help": "its first line"})
    state: State = field(metadata={"help": "applied, changed, new, removed or faulty"})
    fingerprint: str = field(metadata={"help": "a hash of what it says"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRow:
    """One fault in the files, as a person reads it."""

    code: str = field(metadata={"help": "the fault's code"})
    message: str = field(metadata={"help": "what is wrong"})
    path: str = field(metadata={"help": "the file"})
    line: int = field(metadata={"help": "the line"})
    drawn: str = field(metadata={"help": "the same with the line and a mark under the place"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All definitions of a workspace."""

    generation: int = field(metadata={"help": "the generation in force"})
    definitions: tuple[DefinitionRow, ...] = field(metadata={"help": "every definition, by kind and name"})
    faults: tuple[FaultRow, ...] = field(
        metadata={"help": "what is wrong in the files; they can't be applied with any"}
    )

    @property
    def pending(self) -> int:
        """How many definitions would change if the files were applied."""
        return sum(each.state != "applied" for each in self.definitions)


def listing(directory: Path, applied: Applied) -> Listing:
    """What is applied beside what the files say."""
    workspace = read_workspace(directory)
    faults = check(workspace)
    now = {(each.kind, each.name): each for each in applied.definitions}
    written = {(each.kind, each.name): each for each in workspace.definitions}
    wrong = _faulty(workspace, faults)
    rows = [_row(each, _state(each, now.get(key), wrong)) for key, each in written.items()]
    rows += [_row(each, "faulty" if key in wrong else "removed") for key, each in now.items() if key not in written]
    order = list(KINDS)
    rows.sort(key=lambda each: (order.index(each.kind) if each.kind in KINDS else len(order), each.name))
    return Listing(
        generation=applied.generation,
        definitions=tuple(rows),
        faults=tuple(fault_row(each, workspace) for each in faults),
    )


def faults_of(directory: Path, edits: Edits) -> tuple[FaultRow, ...]:
    """What would be wrong in the files after some edits."""
    workspace = read_workspace(directory, edits)
    return tuple(fault_row(each, workspace) for each in check(workspace))


def fault_row(found: Diagnostic, workspace: Workspace) -> FaultRow:
    """A fault with its place drawn."""
    source = workspace.sources.get(PurePath(found.at.path), "")
    return FaultRow(
        code=found.code,
        message=found.message,
        path=str(found.at.path),
        line=found.at.line,
        drawn=render(found, source or "\n" * found.at.line),
    )


def stamp(directory: Path) -> tuple[tuple[str, int, int], ...]:
    """Which files of definitions there are, and when each was written: equal as long as nobody touched them."""
    found = []
    for path in definition_files(directory):
        folder = (directory / path).parent
        found += [
            (str(each), each.stat().st_mtime_ns, each.stat().st_size) for each in folder.iterdir() if each.is_file()
        ]
    return tuple(sorted(set(found)))


def _state(written: Definition, applied: Definition | None, wrong: set[Reference]) -> State:
    if (written.kind, written.name) in wrong:
        return "faulty"
    if applied is None:
        return "new"
    return "applied" if applied.fingerprint == written.fingerprint else "changed"


def _row(each: Definition, state: State) -> DefinitionRow:
    return DefinitionRow(
        kind=each.kind,
        name=each.name,
        label=getattr(each.model, "label", None),
        owner=getattr(each.model, "owner", "") or "",
        path=str(each.path),
        line=each.node.at().line,
        state=state,
        fingerprint=each.fingerprint,
    )


def _faulty(workspace: Workspace, faults: tuple[Diagnostic, ...]) -> set[Reference]:
    """The definitions whose documents hold a fault, and those that could not be read at all."""
    found = set(workspace.broken)
    for fault in faults:
        inside = [each for each in workspace.definitions if each.path == fault.at.path]
        above = [each for each in inside if each.node.at().line <= fault.at.line]
        if above:
            last = max(above, key=lambda each: each.node.at().line)
            found.add((last.kind, last.name))
    return found
