"""The history of definitions: what each generation changed, line by line, and going back to one.

Reads   `generations`, `definitions`   (state)

Going back is an edit like any other: the files are made to say what they said then, and applied as the
next generation, after a plan. History only grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import unified_diff
from pathlib import Path, PurePath
from typing import Literal

from spira.definitions.apply import Applied, Body, Generation, bodies, generations
from spira.definitions.editing import place_of, with_definition, without_definition, without_tail
from spira.definitions.workspace import Edits, read_workspace
from spira.kernel.errors import NotFound
from spira.storage.state import State

Mark = Literal["+", "-", " ", "@"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a difference; `+` came, `-` went, ` ` stands beside it, `@` says where."""

    mark: Mark = field(metadata={"help": "+, -, a space, or @"})
    text: str = field(metadata={"help": "the line"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChange:
    """What a generation did to one definition."""

    kind: str = field(metadata={"help": "its kind"})
    name: str = field(metadata={"help": "its name"})
    action: Literal["add", "change", "remove"] = field(metadata={"help": "what was done"})
    lines: tuple[Line, ...] = field(metadata={"help": "the difference, its text and its companions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRow:
    """One generation in a list."""

    generation: int = field(metadata={"help": "its number"})
    at: datetime = field(metadata={"help": "when it was applied"})
    actor: str = field(metadata={"help": "by whom: the id of a staff member, or of a job"})
    changes: tuple[tuple[str, str, str], ...] = field(metadata={"help": "action, kind and name of each change"})


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationView:
    """One generation against the one before it."""

    generation: int = field(metadata={"help": "its number"})
    at: datetime = field(metadata={"help": "when it was applied"})
    actor: str = field(metadata={"help": "by whom"})
    newest: bool = field(metadata={"help": "whether it is the one in force"})
    changes: tuple[TextChange, ...] = field(metadata={"help": "what it changed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A generation that changed one definition."""

    generation: int = field(metadata={"help": "the generation"})
    at: datetime = field(metadata={"help": "when"})
    actor: str = field(metadata={"help": "by whom"})
    change: TextChange = field(metadata={"help": "what became of the definition"})


def history(state: State, *, before: int | None = None, limit: int = 50) -> list[GenerationRow]:
    """Generations, the newest first, each with what it changed."""
    found = [each for each in generations(state) if before is None or each.generation < before][:limit]
    return [
        GenerationRow(
            generation=each.generation,
            at=each.at,
            actor=each.actor,
            changes=tuple((change.action, change.kind, change.name) for change in _changes(state, each.generation)),
        )
        for each in found
    ]


def generation_view(state: State, number: int) -> GenerationView:
    """One generation with its differences; NotFound when there is none of that number."""
    changes = tuple(_changes(state, number))
    known = generations(state)
    found = next(each for each in known if each.generation == number)
    return GenerationView(
        generation=number, at=found.at, actor=found.actor, newest=known[0].generation == number, changes=changes
    )


def revisions(state: State, kind: str, name: str, *, limit: int = 20) -> list[Revision]:
    """The generations that changed one definition, the newest first."""
    found = []
    for each in generations(state):
        change = _change_of(state, each, kind, name)
        if change is not None:
            found.append(Revision(generation=each.generation, at=each.at, actor=each.actor, change=change))
        if len(found) >= limit:
            break
    return found


def text_at(state: State, number: int, kind: str, name: str) -> tuple[str, Mapping[str, str]]:
    """What generation `number` said of one definition: its text and its companions; NotFound when it had none."""
    there = next((each for each in bodies(state, number) if (each.kind, each.name) == (kind, name)), None)
    if there is None:
        raise NotFound(
            f"generation `{number}` has no {kind} `{name[:80]}`", help="its history names those that have it"
        )
    return without_tail(there.text).strip("\n") + "\n", there.companions


def as_of_generation(directory: Path, state: State, applied: Applied, number: int) -> Edits:
    """The edits that make the files say what generation `number` said; NotFound when there is none."""
    wanted = bodies(state, number)
    read = read_workspace(directory)
    written = {(each.kind, each.name): each for each in read.definitions}
    known = {(each.kind, each.name) for each in applied.definitions} | written.keys() | read.broken
    edits: Edits = {}
    for kind, name in sorted(known - {(body.kind, body.name) for body in wanted}):
        if place_of(directory, kind, name, edits=edits):
            edits = without_definition(directory, kind, name, edits=edits)
    for body in wanted:
        there = written.get((body.kind, body.name))
        if there and (there.node.text.strip(), dict(there.companions)) == (body.text.strip(), dict(body.companions)):
            continue
        text = without_tail(body.text)
        edits = with_definition(directory, body.kind, body.name, text, edits=edits, path=body.path)
        edits = {**edits, **{body.path.parent / PurePath(name): text for name, text in body.companions.items()}}
    return edits


def _change_of(state: State, generation: Generation, kind: str, name: str) -> TextChange | None:
    return next(
        (each for each in _changes(state, generation.generation) if (each.kind, each.name) == (kind, name)), None
    )


def _changes(state: State, number: int) -> list[TextChange]:
    after = {(each.kind, each.name): each for each in bodies(state, number)}
    before = {} if number == 1 else {(each.kind, each.name): each for each in bodies(state, number - 1)}
    found = [_change(before.get(key), each) for key, each in after.items()]
    found += [_change(each, None) for key, each in before.items() if key not in after]
    return [each for each in found if each is not None]


def _change(before: Body | None, after: Body | None) -> TextChange | None:
    one = after or before
    if one is None or (before and after and _said(before) == _said(after)):
        return None
    lines = _difference(_texts(before), _texts(after))
    action: Literal["add", "change", "remove"] = "add" if before is None else "remove" if after is None else "change"
    return TextChange(kind=one.kind, name=one.name, action=action, lines=tuple(lines))


def _said(body: Body) -> tuple[str, Mapping[str, str]]:
    return without_tail(body.text), body.companions


def _texts(body: Body | None) -> dict[str, str]:
    return {} if body is None else {"": without_tail(body.text).strip("\n"), **body.companions}


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> list[Line]:
    found: list[Line] = []
    for name in {**before, **after}:
        old, new = before.get(name, ""), after.get(name, "")
        if old == new:
            continue
        if name:
            found.append(Line(mark="@", text=name))
        found += _lines(old.splitlines(), new.splitlines())
    return found


def _lines(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    marks: dict[str, Mark] = {"+": "+", "-": "-", " ": " "}
    drawn = list(unified_diff(old, new, lineterm="", n=3))[2:]
    return [Line(mark=marks.get(each[:1], "@"), text="…" if each.startswith("@@") else each[1:]) for each in drawn]
