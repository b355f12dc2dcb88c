"""`/api/profiles/{profile}/notes`, `/api/notes`: what staff write about a person, and whom they call in it."""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from litestar import delete, get, post
from litestar.params import FromPath, JSONBody

from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.server.api.asked import profile_of
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.roles import PEOPLE
from spira.server.staff import names
from spira.server.tables import STAFF
from spira.server.wire import plain
from spira.unify import notes, people
from spira.unify.notes import Version
from spira.unify.portrait import PersonRow, says

ABOUT = {"roles": PEOPLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteView:
    """One note about a person."""

    note_id: int = says("its number")
    author_id: str = says("who wrote it, by the id of staff")
    author: str = says("their name")
    mine: bool = says("whether the one who asks wrote it, and so may edit it")
    deletable: bool = says("whether the one who asks may delete it")
    pinned: bool = says("whether it stays on top")
    at: datetime = says("when")
    edited_at: datetime | None = says("when it was last edited")
    text: str = says("what they wrote")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteStory:
    """One note with what it said before."""

    person: PersonRow = says("whom it is about")
    note: NoteView = says("the note")
    before: tuple[Version, ...] = says("what it said before, the latest first")
    callable: tuple[str, ...] = says("the names that a note can call, each after an @")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """A note that calls the one who asks."""

    person: PersonRow = says("whom it is about")
    note: NoteView = says("the note")
    seen: bool = says("whether they have seen it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """The notes that call the one who asks."""

    waiting: int = says("how many of them they have not seen")
    calls: tuple[CallView, ...] = says("the notes, the latest first; of people whom they may see")


def notes_of(core: AnyCore, viewer: Viewer, shown_id: str) -> tuple[NoteView, ...]:
    """The notes about one person, with their authors' names."""
    found = notes.about(core.state, core.keys, core.lane(), viewer, profile_id=profile_of(shown_id))
    return signed(core, viewer, found)


def signed(core: AnyCore, viewer: Viewer, found: Iterable[notes.Note]) -> tuple[NoteView, ...]:
    """Notes as the viewer sees them."""
    known = names(core.state)
    return tuple(_signed(viewer, each, known) for each in found)


def story(core: AnyCore, viewer: Viewer, shown_id: str, note_id: int) -> NoteStory:
    """One note with what it said before."""
    lane, profile = core.lane(), profile_of(shown_id)
    earlier = notes.versions(core.state, core.keys, lane, viewer, profile_id=profile, note_id=note_id)
    note = notes.one(core.state, core.keys, lane, viewer, profile_id=profile, note_id=note_id)
    (person,) = people.rows(lane, core.vault, viewer, [people.locate(lane, viewer, profile)])
    called = tuple(sorted(_callable(core).values()))
    return NoteStory(person=person, note=signed(core, viewer, [note])[0], before=earlier, callable=called)


def write_note(core: AnyCore, viewer: Viewer, shown_id: str, text: str) -> int:
    """Keep a note about one person; its number. Who is named in it after an @ is called."""
    profile = profile_of(shown_id)
    lane, now, called = core.lane(), core.clock.now(), _called(core, text)
    number = notes.write(
        core.state, core.keys, lane, viewer, profile_id=profile, text=text, at=now, calls=called
    )  # fmt: skip
    audit(core, viewer, "note.write", shown_id, note=number, calls=len(called))
    return number


def edit_note(core: AnyCore, viewer: Viewer, shown_id: str, note_id: int, text: str) -> None:
    """Let a note of the viewer's own say something else; what it said is kept."""
    profile, now, called = profile_of(shown_id), core.clock.now(), _called(core, text)
    if notes.edit(
        core.state, core.keys, core.lane(), viewer, profile_id=profile, note_id=note_id, text=text, at=now, calls=called
    ):
        audit(core, viewer, "note.edit", shown_id, note=note_id, calls=len(called))


def pin_note(core: AnyCore, viewer: Viewer, shown_id: str, note_id: int, *, pinned: bool) -> None:
    """Keep a note on top, or no longer."""
    at = core.clock.now() if pinned else None
    notes.pin(core.state, core.lane(), viewer, profile_id=profile_of(shown_id), note_id=note_id, at=at)
    audit(core, viewer, "note.pin" if pinned else "note.unpin", shown_id, note=note_id)


def take_back_note(core: AnyCore, viewer: Viewer, shown_id: str, note_id: int) -> None:
    """Delete a note: one's own, or as administrator or privacy officer anybody's."""
    notes.take_back(core.state, core.lane(), viewer, profile_id=profile_of(shown_id), note_id=note_id)
    audit(core, viewer, "note.take_back", shown_id, note=note_id)


def calls(core: AnyCore, viewer: Viewer) -> Calls:
    """The notes that call the viewer, about people whom the viewer may see."""
    people.require(viewer)
    found, lane = notes.calls_of(core.state, core.keys, viewer.staff_id), core.lane()
    owners = notes.owners(lane, [each.subject_key for each in found])
    rows = {
        each.id: each
        for each in people.rows(lane, core.vault, viewer, sorted(set(owners.values())))
    }  # fmt: skip
    known = names(core.state)
    shown = tuple(
        CallView(
            person=rows[show_profile(owners[each.subject_key])],
            note=_signed(viewer, each.note, known),
            seen=each.seen_at is not None,
        )
        for each in found
        if each.subject_key in owners and show_profile(owners[each.subject_key]) in rows
    )
    return Calls(waiting=sum(not each.seen for each in shown), calls=shown)


def waiting(core: AnyCore, viewer: Viewer) -> int:
    """How many notes call the viewer that they have not seen."""
    return notes.waiting(core.state, viewer.staff_id) if viewer.sees_people else 0


def see_calls(core: AnyCore, viewer: Viewer) -> int:
    """The viewer has seen all notes that call them; how many they had not."""
    found = notes.calls_of(core.state, core.keys, viewer.staff_id, unseen=True)
    return notes.seen(
        core.state, viewer.staff_id, [each.note.note_id for each in found], at=core.clock.now()
    )  # fmt: skip


def _signed(viewer: Viewer, note: notes.Note, known: Mapping[str, str]) -> NoteView:
    return NoteView(
        note_id=note.note_id,
        author_id=note.author,
        author=known.get(note.author, note.author),
        mine=note.author == viewer.staff_id,
        deletable=notes.may_take_back(viewer, note.author),
        pinned=note.pinned,
        at=note.at,
        edited_at=note.edited_at,
        text=note.text,
    )


def _callable(core: AnyCore) -> dict[str, str]:
    """Who can be called: those who may sign in, by their ids."""
    asked = sa.select(STAFF.c.staff_id, STAFF.c.name).where(STAFF.c.disabled_at.is_(None))
    with core.state.read() as connection:
        return {row.staff_id: row.name for row in connection.execute(asked)}


def _called(core: AnyCore, text: str) -> list[str]:
    """Whose names stand after an @, the longest first, so that @Ann Lee does not call Ann as well."""
    if "@" not in text:
        return []
    said, found = text.casefold(), []
    for staff_id, name in sorted(_callable(core).items(), key=lambda each: (-len(each[1]), each[0])):
        mark = f"@{name.casefold()}"
        if mark in said:
            found.append(staff_id)
            said = said.replace(mark, " ")
    return found


def _text(data: Mapping[str, Any]) -> str:
    text = data.get("text")
    if not isinstance(text, str):
        raise Unacceptable("`text` is missing", help='send {"text": "…"}')
    return text


@get("/api/profiles/{profile:str}/notes", opt=ABOUT, sync_to_thread=True)
def list_notes(core: Core, viewer: Asking, profile: FromPath[str]) -> dict[str, Any]:
    """The notes that staff wrote about a person: those that are pinned first, then the newest."""
    return {"notes": plain(notes_of(core, viewer, profile))}


@post("/api/profiles/{profile:str}/notes", opt=ABOUT, sync_to_thread=True)
def add_note(core: Core, viewer: Asking, profile: FromPath[str], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """Write a note about a person: `{"text": "…"}`, up to 2,000 characters; `@` and a colleague's name call them."""
    return {"note_id": write_note(core, viewer, profile, _text(data))}


@get("/api/profiles/{profile:str}/notes/{note:int}", opt=ABOUT, sync_to_thread=True)
def show_note(core: Core, viewer: Asking, profile: FromPath[str], note: FromPath[int]) -> dict[str, Any]:
    """One note, and what it said before it was edited."""
    return plain(story(core, viewer, profile, note))  # type: ignore[no-any-return]


@post("/api/profiles/{profile:str}/notes/{note:int}/edit", opt=ABOUT, status_code=200, sync_to_thread=True)
def change_note(
    core: Core, viewer: Asking, profile: FromPath[str], note: FromPath[int], data: JSONBody[dict[str, Any]]
) -> dict[str, Any]:
    """Edit a note of one's own: `{"text": "…"}`; what it said before is kept, and who is named after an @ is called."""
    edit_note(core, viewer, profile, note, _text(data))
    return plain(story(core, viewer, profile, note))  # type: ignore[no-any-return]


@post("/api/profiles/{profile:str}/notes/{note:int}/pin", opt=ABOUT, status_code=200, sync_to_thread=True)
def set_pin(
    core: Core, viewer: Asking, profile: FromPath[str], note: FromPath[int], data: JSONBody[dict[str, Any]]
) -> dict[str, bool]:
    """Keep a note on top with `{"pinned": true}`, or no longer with false."""
    pinned = data.get("pinned")
    if not isinstance(pinned, bool):
        raise Unacceptable("`pinned` is missing", help='send {"pinned": true}')
    pin_note(core, viewer, profile, note, pinned=pinned)
    return {"pinned": pinned}


@delete("/api/profiles/{profile:str}/notes/{note:int}", opt=ABOUT, sync_to_thread=True)
def delete_note(core: Core, viewer: Asking, profile: FromPath[str], note: FromPath[int]) -> None:
    """Take back a note of one's own with all it ever said; administrators and privacy officers take back any."""
    take_back_note(core, viewer, profile, note)


@get("/api/notes", opt=ABOUT, sync_to_thread=True)
def list_calls(core: Core, viewer: Asking) -> dict[str, Any]:
    """The notes that call the one who asks, the latest first, and how many of them they have not seen."""
    return plain(calls(core, viewer))  # type: ignore[no-any-return]


@post("/api/notes/seen", opt=ABOUT, status_code=200, sync_to_thread=True)
def see_all(core: Core, viewer: Asking) -> dict[str, int]:
    """All notes that call the one who asks are seen."""
    return {"seen": see_calls(core, viewer)}


ROUTES = [list_notes, add_note, show_note, change_note, set_pin, delete_note, list_calls, see_all]
