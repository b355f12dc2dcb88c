"""The steps of a journey's version as a tree, each with the people at it, past it, and gone from it.

Reads   `enrolments`, `enrolment_steps`, `deliveries`, `profiles`, the definition

A walk is at exactly one step or has ended. Whoever waits stands, in the tables, at what comes after
the wait; here they are where a person would look for them: at the wait. Numbers are of the viewer's
people, and of one version, since steps of another version are other steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spira.engage.journeys.flow import flow
from spira.engage.journeys.model import JourneyDefinition, Step
from spira.kernel.viewer import Viewer, bound_units
from spira.storage.warehouse import Warehouse

WAITING = ".waiting"
_WAITS = ("wait", "time", "arrive")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendNumbers:
    """What became of the messages of one step."""

    asked: int = field(default=0, metadata={"help": "messages that were asked for"})
    waiting: int = field(default=0, metadata={"help": "queued, or held for a better hour"})
    sent: int = field(default=0, metadata={"help": "handed to the channel"})
    delivered: int = field(default=0, metadata={"help": "arrived, by receipt"})
    opened: int = field(default=0, metadata={"help": "opened at least once"})
    clicked: int = field(default=0, metadata={"help": "clicked at least once"})
    bounced: int = field(default=0, metadata={"help": "came back"})
    failed: int = field(default=0, metadata={"help": "refused or given up on"})
    unknown: int = field(default=0, metadata={"help": "nobody knows whether it went out"})
    withheld: dict[str, int] = field(default_factory=dict, metadata={"help": "kept back by the gate, by reason"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way on from a branch; `condition` is None for everyone else."""

    condition: str | None = field(metadata={"help": "who goes this way"})
    people: int | None = field(metadata={"help": "how many went it; None where several empty ways can't be told apart"})
    steps: tuple[TreeStep, ...] = field(metadata={"help": "what happens on it"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeStep:
    """One step as it is written, with its numbers. `reached` = `here` + `passed` + `left`."""

    position: str = field(metadata={"help": "where it stands in the definition"})
    kind: str = field(metadata={"help": "send, wait, time, event, branch or exit"})
    channel: str | None = field(default=None, metadata={"help": "the channel it sends by"})
    template: str | None = field(default=None, metadata={"help": "what it sends"})
    length: str | None = field(default=None, metadata={"help": "how long it waits, at most"})
    time: str | None = field(default=None, metadata={"help": "the hour it waits for"})
    event: str | None = field(default=None, metadata={"help": "the event it waits for"})
    reached: int = field(default=0, metadata={"help": "walks that came to it"})
    here: int = field(default=0, metadata={"help": "walks at it now"})
    passed: int = field(default=0, metadata={"help": "walks that went on from it, or ended with it"})
    left: int = field(default=0, metadata={"help": "walks that were made to leave while at it"})
    next_due: datetime | None = field(default=None, metadata={"help": "when the next of those at it goes on"})
    sends: SendNumbers | None = field(default=None, metadata={"help": "its messages"})
    ways: tuple[Way, ...] = field(default=(), metadata={"help": "the ways on from a branch"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyTree:
    """One version's steps; `entered` = the `here` of all steps + `ended`."""

    version: int = field(metadata={"help": "the version"})
    entered: int = field(metadata={"help": "walks begun on it"})
    ended: int = field(metadata={"help": "walks that have ended"})
    finished: int = field(metadata={"help": "of those, walked to the end or led out by a step"})
    steps: tuple[TreeStep, ...] = field(metadata={"help": "the steps, one after the other"})


@dataclass(slots=True)
class _Numbers:
    """Counts by position while they are gathered."""

    visited: dict[str, int]
    here: dict[str, int]
    arriving: dict[str, int]  # of those here, whom the step has not yet been taken by
    left: dict[str, int]
    due: dict[str, datetime]
    sends: dict[str, SendNumbers]


def tree(warehouse: Warehouse, viewer: Viewer, model: JourneyDefinition, version: int) -> JourneyTree:
    """The steps of `version`, whose definition is `model`, with their numbers."""
    nodes = {each.position: each.kind for each in flow(model)}
    bound = {**bound_units(viewer), "journey": model.journey, "version": version}
    numbers = _Numbers(visited={}, here={}, arriving={}, left={}, due={}, sends=_sends(warehouse, bound))
    for step, count in warehouse.query(_VISITED, bound):
        numbers.visited[step] = count
    entered = ended = finished = 0
    for state, reason, stands, took, count, due in warehouse.query(_PLACES, {**bound, "positions": list(nodes)}):
        entered += count
        place = _place(nodes, stands, took)
        if state == "active":
            numbers.here[place] = numbers.here.get(place, 0) + count
            if due is not None:
                numbers.due[place] = min(due, numbers.due.get(place, due))
            if place != took:
                numbers.arriving[place] = numbers.arriving.get(place, 0) + count
            continue
        ended += count
        if state == "left" and reason != "exit":
            numbers.left[place] = numbers.left.get(place, 0) + count
            if place != took:
                numbers.arriving[place] = numbers.arriving.get(place, 0) + count
        else:
            finished += count
    steps = tuple(_laid(model.steps, "", numbers))
    return JourneyTree(version=version, entered=entered, ended=ended, finished=finished, steps=steps)


def every(steps: Sequence[TreeStep]) -> Iterator[TreeStep]:
    """All steps of a tree, in the order written."""
    for step in steps:
        yield step
        for way in step.ways:
            yield from every(way.steps)


def _place(nodes: Mapping[str, str], stands: str, took: str | None) -> str:
    """Where somebody is: at the wait that they took last, else at the step that is next for them."""
    if took is not None and nodes.get(took) in _WAITS and took.removesuffix(WAITING) == took:
        return took
    return stands.removesuffix(WAITING)


def _laid(steps: Sequence[Step], prefix: str, numbers: _Numbers) -> Iterator[TreeStep]:
    for place, step in enumerate(steps):
        position = f"{prefix}{place}"
        here, left = numbers.here.get(position, 0), numbers.left.get(position, 0)
        reached = numbers.visited.get(position, 0) + numbers.arriving.get(position, 0)
        until = step.until
        yield TreeStep(
            position=position,
            kind=_kind(step),
            channel=step.send.channel if step.send else None,
            template=step.send.template if step.send else None,
            length=step.wait or (until.timeout if until else None),
            time=until.time if until else None,
            event=until.event if until else None,
            reached=reached,
            here=here,
            passed=reached - here - left,
            left=left,
            next_due=numbers.due.get(position),
            sends=numbers.sends.get(position, SendNumbers()) if step.send else None,
            ways=_ways(step, position, numbers, reached - here - left) if step.branch else (),
        )


def _kind(step: Step) -> str:
    if step.until is None:
        return step.kind
    return "event" if step.until.event is not None else "time"


def _ways(step: Step, position: str, numbers: _Numbers, passed: int) -> tuple[Way, ...]:
    """The ways of a branch; whoever meets no condition goes on, also where no `else` is written."""
    told: list[tuple[str | None, tuple[TreeStep, ...]]] = []
    for number, arm in enumerate(step.branch or []):
        prefix = f"{position}.when{number}." if arm.when is not None else f"{position}.else."
        told.append((arm.when, tuple(_laid((arm.steps if arm.when is not None else arm.else_) or [], prefix, numbers))))
    if all(condition is not None for condition, _ in told):
        told.append((None, ()))
    silent = sum(1 for _, steps in told if not steps)
    rest = passed - sum(steps[0].reached for _, steps in told if steps)
    return tuple(
        Way(
            condition=condition,
            people=steps[0].reached if steps else rest if silent == 1 else None,
            steps=steps,
        )
        for condition, steps in told
    )


def _sends(warehouse: Warehouse, bound: Mapping[str, Any]) -> dict[str, SendNumbers]:
    withheld: dict[str, dict[str, int]] = {}
    for step, reason, count in warehouse.query(_WITHHELD, bound):
        withheld.setdefault(step, {})[reason] = count
    return {
        step: SendNumbers(
            asked=asked,
            waiting=waiting,
            sent=sent,
            delivered=delivered,
            opened=opened,
            clicked=clicked,
            bounced=bounced,
            failed=failed,
            unknown=unknown,
            withheld=withheld.get(step, {}),
        )
        for step, asked, waiting, sent, delivered, opened, clicked, bounced, failed, unknown in warehouse.query(
            _SENDS, bound
        )
    }


_VISITED = """
select s.step, count(distinct s.enrolment_id)
from enrolment_steps s join enrolments e on e.enrolment_id = s.enrolment_id
  join profiles p on p.profile_id = e.profile_id
where e.journey = $journey and e.version = $version
  and ($units::bigint[] is null or list_contains($units::bigint[], p.unit_id))
group by s.step
"""
# Steps only lead forward, so that the one written last of those taken is the one taken last.
_PLACES = """
select state, reason, stands, took, count(*), min(due_at)
from (
  select e.enrolment_id, any_value(e.state) as state, any_value(e.reason) as reason, any_value(e.step) as stands,
         any_value(e.due_at) as due_at, arg_max(s.step, list_position($positions::varchar[], s.step)) as took
  from enrolments e join profiles p on p.profile_id = e.profile_id
    left join enrolment_steps s on s.enrolment_id = e.enrolment_id
  where e.journey = $journey and e.version = $version
    and ($units::bigint[] is null or list_contains($units::bigint[], p.unit_id))
  group by e.enrolment_id
)
group by all
"""
_SENDS = """
select step, count(*), count(*) filter (state in ('queued', 'held')), count(sent_at), count(delivered_at),
       count(opened_at), count(clicked_at), count(bounced_at), count(*) filter (state = 'failed'),
       count(*) filter (state = 'unknown')
from deliveries join profiles using (profile_id)
where journey = $journey and version = $version
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by step
"""
_WITHHELD = """
select step, coalesce(reason, 'unknown'), count(*)
from deliveries join profiles using (profile_id)
where journey = $journey and version = $version and state = 'withheld'
  and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
group by all order by all
"""
