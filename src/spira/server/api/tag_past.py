"""`/api/tags/{name}/then`: what a tag was at an earlier instant, in figures, of one person, or as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from spira.collect.identifier_rules import rules_of
from spira.definitions.history import revisions
from spira.definitions.model import Label
from spira.engage import profile_export
from spira.engage.audience_export import ANALYSIS, Wish
from spira.engage.sheets import sheet
from spira.kernel.clock import iso, local
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.segment import tag_past
from spira.segment.conditions.catalog import Type
from spira.segment.conditions.language import Analysis
from spira.segment.tag_past import Limit, Then, Was
from spira.segment.tags import STAGE, Status
from spira.server import judging
from spira.server.api import exports
from spira.server.api.asked import instant, profile_of
from spira.server.api.selection import EXPORT
from spira.server.api.tags import understood
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.roles import DEFINE
from spira.server.wire import plain
from spira.storage import progress
from spira.unify import people
from spira.unify.named import named
from spira.unify.portrait import PersonRow

BACK = timedelta(days=30)
MOST = profile_export.MOST - 1  # of a whole one more is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person's value then and now."""

    person: PersonRow = field(metadata={"help": "who, masked"})
    seen: bool = field(metadata={"help": "whether they had been seen by then"})
    then: object = field(metadata={"help": "the value at the instant"})
    now: object = field(metadata={"help": "the value as last refreshed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TagThen:
    """A tag at an earlier instant."""

    tag: str = field(metadata={"help": "its name"})
    label: Label | None = field(metadata={"help": "what people call it"})
    type: Type = field(metadata={"help": "the type of its values"})
    status: Status = field(metadata={"help": "draft, applied or retired; one that is not applied has no value now"})
    as_of: datetime = field(metadata={"help": "the instant; what happened before it counts"})
    refreshed: datetime | None = field(metadata={"help": "the instant that `now` speaks of"})
    limits: tuple[Limit, ...] = field(metadata={"help": "what is known as it is today only, and stands in for then"})
    figures: Then | None = field(metadata={"help": "figures of the viewer's people; null when one person was asked of"})
    people: tuple[Person, ...] = field(metadata={"help": "that person, or some; none for who sees figures only"})


def earlier(core: AnyCore) -> str:
    """The day that is looked back to when none is named: thirty days ago, in the workspace's zone."""
    return (local(core.clock.now(), core.settings.workspace.zone).date() - BACK).isoformat()


def today(core: AnyCore) -> str:
    """The day it is in the workspace's zone."""
    return local(core.clock.now(), core.settings.workspace.zone).date().isoformat()


def moment(core: AnyCore, written: str) -> datetime:
    """The instant that is asked of, thirty days ago where none is; Unacceptable for one that lies ahead."""
    at = instant(core, written or earlier(core))
    if at is None or at > core.clock.now():
        raise Unacceptable(f"{written[:40]} lies ahead", help="ask of an instant that has gone by")
    return at


def view(core: AnyCore, viewer: Viewer, name: str, as_of: str, person: str = "") -> TagThen:
    """The tag at an instant, of all the viewer's people or of the `person` that an identifier names."""
    model, at = core.applied.get("tag", name).model, moment(core, as_of)
    analyses, _ = understood(core)
    profile = _named(core, viewer, person) if person.strip() else None
    with core.lane().lane() as lane, tag_past.worked_out(lane, core.catalog, name, analyses, at, profile=profile):
        figures = None if profile is not None else tag_past.then(lane, core.catalog, viewer, name, at)
        one = None if profile is None else tag_past.of_person(lane, name, profile)
    some = [one] if one is not None else [(each, True) for each in figures.people] if figures else []
    return TagThen(
        tag=name,
        label=model.label,
        type=analyses[name].type or "null",
        status=model.status,
        as_of=at,
        refreshed=progress.stood_at(core.lane(), STAGE),
        limits=_limits(core, name, analyses, at),
        figures=figures,
        people=_shown(core, viewer, some),
    )


def file(core: AnyCore, viewer: Viewer, name: str, as_of: str, *, after: str = "") -> tuple[bytes, int, str]:
    """Everyone's value at an instant as CSV; how many rows, and behind whom the next part begins, or nothing.

    It is an export for analysis: written down before it leaves; Conflict for a sensitive tag.
    """
    model, at = core.applied.get("tag", name).model, moment(core, as_of)
    if model.privacy == "sensitive":
        raise Conflict(f"the tag `{name}` is sensitive and leaves no export", help="ask of one person instead")
    people.require(viewer)
    analyses, _ = understood(core)
    wish = Wish(audience="", purpose=ANALYSIS, tags=(name,))
    begin = None if not after else int(profile_of(after))
    patience = tag_past.LONGEST
    with core.lane().lane() as lane, tag_past.worked_out(lane, core.catalog, name, analyses, at, seconds=patience):
        found = profile_export.leaving(lane, viewer, wish, judging.leaving(core), after=begin, limit=MOST)
        left, more = [profile for profile, _ in found[:MOST]], len(found) > MOST
        values = tag_past.values(lane, name, left)
    exports.leave(core, viewer, "profiles", list(values), wish, reason="")
    audit(core, viewer, "tag.export", name, rows=len(values), as_of=iso(at))
    rows = [(show_profile(profile), values[profile]) for profile in left if profile in values]
    written = sheet([("id", name), *rows] if begin is None else rows)
    return written.encode(), len(rows), show_profile(left[-1]) if more else ""


def _shown(core: AnyCore, viewer: Viewer, some: Sequence[tuple[Was, bool]]) -> tuple[Person, ...]:
    if not some:
        return ()
    rows = people.rows(core.lane(), core.vault, viewer, [each.profile_id for each, _ in some])
    by_id = {row.id: row for row in rows}
    found = [(by_id.get(show_profile(each.profile_id)), each, seen) for each, seen in some]
    return tuple(Person(person=row, seen=seen, then=each.then, now=each.now) for row, each, seen in found if row)


def _named(core: AnyCore, viewer: Viewer, text: str) -> int:
    rules = rules_of(core.applied.of("identifier"))
    (found,) = named(core.lane(), viewer, [text], keys=core.keys, rules=rules)
    if found is None:
        raise NotFound(f"`{text[:60]}` names nobody, or more than one person", help="write a p_… id or KIND:VALUE")
    return found


def _limits(core: AnyCore, name: str, analyses: Mapping[str, Analysis], at: datetime) -> tuple[Limit, ...]:
    """What can't be known; a definition of which no change is kept has been what it is."""
    known = revisions(core.state, "tag", name, limit=1)
    return tag_past.limits(core.lane(), name, analyses, at, defined_at=known[0].at if known else None)


@get("/api/tags/{name:str}/then", opt={"roles": DEFINE}, sync_to_thread=True)
def tag_then(
    core: Core, viewer: Asking, name: FromPath[str], as_of: FromQuery[str] = "", person: FromQuery[str] = ""
) -> dict[str, Any]:
    """What a tag was at the instant `as_of`, worked out from what had happened by then; of one `person` if named.

    `limits` says what is known as it is today only: who is whom (`identity`), the definition where it is newer, traits
    that Spira works out by itself, consents, and events that were deleted since. Stopped after twenty seconds.
    """
    told: dict[str, Any] = plain(view(core, viewer, name, as_of, person))
    return told


@post("/api/tags/{name:str}/then/export", opt={"roles": EXPORT, "cost": "export"}, status_code=200, sync_to_thread=True)
def export_then(core: Core, viewer: Asking, name: FromPath[str], data: JSONBody[dict[str, Any]]) -> Response[bytes]:
    """A tag of everyone at an instant as CSV, `{"as_of": "2026-05-01"}`; for analysis, and written down.

    A million people at most; the header `X-Spira-Next` has the id to send as `after` for those behind them.
    """
    content, rows, after = file(core, viewer, name, str(data.get("as_of", "")), after=str(data.get("after") or ""))
    return sent(name, content, rows, after)


def sent(name: str, content: bytes, rows: int, after: str) -> Response[bytes]:
    """The file as an answer."""
    headers = {"content-disposition": f'attachment; filename="{name}.csv"', "x-spira-rows": str(rows)}
    headers |= {"x-spira-next": after} if after else {}
    return Response(content=content, media_type="text/csv; charset=utf-8", headers=headers)


ROUTES = [tag_then, export_then]
