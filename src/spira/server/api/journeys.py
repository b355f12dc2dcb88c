"""`/api/journeys` and `/api/broadcasts`: who walks what, step by step, and what it was worth."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Annotated, Any

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from spira.engage.journeys.facts import JourneyFacts, journey, journeys, model_of
from spira.engage.journeys.history import History, history
from spira.engage.journeys.marks import Mark, marks
from spira.engage.journeys.tree import JourneyTree, tree
from spira.engage.journeys.walkers import PAGE, WalkFilter, WalkPage, walks
from spira.kernel.viewer import Viewer
from spira.measure.cockpit import journey_figures
from spira.measure.experiments import Arm, Difference, difference
from spira.measure.journey_report import JourneyReport, journey_report
from spira.server.core import AnyCore, Asking, Core, as_of, kept_view
from spira.server.roles import PEOPLE
from spira.server.wire import plain

NOTHING = difference(Arm(profiles=0, reached=0), Arm(profiles=0, reached=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyLine:
    """One journey of a list."""

    journey: str = field(metadata={"help": "its name"})
    enrolled: int = field(metadata={"help": "walks begun"})
    active: int = field(metadata={"help": "walks under way"})
    goals: Difference = field(metadata={"help": "goals reached: treated against held out, with a 95 % interval"})
    facts: JourneyFacts | None = field(metadata={"help": "what it says; None of one nobody can read any more"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyList:
    """All journeys."""

    as_of: datetime = field(metadata={"help": "the instant all figures speak of"})
    journeys: tuple[JourneyLine, ...] = field(metadata={"help": "the journeys, as they are written"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyFiguresSaid:
    """A journey's walks, and the difference its messages made."""

    journey: str = field(metadata={"help": "the journey"})
    enrolled: int = field(metadata={"help": "walks begun"})
    active: int = field(metadata={"help": "walks under way"})
    goals: Difference = field(metadata={"help": "goals reached: treated against held out"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyPage:
    """One journey with its steps."""

    journey: str = field(metadata={"help": "its name"})
    fingerprint: str | None = field(metadata={"help": "of what is applied; None when it no longer is"})
    as_of: datetime = field(metadata={"help": "the instant all figures speak of"})
    figures: JourneyFiguresSaid | None = field(metadata={"help": "None while nobody entered"})
    facts: JourneyFacts = field(metadata={"help": "what it says, and how its walks stand"})
    tree: JourneyTree = field(metadata={"help": "the steps of the version asked for, with their numbers"})
    marks: tuple[Mark, ...] = field(metadata={"help": "what is wrong with it, or looks so"})


@kept_view
def view(core: AnyCore, viewer: Viewer) -> JourneyList:
    """Every journey and broadcast."""
    lane, now = core.lane(), as_of(core)
    figures = {each.journey: each for each in journey_figures(lane, viewer)}
    known = {each.journey: each for each in journeys(lane, core.applied, viewer, as_of=now)}
    lines = []
    for name in [*known, *sorted(figures.keys() - known.keys())]:
        of = figures.get(name)
        lines.append(
            JourneyLine(
                journey=name,
                enrolled=of.enrolled if of else 0,
                active=of.active if of else 0,
                goals=of.goals if of else NOTHING,
                facts=known.get(name),
            )
        )
    return JourneyList(as_of=now, journeys=tuple(lines))


def broadcasts(core: AnyCore, viewer: Viewer) -> JourneyList:
    """The journeys whose only step is one send."""
    every = view(core, viewer)
    chosen = tuple(each for each in every.journeys if each.facts is not None and each.facts.is_broadcast)
    return JourneyList(as_of=every.as_of, journeys=chosen)


@kept_view
def one(core: AnyCore, viewer: Viewer, name: str, *, version: int | None = None) -> JourneyPage:
    """One journey, with the steps of `version`, the newest when none is asked for."""
    lane, now = core.lane(), as_of(core)
    facts = journey(lane, core.applied, viewer, name, as_of=now)
    number = version or next((each.version for each in facts.versions if each.newest), 1)
    model = model_of(lane, core.applied, name, number)
    laid = tree(lane, viewer, model, number)
    of = next((each for each in journey_figures(lane, viewer) if each.journey == name), None)
    definition = core.applied.find("journey", name)
    said = {each.name for each in fields(JourneyFiguresSaid)}
    return JourneyPage(
        journey=name,
        fingerprint=definition.fingerprint if definition else None,
        as_of=now,
        figures=None if of is None else JourneyFiguresSaid(**{each: getattr(of, each) for each in said}),
        facts=facts,
        tree=laid,
        marks=marks(model, laid, core.applied, core.catalog),
    )


@kept_view
def report(core: AnyCore, viewer: Viewer, name: str) -> JourneyReport:
    """What one journey was worth."""
    facts = known(core, viewer, name)
    return journey_report(
        core.lane(),
        viewer,
        name,
        goal=facts.goal,
        events=core.catalog.events,
        currency=core.settings.workspace.currency,
        as_of=as_of(core),
    )


@kept_view
def people(core: AnyCore, viewer: Viewer, name: str, asked: WalkFilter) -> WalkPage:
    """The walks of one journey."""
    facts = known(core, viewer, name)
    number = asked.version or next((each.version for each in facts.versions if each.newest), 1)
    return walks(core.lane(), core.vault, viewer, model_of(core.lane(), core.applied, name, number), asked=asked)


@kept_view
def versions(core: AnyCore, viewer: Viewer, name: str) -> History:
    """What each version of one journey said."""
    known(core, viewer, name)
    return history(core.lane(), viewer, name)


@kept_view
def known(core: AnyCore, viewer: Viewer, name: str) -> JourneyFacts:
    """A journey's facts; NotFound for another name."""
    return journey(core.lane(), core.applied, viewer, name, as_of=as_of(core))


@get("/api/journeys", sync_to_thread=True)
def list_journeys(core: Core, viewer: Asking) -> dict[str, Any]:
    """Every journey: what it says, its walks, and goals of treated against held out."""
    return plain(view(core, viewer))  # type: ignore[no-any-return]


@get("/api/broadcasts", sync_to_thread=True)
def list_broadcasts(core: Core, viewer: Asking) -> dict[str, Any]:
    """Every journey that is one send, in the same form as the journeys."""
    return plain(broadcasts(core, viewer))  # type: ignore[no-any-return]


@get("/api/journeys/{name:str}", sync_to_thread=True)
def show_journey(
    core: Core, viewer: Asking, name: FromPath[str], version: FromQuery[int | None] = None
) -> dict[str, Any]:
    """One journey: its steps as a tree with the people at each, and what is wrong with it."""
    return plain(one(core, viewer, name, version=version))  # type: ignore[no-any-return]


@get("/api/journeys/{name:str}/report", sync_to_thread=True)
def show_report(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, Any]:
    """What one journey was worth: treated against held out, its messages, and its days."""
    return plain(report(core, viewer, name))  # type: ignore[no-any-return]


@get("/api/journeys/{name:str}/people", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_walks(
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    step: FromQuery[str | None] = None,
    walk_state: Annotated[str | None, QueryParameter(name="state")] = None,
    version: FromQuery[int | None] = None,
    before: Annotated[int | None, QueryParameter(ge=0, le=(1 << 63) - 1)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = PAGE,
) -> dict[str, Any]:
    """The walks of one journey, newest first, people masked; `next` continues as `before`."""
    asked = WalkFilter(step=step, state=walk_state, version=version, before=before, limit=limit)
    return plain(people(core, viewer, name, asked))  # type: ignore[no-any-return]


@get("/api/journeys/{name:str}/versions", sync_to_thread=True)
def list_versions(core: Core, viewer: Asking, name: FromPath[str]) -> dict[str, Any]:
    """What each version of one journey said, what changed with it, and how many walk it."""
    return plain(versions(core, viewer, name))  # type: ignore[no-any-return]


ROUTES = [list_journeys, list_broadcasts, show_journey, show_report, list_walks, list_versions]
