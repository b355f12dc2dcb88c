"""What is applied: each apply makes a new generation of definitions, kept whole, never changed.

Reads   `generations`, `definitions`   (state)
Writes  `generations`, `definitions`   one transaction per apply, with its audit row

The newest generation is the one in force. An apply refuses when the generation or the files
have moved since the plan was made, so what a person saw is what happens. Going back is
applying an earlier generation's texts again: history only grows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

import sqlalchemy as sa

from spira.definitions.kinds import Definition
from spira.definitions.plan import Plan, digest
from spira.definitions.workspace import Workspace, read_definitions
from spira.kernel.clock import Clock
from spira.kernel.diagnostics import Diagnostic
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.settings import Settings
from spira.storage.audit import record_in
from spira.storage.state import State, state_table

STAGE = "definitions.apply"

GENERATIONS = state_table(
    "generations",
    sa.Column("generation", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    stage=STAGE,
)
DEFINITIONS = state_table(
    "definitions",
    sa.Column("generation", sa.Integer, sa.ForeignKey("generations.generation"), primary_key=True),
    sa.Column("kind", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("companions", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    stage=STAGE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The definitions in force. Generation 0 has none.

    `diagnostics` is empty but after an upgrade that no longer reads what an older version applied.
    """

    generation: int
    definitions: tuple[Definition, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()

    def of(self, kind: str) -> list[Any]:
        """The models of one kind, in the order they were written."""
        return [each.model for each in self.definitions_of(kind)]

    def definitions_of(self, kind: str) -> list[Definition]:
        """The definitions of one kind, in the order they were written."""
        return [each for each in self.definitions if each.kind == kind]

    def find(self, kind: str, name: str) -> Definition | None:
        """One definition, or None."""
        return next((each for each in self.definitions if (each.kind, each.name) == (kind, name)), None)

    def get(self, kind: str, name: str) -> Definition:
        """One definition; NotFound when it is not applied."""
        found = self.find(kind, name)
        if found is None:
            known = ", ".join(each.name for each in self.definitions_of(kind)) or "none"
            raise NotFound(f"no {kind} `{name}` is applied", help=f"applied are: {known}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """When a generation was applied, and by whom."""

    generation: int
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """One definition as it was written: its document's text, the lines of its file before it, its companions' texts."""

    kind: str
    name: str
    path: PurePath
    text: str
    line: int
    companions: Mapping[str, str]


def applied(state: State, *, kind: str | None = None) -> Applied:
    """What is in force now; of one kind only, for a process that has not read the others' modules."""
    newest = next(iter(generations(state)), None)
    if newest is None:
        return Applied(generation=0)
    written = [body for body in bodies(state, newest.generation) if kind in (None, body.kind)]
    beside = {body.path.parent / name: text for body in written for name, text in body.companions.items()}
    texts = [(body.path, "\n" * body.line + body.text) for body in written]
    read = read_definitions(texts, Settings(), beside=beside.get)
    return Applied(generation=newest.generation, definitions=read.definitions, diagnostics=read.diagnostics)


def newest_generation(state: State) -> int:
    """The number of the newest generation; 0 before the first."""
    with state.read() as connection:
        return int(connection.execute(sa.select(sa.func.max(GENERATIONS.c.generation))).scalar() or 0)


def generations(state: State) -> list[Generation]:
    """All generations, the newest first."""
    with state.read() as connection:
        rows = connection.execute(sa.select(GENERATIONS).order_by(GENERATIONS.c.generation.desc()))
        return [Generation(generation=row.generation, at=row.at, actor=row.actor) for row in rows]


def bodies(state: State, generation: int) -> list[Body]:
    """The definitions of a generation as they were written; NotFound when there is no such generation."""
    if generation not in {each.generation for each in generations(state)}:
        raise NotFound(f"there is no generation {generation}", help="generations count up from 1 with every apply")
    chosen = sa.select(DEFINITIONS).where(DEFINITIONS.c.generation == generation).order_by(DEFINITIONS.c.place)
    with state.read() as connection:
        return [
            Body(
                kind=row.kind,
                name=row.name,
                path=PurePath(row.path),
                text=row.body,
                line=row.line,
                companions=json.loads(row.companions),
            )
            for row in connection.execute(chosen)
        ]


def apply(state: State, clock: Clock, actor: str, plan: Plan, workspace: Workspace) -> int:
    """Put the workspace in force, as planned; the new generation, or the old one when nothing differs."""
    if not plan.changes:
        return plan.base
    if digest(plan.base, workspace.definitions) != plan.fingerprint:
        raise Conflict("the files have changed since the plan was made", help="plan again, and apply what you see")
    generation = plan.base + 1
    with state.write() as connection:
        newest = connection.execute(sa.select(sa.func.max(GENERATIONS.c.generation))).scalar() or 0
        if newest != plan.base:
            raise Conflict(
                f"generation {newest} was applied since the plan was made against {plan.base}",
                help="plan again, and apply what you see",
            )
        row = {"generation": generation, "at": clock.now(), "actor": actor, "fingerprint": plan.fingerprint}
        connection.execute(sa.insert(GENERATIONS), row)
        if workspace.definitions:
            connection.execute(sa.insert(DEFINITIONS), list(_rows(generation, workspace.definitions)))
        changes = [f"{each.action} {each.kind} {each.name}" for each in plan.changes]
        record_in(
            connection,
            clock,
            actor=actor,
            action="apply",
            subject=f"generation {generation}",
            detail={"changes": changes},
        )
    return generation


def _rows(generation: int, definitions: Iterable[Definition]) -> Iterator[dict[str, Any]]:
    for place, each in enumerate(definitions):
        yield {
            "generation": generation,
            "kind": each.kind,
            "name": each.name,
            "place": place,
            "path": str(each.path),
            "line": each.node.at().line - 1,
            "body": each.node.text,
            "companions": json.dumps(dict(each.companions), ensure_ascii=False, sort_keys=True),
            "fingerprint": each.fingerprint,
        }
