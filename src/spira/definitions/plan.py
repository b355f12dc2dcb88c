"""What applying a workspace would change: definitions, and what becomes of people.

A plan is made and nothing is written. It remembers the generation it was made against and
what it would put in its place, so that `apply` can refuse when either has moved. How many
people a change concerns is asked of callables given by the caller, since this package knows
no people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from spira.definitions.check import check
from spira.definitions.kinds import KINDS, Definition, Kind, Reference
from spira.definitions.workspace import Workspace
from spira.kernel.errors import DefinitionsInvalid

if TYPE_CHECKING:
    from spira.definitions.apply import Applied  # which imports this module

Action = Literal["add", "change", "remove"]
Severity = Literal["text", "recompute", "in_flight"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One definition that is added, changed or removed.

    `difference` says field by field what was and what will be; `reaches` names the definitions
    that refer to this one; `people` holds counts by what happens to them, such as `leave`.
    """

    action: Action
    kind: str
    name: str
    severity: Severity
    difference: tuple[str, ...] = ()
    reaches: tuple[Reference, ...] = ()
    people: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All changes, the generation they start from, and the fingerprint of both sides."""

    base: int
    changes: tuple[Change, ...]
    fingerprint: str


Assess = Callable[[Change], Mapping[str, int]]


def plan(applied: Applied, workspace: Workspace, *, assess: Mapping[str, Assess] | None = None) -> Plan:
    """The way from what is applied to what the workspace says; DefinitionsInvalid names its faults while it has any."""
    if faults := check(workspace):
        listed = "\n".join(f"  {each.at}: [{each.code}] {each.message}" for each in faults)
        raise DefinitionsInvalid(
            f"the definitions have faults:\n{listed}", help="`spira check` shows each with its place"
        )
    before = {(each.kind, each.name): each for each in applied.definitions}
    after = {(each.kind, each.name): each for each in workspace.definitions}
    changes = [_added(each) for key, each in after.items() if key not in before]
    changes += [
        _changed(before[key], each)
        for key, each in after.items()
        if key in before and before[key].fingerprint != each.fingerprint
    ]
    changes += [_removed(each) for key, each in before.items() if key not in after]
    users = _users([*before.values(), *after.values()])
    whole = [replace(each, reaches=_reached(users, (each.kind, each.name))) for each in changes]
    order = list(KINDS)
    whole.sort(key=lambda each: (order.index(each.kind) if each.kind in KINDS else len(order), each.name))
    return Plan(
        base=applied.generation,
        changes=tuple(replace(each, people=_people(each, assess or {})) for each in whole),
        fingerprint=digest(applied.generation, workspace.definitions),
    )


def digest(generation: int, definitions: Iterable[Definition]) -> str:
    """A hash of a generation and of the definitions that would follow it."""
    said = sorted(f"{each.kind}\0{each.name}\0{each.fingerprint}" for each in definitions)
    return hashlib.sha256("\n".join([str(generation), *said]).encode()).hexdigest()[:32]


def _people(change: Change, assess: Mapping[str, Assess]) -> Mapping[str, int]:
    asked = assess.get(change.kind)
    return dict(asked(change)) if asked and change.severity != "text" else {}


def _added(definition: Definition) -> Change:
    return Change(action="add", kind=definition.kind, name=definition.name, severity="recompute")


def _removed(definition: Definition) -> Change:
    alive = definition.kind in KINDS and KINDS.get(definition.kind).alive is not None
    severity: Severity = "in_flight" if alive else "recompute"
    return Change(action="remove", kind=definition.kind, name=definition.name, severity=severity)


def _changed(before: Definition, after: Definition) -> Change:
    kind = KINDS.get(after.kind)
    old, new = before.node.value, after.node.value
    fields = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    difference = [f"{key}: {_brief(old.get(key))} → {_brief(new.get(key))}" for key in fields]
    files = {*before.companions, *after.companions}
    texts = [name for name in sorted(files) if before.companions.get(name) != after.companions.get(name)]
    return Change(
        action="change",
        kind=after.kind,
        name=after.name,
        severity=_severity(kind, fields, texts),
        difference=(*difference, *(f"{name} is rewritten" for name in texts)),
    )


def _severity(kind: Kind, fields: Iterable[str], texts: list[str]) -> Severity:
    if set(fields) <= kind.text_fields and (not texts or "body" in kind.text_fields):
        return "text"
    return "in_flight" if kind.alive is not None else "recompute"


def _brief(value: Any) -> str:
    text = "nothing" if value is None else " ".join(str(value).split())
    return text if len(text) <= _BRIEF else text[: _BRIEF - 1] + "…"


_BRIEF = 80


def _users(definitions: Iterable[Definition]) -> Mapping[Reference, set[Reference]]:
    users: dict[Reference, set[Reference]] = {}
    for each in definitions:
        if each.kind in KINDS:
            for there in KINDS.get(each.kind).references(each.model):
                users.setdefault(there, set()).add((each.kind, each.name))
    return users


def _reached(users: Mapping[Reference, set[Reference]], start: Reference) -> tuple[Reference, ...]:
    """Whatever refers to `start`, be it through others."""
    found: set[Reference] = set()
    ahead = [start]
    while ahead:
        fresh = users.get(ahead.pop(), set()) - found - {start}
        found |= fresh
        ahead += fresh
    return tuple(sorted(found))
