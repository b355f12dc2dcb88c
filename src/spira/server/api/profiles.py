"""`/api/profiles`: people, for those who may see them."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any

from litestar import delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from spira.collect.identifier_rules import rules_of
from spira.engage import person as story
from spira.engage.person import MessageView, Standing
from spira.kernel.clock import local
from spira.kernel.errors import NotFound
from spira.kernel.ids import BadId, read_profile
from spira.kernel.viewer import Viewer
from spira.segment.conditions.catalog import Type
from spira.segment.tags import STAGE as TAGS_STAGE
from spira.segment.why import Reason, why
from spira.server import judging, unsealing
from spira.server.api import facts as quick_facts
from spira.server.api.facts import Asked
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.errors import Unacceptable
from spira.server.roles import PEOPLE
from spira.server.staff import get_staff
from spira.server.wire import plain
from spira.storage import progress
from spira.unify import dossier, notes, people, timeline
from spira.unify import search as finding
from spira.unify.explain import Explanation, explain
from spira.unify.facts import EVERYTHING
from spira.unify.listing import Wanted
from spira.unify.portrait import PersonRow, PersonView, says
from spira.unify.search import FoundPeople


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteView:
    """One note about a person."""

    note_id: int = says("its number")
    author_id: str = says("who wrote it, by the id of staff")
    author: str = says("their name")
    mine: bool = says("whether the one who asks wrote it, and so may take it back")
    at: datetime = says("when")
    text: str = says("what they wrote")


@dataclass(frozen=True, slots=True, kw_only=True)
class WholePerson(PersonView):
    """Everything that the page of one person shows, from every part of the house."""

    messages: tuple[MessageView, ...] = says("the latest messages, each with its story")
    standings: tuple[Standing, ...] = says("what the gate would answer now, by channel and purpose")
    notes: tuple[NoteView, ...] = says("what staff wrote about the person, newest first")


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
    core: AnyCore, viewer: Viewer, text: str, *, before: str | None = None, wanted: Wanted = finding.NO_MORE
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
    before: str | None = None,
    event: str | None = None,
    clear: bool = False,
    reason: str = "",
) -> WholePerson:
    """Everything about one person. Contact values in clear only when asked for; that, and why, is written down."""
    why_shown = unsealing.given(core, viewer, reason) if clear else {}

    def told(person: str) -> None:
        audit(core, viewer, "person.shown_in_clear", person, **why_shown)

    people.require(viewer)
    lane, zone = core.lane(), core.settings.workspace.zone
    held, rules = dossier.read(lane, viewer, profile_of(shown_id)), judging.now(core)
    judged = people.Judged(today=local(rules.as_of, zone).date(), ages=rules.ages)
    moments, words = timeline.read(lane, held, zone=zone, before=before, event=event)
    shown = people.portrait(core.vault, viewer, held, moments, on_show=told if clear else None, judged=judged)
    return WholePerson(
        **{each.name: getattr(shown, each.name) for each in fields(PersonView)},
        messages=story.messages(lane, rules.channels, held, words),
        standings=story.standings(lane, held, rules),
        notes=_signed(core, viewer, notes.under(core.state, core.keys, [each.key for each in held.identifiers])),
    )


def notes_of(core: AnyCore, viewer: Viewer, shown_id: str) -> tuple[NoteView, ...]:
    """The notes about one person, with their authors' names."""
    return _signed(
        core, viewer, notes.about(core.state, core.keys, core.lane(), viewer, profile_id=profile_of(shown_id))
    )


def _signed(core: AnyCore, viewer: Viewer, found: Iterable[notes.Note]) -> tuple[NoteView, ...]:
    found = list(found)
    names = {author: _name(core, author) for author in {each.author for each in found}}
    return tuple(
        NoteView(
            note_id=each.note_id,
            author_id=each.author,
            author=names[each.author],
            mine=each.author == viewer.staff_id,
            at=each.at,
            text=each.text,
        )
        for each in found
    )


def write_note(core: AnyCore, viewer: Viewer, shown_id: str, text: str) -> int:
    """Keep a note about one person; its number."""
    profile = profile_of(shown_id)
    lane, now = core.lane(), core.clock.now()
    number = notes.write(core.state, core.keys, lane, viewer, profile_id=profile, text=text, at=now)
    audit(core, viewer, "note.write", shown_id, note=number)
    return number


def take_back_note(core: AnyCore, viewer: Viewer, shown_id: str, note_id: int) -> None:
    """Delete a note of the viewer's own."""
    notes.take_back(core.state, core.lane(), viewer, profile_id=profile_of(shown_id), note_id=note_id)
    audit(core, viewer, "note.take_back", shown_id, note=note_id)


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


def profile_of(shown_id: str) -> int:
    """The profile that an outside id names."""
    try:
        return read_profile(shown_id)
    except BadId:
        raise NotFound(f"there is no profile `{shown_id[:40]}`", help="search for the person") from None


def row(person: PersonRow) -> dict[str, Any]:
    """One person in a list, as JSON."""
    told = plain(person)
    return {"profile_id": told.pop("id"), **told.pop("beside", {}), **told}


def listed(found: FoundPeople) -> dict[str, Any]:
    """A page of people, as JSON."""
    return {"profiles": [row(each) for each in found.people], "next": found.next}


def _name(core: AnyCore, staff_id: str) -> str:
    try:
        return get_staff(core.state, staff_id).name
    except NotFound:
        return staff_id


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
    return listed(search(core, viewer, q, before=before, wanted=Wanted(orders=orders, tags=tuple(tag or ()))))


@get("/api/profiles/{profile:str}", opt={"roles": PEOPLE, "scoped": True}, sync_to_thread=True)
def show_profile(
    request: Asked,
    core: Core,
    viewer: Asking,
    profile: FromPath[str],
    before: FromQuery[str | None] = None,
    event_name: Annotated[str | None, QueryParameter(name="event")] = None,
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
    told: dict[str, Any] = plain(
        view(core, viewer, profile, before=before, event=event_name, clear=clear, reason=reason)
    )
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


@get("/api/profiles/{profile:str}/notes", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_notes(core: Core, viewer: Asking, profile: FromPath[str]) -> dict[str, Any]:
    """The notes that staff wrote about a person, newest first."""
    return {"notes": plain(notes_of(core, viewer, profile))}


@post("/api/profiles/{profile:str}/notes", opt={"roles": PEOPLE}, sync_to_thread=True)
def add_note(core: Core, viewer: Asking, profile: FromPath[str], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """Write a note about a person: `{"text": "…"}`, up to 2,000 characters."""
    text = data.get("text")
    if not isinstance(text, str):
        raise Unacceptable("`text` is missing", help='send {"text": "…"}')
    return {"note_id": write_note(core, viewer, profile, text)}


@delete("/api/profiles/{profile:str}/notes/{note:int}", opt={"roles": PEOPLE}, sync_to_thread=True)
def delete_note(core: Core, viewer: Asking, profile: FromPath[str], note: FromPath[int]) -> None:
    """Take back a note of one's own."""
    take_back_note(core, viewer, profile, note)


ROUTES = [list_profiles, show_profile, show_why, show_identity, list_notes, add_note, delete_note]
