"""Small kinds of definition, so that these tests depend on none of the real ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Literal

import pytest
from pydantic import Field

from spira.definitions.kinds import KINDS, Kind, kind
from spira.definitions.model import DefinitionModel, Duration, Label, NameStr
from spira.definitions.workspace import Workspace, read_definitions
from spira.kernel.diagnostics import Diagnostic
from spira.kernel.settings import Settings


class Entry(DefinitionModel):
    """How a walk begins."""

    event: str | None = None
    within: Duration | None = None


class Send(DefinitionModel):
    """A message."""

    channel: Literal["email", "webhook"]
    note: NameStr


class SendStep(DefinitionModel):
    """A step that sends."""

    send: Send


class WaitStep(DefinitionModel):
    """A step that waits."""

    wait: Duration


class Arm(DefinitionModel):
    """A way on."""

    else_: list[Step] = Field(alias="else")


class Step(DefinitionModel):
    """A step that may hold others, declared before it is known."""

    go: str | None = None
    branch: list[Arm] | None = None


class Walk(DefinitionModel):
    """A kind with nesting, a union, and people inside."""

    walk: NameStr
    label: Label | None = None
    enter: Entry = Entry()
    times: int = 1
    share: float = 0.0
    deep: list[Step] = Field(default_factory=list)
    steps: tuple[SendStep | WaitStep | Literal["exit"], ...] = ()


class Note(DefinitionModel):
    """A kind that refers to others of its kind, and to a file beside it."""

    note: NameStr
    label: Label | None = None
    uses: tuple[NameStr, ...] = ()
    from_: str | None = Field(default=None, alias="from")
    size: int = 1
    body: str | None = None
    names: Mapping[NameStr, int] = Field(default_factory=dict)


def references_of_walk(walk: Walk) -> list[tuple[str, str]]:
    """The notes that a walk sends."""
    return [("note", step.send.note) for step in walk.steps if isinstance(step, SendStep)]


def check_note(definition, _) -> list[Diagnostic]:
    """A note may not be bigger than 9."""
    if definition.model.size <= 9:
        return []
    return [Diagnostic(code="D999", message="too big", at=definition.node.at("size"))]


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    """Only the kinds above are registered while a test runs."""
    monkeypatch.setattr(KINDS, "_things", {})
    kind(Kind(name="walk", folder="walks", model=Walk, references=references_of_walk, alive=lambda: 0))
    kind(
        Kind(
            name="note",
            folder="notes",
            model=Note,
            check=check_note,
            references=lambda note: [("note", name) for name in note.uses],
            companions=lambda note: [note.body] if note.body else [],
            reserved=frozenset({"fresh"}),
        )
    )


def workspace(text: str, *, path: str = "notes/a.yaml", beside: Mapping[str, str] | None = None) -> Workspace:
    """A workspace of one file."""
    files = {PurePath(name): body for name, body in (beside or {}).items()}
    return read_definitions([(PurePath(path), text)], Settings(), beside=files.get)


@pytest.fixture
def of_text():
    """Makes a workspace of one file's text."""
    return workspace
