"""What came of a journey: who walked it, step by step, what was sent, and who reached the goal.

Reads   `enrolments`, `enrolment_steps`, `outbox`, `deliveries`

Numbers only. The treated and the held out are counted alike, from entering on, so that their
difference is the journey's doing; how sure that is, `measure` says.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from spira.definitions.apply import Applied
from spira.engage.journeys.flow import flow
from spira.engage.journeys.model import JourneyDefinition
from spira.storage.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One of the two groups: how many entered, and how many of them reached the goal in time."""

    entered: int = field(default=0, metadata={"help": "How many walks began."})
    goals: int = field(default=0, metadata={"help": "How many of them reached the goal in time."})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """One step of the newest version: how many took it, and how many stand at it now."""

    position: str = field(metadata={"help": "Where the step stands in the definition."})
    kind: str = field(metadata={"help": "What it does."})
    template: str | None = field(metadata={"help": "What it sends."})
    taken: int = field(metadata={"help": "How many walks took it."})
    waiting: int = field(metadata={"help": "How many stand at it now."})
    opened: int = field(default=0, metadata={"help": "How many opened what it sent."})
    clicked: int = field(default=0, metadata={"help": "How many clicked in it."})


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyReport:
    """One journey in numbers."""

    name: str = field(metadata={"help": "The journey's name."})
    label: str | dict[str, str] = field(metadata={"help": "What people read."})
    versions: int = field(metadata={"help": "How many versions there have been."})
    states: dict[str, int] = field(metadata={"help": "Walks by state: active, finished, left."})
    left: dict[str, int] = field(metadata={"help": "Why those left early who did."})
    treated: Arm = field(metadata={"help": "Those who were written to, if the gate let it pass."})
    held_out: Arm = field(metadata={"help": "Those who walked without being written to."})
    steps: tuple[StepReport, ...] = field(metadata={"help": "The steps of the newest version."})
    deliveries: dict[str, int] = field(metadata={"help": "Deliveries by state."})
    withheld: dict[str, int] = field(metadata={"help": "What was held or withheld, by reason."})


def reports(warehouse: Warehouse, applied: Applied) -> list[JourneyReport]:
    """Every applied journey in numbers."""
    return [_report(warehouse, each) for each in applied.of("journey")]


def report(warehouse: Warehouse, applied: Applied, name: str) -> JourneyReport:
    """One applied journey in numbers; NotFound for another name."""
    return _report(warehouse, applied.get("journey", name).model)


def walking(warehouse: Warehouse, name: str) -> int:
    """How many people are in the middle of a journey now."""
    return int(warehouse.value(_WALKING, {"journey": name}))


def deliveries_by_state(warehouse: Warehouse) -> dict[str, int]:
    """All deliveries of the workspace by state."""
    return dict(warehouse.query(_ALL_STATES))


def deliveries_by_reason(warehouse: Warehouse) -> dict[str, int]:
    """All deliveries that were held or withheld, by reason."""
    return dict(warehouse.query(_ALL_REASONS))


def _report(warehouse: Warehouse, model: JourneyDefinition) -> JourneyReport:
    named = {"journey": model.journey}
    arms = {held: Arm(entered=entered, goals=goals) for held, entered, goals in warehouse.query(_ARMS, named)}
    return JourneyReport(
        name=model.journey,
        label=model.label,
        versions=int(warehouse.value(_VERSIONS, named)),
        states=dict(warehouse.query(_STATES, named)),
        left=dict(warehouse.query(_LEFT, named)),
        treated=arms.get(False, Arm()),
        held_out=arms.get(True, Arm()),
        steps=_steps(warehouse, model),
        deliveries=dict(warehouse.query(_DELIVERIES, named)),
        withheld=dict(warehouse.query(_WITHHELD, named)),
    )


def _steps(warehouse: Warehouse, model: JourneyDefinition) -> tuple[StepReport, ...]:
    named = {"journey": model.journey}
    taken: dict[str, int] = dict(warehouse.query(_TAKEN, named))
    waiting: dict[str, int] = dict(warehouse.query(_STANDING, named))
    read = {step: (opened, clicked) for step, opened, clicked in warehouse.query(_READ, named)}
    return tuple(
        StepReport(
            position=node.position,
            kind=node.kind,
            template=node.template,
            taken=taken.get(node.position, 0),
            waiting=waiting.get(node.position, 0),
            opened=read.get(node.position, (0, 0))[0],
            clicked=read.get(node.position, (0, 0))[1],
        )
        for node in flow(model)
    )


_ARMS = """
select held_out, count(*), count(goal_at) from enrolments where journey = $journey group by held_out
"""
_VERSIONS = "select count(*) from journey_versions where journey = $journey"
_STATES = "select state, count(*) from enrolments where journey = $journey group by state order by state"
_LEFT = """
select reason, count(*) from enrolments where journey = $journey and state = 'left' group by reason order by reason
"""
_TAKEN = "select step, count(*) from enrolment_steps where journey = $journey group by step"
_STANDING = """
select step, count(*) from enrolments where journey = $journey and state = 'active' group by step
"""
_READ = """
select step, count(opened_at), count(clicked_at) from deliveries where journey = $journey group by step
"""
_DELIVERIES = "select state, count(*) from deliveries where journey = $journey group by state order by state"
_WITHHELD = """
select reason, count(*) from deliveries where journey = $journey and reason is not null group by reason order by reason
"""
_WALKING = "select count(*) from enrolments where journey = $journey and state = 'active'"
_ALL_STATES = "select state, count(*) from deliveries group by state order by state"
_ALL_REASONS = "select reason, count(*) from deliveries where reason is not null group by reason order by reason"
