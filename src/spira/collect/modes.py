"""Modes: what a source's calls must keep to, and what happens to those that do not.

    observe      what nobody declared is kept as JSON and counted
    quarantine   a track call with an undeclared event, property or field goes to quarantine
    block        the same calls are refused at the door, and counted

A value of the wrong type can't be kept in its column, so it goes to quarantine in the first two,
and is refused at the door in the third. `strict`, which only a tracking plan can say, is `observe`
that quarantines undeclared events. What comes in by another door than the collection API (imports,
Spira itself) is quarantined where it would be blocked.
"""

from __future__ import annotations

from typing import get_args

from spira.collect.calls import Call, Fault
from spira.collect.properties import Properties, Read
from spira.collect.tracking import Mode, Plan
from spira.collect.typed import WrongType

_KNOWN: frozenset[str] = frozenset(get_args(Mode))
WHOLE = frozenset({"quarantine", "block"})


def mode_of(plan: Plan, told: str | None) -> Mode:
    """The mode of a source that says `told`; the plan's own where it says nothing."""
    return told if told in _KNOWN else plan.mode  # type: ignore[return-value]  # one of the known ones


def judged(plan: Plan, properties: Properties, mode: Mode, name: str, call: Call) -> Read | Fault:
    """The properties of a call, or why the mode does not let it become an event."""
    track = call.type == "track"
    if mode != "observe" and track and name not in plan.events:
        return Fault("unknown_event", f"no tracking plan declares `{name}`")
    try:
        read = properties.read(name, call)
    except WrongType as fault:
        return Fault("wrong_type", str(fault))
    if mode in WHOLE and track and (extra := _undeclared(read)):
        return Fault("undeclared_property", f"no tracking plan declares {extra} of `{name}`")
    return read


def _undeclared(read: Read) -> str:
    names = [f"`{name}`" for _, name, _ in read.undeclared if name]
    names += [f"a field of `{array}`" for array, (_, extras) in read.lines.items() if extras is not None]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
