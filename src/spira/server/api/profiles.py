"""`/api/profiles`: people, for those who may see them."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from spira.collect.identifier_rules import rules_of
from spira.engage import person as story
from spira.engage.person import MessageView, Standing
from spira.kernel.clock import local
from spira.kernel.viewer import Viewer
from spira.segment.conditions.catalog import Type
from spira.segment.tags import STAGE as TAGS_STAGE
from spira.segment.why import Reason, why
from spira.server import judging, unsealing
from spira.server.api import facts as quick_facts
from spira.server.api import timelines
from spira.server.api.asked import profile_of
from spira.server.api.facts import Asked
from spira.server.api.notes import NoteView, signed
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.errors import Unacceptable
from spira.server.roles import PEOPLE
from spira.server.wire import plain
from spira.storage import progress
from spira.unify import dossier, jurisdictions, notes, people, timeline
from spira.unify import search as finding
from spira.unify.explain import Explanation, explain
from spira.unify.facts import EVERYTHING
from spira.unify.jurisdictions import Jurisdiction
from spira.unify.listing import Wanted as Listed
from spira.unify.moments import EVERYTHING as EVERY_MOMENT
from spira.unify.moments import Wanted
from spira.unify.portrait import PersonRow, PersonView, says
from spira.unify.search import FoundPeople


@dataclass(frozen=True, slots=True, kw_only=True)
class WholePerson(PersonView):
    """Everything that the page of one person shows, from every part of the house."""

    messages: tuple[MessageView, ...] = says("the latest messages, each with its story")
    standings: tuple[Standing, ...] = says("what the gate would answer now, by channel and purpose")
    notes: tuple[NoteView, ...] = says("what staff wrote about the person, newest first")
    jurisdiction: Jurisdiction = says("where the person is taken to be, and whose rules hold for them")


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyView:
    """Why a tag has its value for a person, or whether a condition holds for them, and for which reasons."""

    person: PersonRow = says("who it is about")
    kind: str | None = says("tag, audience or condition; none when nothing was asked")
    name: str | None = says("the tag's or audience's name")
    text: str = says("the expression, as it was written")
    as_of: datetime = says("the instant it speaks of: for tags and audiences, of the last refresh")
    reason: Reason | None = says("the expression, part by part")


def search(
    core: AnyCore, viewer: Viewer, text: str, *, before: str | None = None, wanted: Listed = finding.NO_MORE
) -> FoundPeople:
    """The people that a text names, or without one those seen last, among those the viewer may see; masked."""
    if not text.strip():
        return finding.recent(core.lane(), core.vault, viewer, before=before, wanted=wanted)
    rules = rules_of(core.applied.of("identifier"))
    return finding.search(core.lane(), core.vault, viewer, text, keys=core.keys, wanted=wanted, rules=rules)


def view(
    core: AnyCore,
    viewer: Viewer,
    shown_id: str,
    *,
    wanted: Wanted = EVERY_MOMENT,
    clear: bool = False,
    reason: str = "",
) -> WholePerson:
    """Everything about one person. Contact values in clear only when asked for; that, and why, is written down."""
    why_shown = unsealing.given(core, viewer, reason) if clear else {}

    def told(person: str) -> None:
        audit(core, viewer, "person.shown_in_clear", person, **why_shown)

    people.require(viewer)
    lane, zone = core.lane(), core.settings.workspace.zone
    found = dossier.find(lane, viewer, profile_of(shown_id))
    lived = core.meanwhile(lambda other: timeline.lived(other, found, wanted=wanted))
    held, rules = dossier.read(lane, found), judging.now(core)
    judged = people.Judged(today=local(rules.as_of, zone).date(), ages=rules.ages, abroad=rules.kinds_abroad)
    owned = [each.key for each in held.identifiers]
    written = notes.under(core.state, core.keys, owned, most=notes.EVERY if wanted.asks("note") else notes.SHOWN)
    more = timelines.of_state(core, owned, wanted, written)
    told_meanwhile = lived.result()
    moments = timeline.read(lane, held, told_meanwhile, zone=zone, wanted=wanted, more=more)
    shown = people.portrait(core.vault, viewer, held, moments, on_show=told if clear else None, judged=judged)
    return WholePerson(
        **{each.name: getattr(shown, each.name) for each in fields(PersonView)},
        messages=story.messages(lane, rules.channels, held, told_meanwhile.words),
        standings=story.standings(lane, held, rules),
        notes=signed(core, viewer, written[: notes.SHOWN]),
        jurisdiction=jurisdictions.of(held, core.vault, default=core.settings.rights.law),
    )


def explanation(core: AnyCore, viewer: Viewer, shown_id: str) -> Explanation:
    """Why these identifiers are one person."""
    return explain(core.lane(), core.vault, viewer, profile_of(shown_id))


def reasons(
    core: AnyCore,
    viewer: Viewer,
    shown_id: str,
    *,
    tag: str | None = None,
    audience: str | None = None,
    condition: str | None = None,
) -> WhyView:
    """The parts of a tag's value, an audience's condition or a condition that was typed, for one person."""
    lane = core.lane()
    profile = people.locate(lane, viewer, profile_of(shown_id))
    (person,) = people.rows(lane, core.vault, viewer, [profile])
    asked = [(kind, name) for kind, name in (("tag", tag), ("audience", audience), ("condition", condition)) if name]
    if len(asked) > 1:
        raise Unacceptable("one question at a time", help="ask for a tag, an audience or a condition")
    at = as_of(core)
    if not asked:
        return WhyView(person=person, kind=None, name=None, text="", as_of=at, reason=None)
    kind, name = asked[0]
    text = name
    if kind != "condition":
        model = core.applied.get(kind, name).model
        text, at = model.value if kind == "tag" else model.who, progress.stood_at(lane, TAGS_STAGE) or at
    is_tag = kind == "tag"
    expect: Type | None = None if is_tag else "boolean"
    reason = why(lane, core.catalog, profile, text, as_of=at, expect=expect, tag=name if is_tag else None)
    return WhyView(
        person=person, kind=kind, name=None if kind == "condition" else name, text=text, as_of=at, reason=reason
    )


def row(person: PersonRow) -> dict[str, Any]:
    """One person in a list, as JSON."""
    told = plain(person)
    return {"profile_id": told.pop("id"), **told.pop("beside", {}), **told}


def listed(found: FoundPeople) -> dict[str, Any]:
    """A page of people, as JSON."""
    return {"profiles": [row(each) for each in found.people], "next": found.next}


@get("/api/profiles", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_profiles(
    core: Core,
    viewer: Asking,
    q: FromQuery[str] = "",
    before: FromQuery[str | None] = None,
    tag: FromQuery[list[str] | None] = None,
    orders: FromQuery[bool] = False,
) -> dict[str, Any]:
    """Find people by `KIND:VALUE`, a p_ id, a bare address, the last four digits of a phone, or how a name begins.

    Without a text: those seen last, page by page. Each `tag` adds its value, `orders` the last purchase.
    """
    return listed(search(core, viewer, q, before=before, wanted=Listed(orders=orders, tags=tuple(tag or ()))))


@get("/api/profiles/{profile:str}", opt={"roles": PEOPLE, "scoped": True}, sync_to_thread=True)
def show_profile(
    request: Asked,
    core: Core,
    viewer: Asking,
    profile: FromPath[str],
    before: FromQuery[str | None] = None,
    kind: FromQuery[list[str] | None] = None,
    event_name: Annotated[str | None, QueryParameter(name="event")] = None,
    source: FromQuery[str | None] = None,
    since: FromQuery[str | None] = None,
    until: FromQuery[str | None] = None,
    clear: FromQuery[bool] = False,
    reason: FromQuery[str] = "",
    with_explanation: Annotated[bool, QueryParameter(name="explain")] = False,
) -> dict[str, Any]:
    """One person: identifiers, reach, traits, tags, audiences, messages, notes and a page of the timeline.

    What their traits were at an earlier instant is asked at `/api/profiles/{profile}/traits?as_of=…`. A token with a
    scope gets the facts, as at `/api/profiles/{profile}/facts`.
    """
    bound = quick_facts.scope_of(request)
    if bound is not EVERYTHING:
        return plain(quick_facts.view(core, viewer, profile, bound))  # type: ignore[no-any-return]
    asked = timelines.wanted(
        core, kinds=kind or (), event=event_name, source=source, since=since, until=until, before=before
    )  # fmt: skip
    told: dict[str, Any] = plain(view(core, viewer, profile, wanted=asked, clear=clear, reason=reason))
    if with_explanation:
        told["explanation"] = plain(explanation(core, viewer, profile))
    return told


@get("/api/profiles/{profile:str}/why", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_why(
    core: Core,
    viewer: Asking,
    profile: FromPath[str],
    tag: FromQuery[str | None] = None,
    audience: FromQuery[str | None] = None,
    condition: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """Why a person has a tag's value, is in an audience or not, or meets a condition: every part with its value."""
    found: dict[str, Any] = plain(reasons(core, viewer, profile, tag=tag, audience=audience, condition=condition))
    return found


@get("/api/profiles/{profile:str}/identity", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_identity(core: Core, viewer: Asking, profile: FromPath[str]) -> dict[str, Any]:
    """Why the identifiers of a person are one person: the links with their evidence, and the weakest of them."""
    found: dict[str, Any] = plain(explanation(core, viewer, profile))
    return found


ROUTES = [list_profiles, show_profile, show_why, show_identity]
