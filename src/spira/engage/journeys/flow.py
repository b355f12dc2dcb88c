"""A journey's steps laid flat: each a position, with the position that follows it.

Positions are paths (`0`, `2.when0.1`, `2.else.0`), so that a person in the middle of a version
stays where they are, and a report can say which step is meant. A step that is a wait for an
event is two positions: arriving (`1`) and waiting there (`1.waiting`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from spira.engage.journeys.model import JourneyDefinition, Step
from spira.kernel.clock import local, midnight, utc
from spira.kernel.durations import parse_duration

NodeKind = Literal["send", "wait", "time", "arrive", "await", "branch", "exit"]
FIRST = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One position. `following` is None at the end; a branch has its ways as (condition, position)."""

    position: str
    kind: NodeKind
    following: str | None
    channel: str | None = None
    template: str | None = None
    length: timedelta | None = None
    time: str | None = None
    event: str | None = None
    ways: tuple[tuple[str, str | None], ...] = ()


def flow(journey: JourneyDefinition) -> tuple[Node, ...]:
    """All positions of a journey, in the order they are written."""
    return tuple(_lay(journey.steps, prefix="", following=None))


def due_after(node: Node, as_of: datetime, *, zone: str) -> datetime:
    """When those who take this step at `as_of` are due at the next position."""
    if node.length is not None:
        return as_of + node.length
    return next_time(node.time, as_of, zone=zone) if node.time else as_of


def next_time(text: str, as_of: datetime, *, zone: str) -> datetime:
    """The next instant, `as_of` included, at which clocks in `zone` show `HH:MM`."""
    hour, minute = (int(part) for part in text.split(":"))
    here = local(as_of, zone)
    today = utc(local(midnight(here.date(), zone), zone).replace(hour=hour, minute=minute))
    if today >= as_of:
        return today
    tomorrow = midnight(here.date() + timedelta(days=1), zone)
    return utc(local(tomorrow, zone).replace(hour=hour, minute=minute))


def _lay(steps: list[Step], *, prefix: str, following: str | None) -> Iterator[Node]:
    for place, step in enumerate(steps):
        position = f"{prefix}{place}"
        then = f"{prefix}{place + 1}" if place + 1 < len(steps) else following
        yield from _node(step, position, then)


def _node(step: Step, position: str, then: str | None) -> Iterator[Node]:
    if step.send is not None:
        yield Node(
            position=position, kind="send", following=then, channel=step.send.channel, template=step.send.template
        )
    elif step.wait is not None:
        yield Node(position=position, kind="wait", following=then, length=parse_duration(step.wait))
    elif step.until is not None and step.until.time is not None:
        yield Node(position=position, kind="time", following=then, time=step.until.time)
    elif step.until is not None and step.until.timeout is not None:
        waiting, most = f"{position}.waiting", parse_duration(step.until.timeout)
        yield Node(position=position, kind="arrive", following=waiting, length=most, event=step.until.event)
        yield Node(position=waiting, kind="await", following=then, event=step.until.event)
    elif step.branch is not None:
        yield from _branch(step, position, then)
    else:
        yield Node(position=position, kind="exit", following=None)


def _branch(step: Step, position: str, then: str | None) -> Iterator[Node]:
    ways: list[tuple[str, str | None]] = []
    inner: list[Node] = []
    otherwise = then
    for number, arm in enumerate(step.branch or []):
        prefix = f"{position}.when{number}." if arm.when is not None else f"{position}.else."
        steps = arm.steps if arm.when is not None else arm.else_
        entry = f"{prefix}0" if steps else then
        inner += _lay(steps or [], prefix=prefix, following=then)
        if arm.when is not None:
            ways.append((arm.when, entry))
        else:
            otherwise = entry
    yield Node(position=position, kind="branch", following=otherwise, ways=tuple(ways))
    yield from inner
