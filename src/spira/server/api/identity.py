"""`/api/identity`: where people contradict each other, and what staff say of that: one person, two, or no link."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody

from spira.collect.identifier_rules import rules_of
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.server.api.asked import profile_of
from spira.server.core import AnyCore, Asking, Core, as_of
from spira.server.errors import Unacceptable
from spira.server.roles import DECIDE, PEOPLE
from spira.server.wire import plain
from spira.unify import conflicts, decisions, people, undo
from spira.unify.decisions import Decision
from spira.unify.portrait import says
from spira.unify.subjects import subjects_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictsView(conflicts.Conflicts):
    """A page of conflicts as of an instant."""

    as_of: datetime = says("when this was looked up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two identifiers, each as `KIND:VALUE` or by a `p_` id."""

    one: str
    two: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A profile by its `p_` id, and those of its identifiers that are another person's, as in `Pair`."""

    profile: str
    away: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a decision did."""

    decisions: tuple[str, ...] = says("the ids of what was decided, to be taken back by")
    moved: int = says("how many identifiers went to another profile")
    profiles: tuple[str, ...] = says("the profiles that the two (or the profile and what left it) are now")


def view(core: AnyCore, viewer: Viewer, *, reason: str = "", start: int = 0) -> ConflictsView:
    """The conflicts that wait, or all of one reason."""
    wanted = next((each for each in conflicts.REASONS if each == reason), None)
    if reason and wanted is None:
        raise Unacceptable(f"`{reason[:20]}` is no reason", help=f"choose one of: {', '.join(conflicts.REASONS)}")
    found = conflicts.page_of(core.lane(), core.vault, viewer, reason=wanted, start=max(0, start))
    return ConflictsView(
        rows=found.rows, counts=found.counts, settled=found.settled, next=found.next, as_of=as_of(core)
    )


def decide(core: AnyCore, viewer: Viewer, verdict: decisions.Verdict, pair: Pair) -> Outcome:
    """Say that two are the same person, different people, or that the link between them counts for nothing."""
    with core.exclusive():
        lane, rules = core.stores().warehouse, rules_of(core.applied.of("identifier"))
        one, two = (undo.end(lane, viewer, core.keys, each, rules=rules) for each in (pair.one, pair.two))
        made = decisions.decide(core.state, core.clock, [(one.key, two.key)], verdict, actor=viewer.staff_id)
        return _follow(core, made, one.subject, two.subject)


def split(core: AnyCore, viewer: Viewer, wanted: Split) -> Outcome:
    """Take some identifiers out of a profile: their links to the rest are cut, and the two are different people."""
    with core.exclusive():
        lane, rules = core.stores().warehouse, rules_of(core.applied.of("identifier"))
        profile = people.locate(lane, viewer, profile_of(wanted.profile))
        away = [undo.end(lane, viewer, core.keys, each, rules=rules).subject for each in wanted.away]
        cut, apart = undo.split(lane, profile, away)
        staying = min(set(subjects_of(lane, profile)) - set(away))
        made = decisions.part(core.state, core.clock, cut, apart, actor=viewer.staff_id)
        return _follow(core, made, staying, min(away))


def take_back(core: AnyCore, viewer: Viewer, decision_id: str) -> int:
    """End a decision, so that the evidence alone counts again; how many identifiers moved."""
    with core.exclusive():
        decisions.take_back(core.state, core.clock, decision_id, actor=viewer.staff_id)
        stores = core.stores()
        return decisions.follow(stores.warehouse, core.state, stores.ties)


def _follow(core: AnyCore, made: tuple[Decision, ...], *subjects: int) -> Outcome:
    stores = core.stores()
    moved = decisions.follow(stores.warehouse, core.state, stores.ties)
    now = {undo.profile_now(stores.warehouse, each) for each in subjects}
    return Outcome(
        decisions=tuple(each.decision_id for each in made),
        moved=moved,
        profiles=tuple(show_profile(each) for each in sorted(now)),
    )


@get("/api/identity/conflicts", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_conflicts(
    core: Core, viewer: Asking, reason: FromQuery[str] = "", start: FromQuery[int] = 0
) -> dict[str, Any]:
    """Where evidence contradicts itself: both sides and what stands between them; without `reason` what is open."""
    found: dict[str, Any] = plain(view(core, viewer, reason=reason, start=start))
    return found


@get("/api/identity/decisions", opt={"roles": DECIDE, "whole": True}, sync_to_thread=True)
def list_decisions(core: Core, ended: FromQuery[bool] = False) -> dict[str, Any]:
    """What staff decided of identifiers, newest first; with `ended` also what does not hold any more."""
    return {"decisions": plain(decisions.listed(core.state, every=ended))}


@post("/api/identity/join", opt={"roles": DECIDE}, sync_to_thread=True)
def join_two(core: Core, viewer: Asking, data: JSONBody[Pair]) -> dict[str, Any]:
    """Say that two identifiers are one person, whatever else is told: `{"one": "user_id:7", "two": "user_id:8"}`."""
    made: dict[str, Any] = plain(decide(core, viewer, "same", data))
    return made


@post("/api/identity/part", opt={"roles": DECIDE}, sync_to_thread=True)
def part_two(core: Core, viewer: Asking, data: JSONBody[Pair]) -> dict[str, Any]:
    """Say that two identifiers are different people: no evidence joins them, and their conflict is settled."""
    made: dict[str, Any] = plain(decide(core, viewer, "different", data))
    return made


@post("/api/identity/cut", opt={"roles": DECIDE}, sync_to_thread=True)
def cut_link(core: Core, viewer: Asking, data: JSONBody[Pair]) -> dict[str, Any]:
    """Let the link between two identifiers count for nothing; other links may still join them."""
    made: dict[str, Any] = plain(decide(core, viewer, "cut", data))
    return made


@post("/api/identity/split", opt={"roles": DECIDE}, sync_to_thread=True)
def split_profile(core: Core, viewer: Asking, data: JSONBody[Split]) -> dict[str, Any]:
    """Take identifiers out of a profile: `{"profile": "p_…", "away": ["phone:13900000001"]}`."""
    made: dict[str, Any] = plain(split(core, viewer, data))
    return made


@post("/api/identity/decisions/{decision:str}/take-back", opt={"roles": DECIDE}, sync_to_thread=True)
def end_decision(core: Core, viewer: Asking, decision: FromPath[str]) -> dict[str, Any]:
    """Take a decision back, so that the evidence alone counts again."""
    return {"moved": take_back(core, viewer, decision)}


ROUTES = [list_conflicts, list_decisions, join_two, part_two, cut_link, split_profile, end_decision]
