"""`/api/profiles/selected/…`: what can be done with people picked from a list; nothing that one may not do singly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from litestar import Response, post
from litestar.params import FromPath, JSONBody

from spira.engage import picked_export
from spira.engage.audience_export import MESSAGING, Wish, checked
from spira.engage.reach import kinds_of
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Role, Viewer
from spira.server import judging, unsealing
from spira.server.api import exports
from spira.server.api.asked import profile_of
from spira.server.api.notes import write_note
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.roles import PEOPLE
from spira.unify import people
from spira.unify.units import all_units
from spira.unify.unseal import unseal

MOST = 200
EXPORT: tuple[Role, ...] = ("administrator", "operator", "analyst", "privacy_officer", "service")
UNMASK: tuple[Role, ...] = ("privacy_officer", "service", "guide")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """People who were taken away as a CSV file."""

    rows: int = field(metadata={"help": "how many people are in it"})
    left_out: int = field(metadata={"help": "how many of those picked may not be written to for the purpose"})
    text: str = field(metadata={"help": "the file"})


def picked(core: AnyCore, viewer: Viewer, shown: Sequence[str]) -> list[int]:
    """The profiles picked, each once, as they are today; NotFound if the viewer may not see one of them."""
    if not shown:
        raise Unacceptable("nobody is selected", help="tick the people in the list first")
    if len(shown) > MOST:
        raise Unacceptable(f"more than {MOST} people are selected", help="take an audience for so many")
    lane = core.lane()
    return list(dict.fromkeys(people.locate(lane, viewer, profile_of(each)) for each in shown))


def note_all(core: AnyCore, viewer: Viewer, shown: Sequence[str], text: str) -> int:
    """Keep one note about each of them, each written down; how many. None if one of them is not to be seen."""
    chosen = picked(core, viewer, shown)
    for profile in chosen:
        write_note(core, viewer, show_profile(profile), text)
    return len(chosen)


def export(core: AnyCore, viewer: Viewer, shown: Sequence[str], wish: Wish, *, reason: str = "") -> Sheet:
    """Those picked as a sheet; that it was taken, of whom and with which columns, is written down before."""
    profiles = picked(core, viewer, shown)
    lane = core.lane()
    columns = lane.columns("tags")
    tags = [each.tag for each in core.applied.of("tag") if each.tag in columns]
    checked(wish, viewer, kinds=kinds_of(core.applied), tags=tags)
    found = picked_export.leaving(lane, viewer, wish, profiles, judging.leaving(core))
    left = [profile for profile, _ in found]
    wish = replace(wish, mark=exports.leave(core, viewer, "people", left, wish, reason=reason))
    audit(
        core,
        viewer,
        "people.export",
        f"{len(found)} people",
        people=[show_profile(profile) for profile, _ in found],
        left_out=len(profiles) - len(found),
        tags=list(wish.tags),
        purpose=wish.purpose,
        channel=wish.channel if wish.purpose in MESSAGING else None,
        in_clear=wish.contacts,
    )
    units = {unit.unit_id: unit.name for unit in all_units(core.state)}
    text = picked_export.lines(lane, core.vault, viewer, wish, found, units=units)
    return Sheet(rows=len(found), left_out=len(profiles) - len(found), text=text)


def show_contact(core: AnyCore, viewer: Viewer, shown: str, kind: str, *, reason: str = "") -> str:
    """One contact value of one person in clear; that it was shown, and why, is written down first."""
    why = unsealing.given(core, viewer, reason)

    def told(person: str) -> None:
        audit(core, viewer, "person.value_shown", person, kind=kind, **why)

    return unseal(core.lane(), core.vault, viewer, profile_of(shown), kind, on_show=told)


def file_of(core: AnyCore, made: Sheet, name: str) -> Response[bytes]:
    """A sheet as a file to keep; spreadsheets know by its first three bytes that it is UTF-8."""
    headers = {
        "content-disposition": f'attachment; filename="{name}-{core.clock.now():%Y-%m-%d}.csv"',
        "x-spira-rows": str(made.rows),
        "x-spira-left-out": str(made.left_out),
    }
    return Response(content=made.text.encode("utf-8-sig"), media_type="text/csv", headers=headers)


def _texts(data: Mapping[str, Any], name: str) -> list[str]:
    told = data.get(name, [])
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        raise Unacceptable(f"`{name}` is a list of texts", help='send {"profiles": ["p_…"], …}')
    return told


@post("/api/profiles/selected/notes", opt={"roles": PEOPLE}, status_code=200, sync_to_thread=True)
def note_selected(core: Core, viewer: Asking, data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """Write the same note about several people: `{"profiles": ["p_…"], "text": "…"}`; all of them or none."""
    text = data.get("text")
    if not isinstance(text, str):
        raise Unacceptable("`text` is missing", help='send {"profiles": ["p_…"], "text": "…"}')
    return {"notes": note_all(core, viewer, _texts(data, "profiles"), text)}


@post("/api/profiles/selected/export", opt={"roles": EXPORT, "cost": "export"}, status_code=200, sync_to_thread=True)
def export_selected(core: Core, viewer: Asking, data: JSONBody[dict[str, Any]]) -> Response[bytes]:
    """Several people as CSV, for a purpose: `{"profiles": ["p_…"], "purpose": "analysis"}`, with `tags` if wanted."""
    wish = Wish(
        audience="",
        purpose=str(data.get("purpose", "")),
        channel=str(data.get("channel", "")),
        tags=tuple(_texts(data, "tags")),
        contacts=data.get("contacts") is True,
        recipient=str(data.get("recipient", "")),
    )
    made = export(core, viewer, _texts(data, "profiles"), wish, reason=str(data.get("reason", "")))
    return file_of(core, made, "people")


@post("/api/profiles/{profile:str}/contact", opt={"roles": UNMASK}, status_code=200, sync_to_thread=True)
def show_value(core: Core, viewer: Asking, profile: FromPath[str], data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    """One contact value of a person in clear: `{"kind": "phone", "reason": "…"}`; each showing is written down."""
    kind, reason = str(data.get("kind", "")), str(data.get("reason", ""))
    return {"kind": kind, "value": show_contact(core, viewer, profile, kind, reason=reason)}


ROUTES = [note_selected, export_selected, show_value]
