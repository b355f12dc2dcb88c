"""`/api/profiles/{profile}/timeline`: what happened to a person, page by page, of the kinds that are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from spira.kernel.viewer import Viewer
from spira.server.api.asked import instant, profile_of
from spira.server.core import AnyCore, Asking, Core
from spira.server.errors import Unacceptable
from spira.server.roles import PEOPLE
from spira.server.staff import names
from spira.server.wire import plain
from spira.unify import moments, notes, people, timeline
from spira.unify.moments import KINDS, Kind, Place, Wanted
from spira.unify.portrait import Moment, Timeline

MOST = 200


def wanted(
    core: AnyCore,
    *,
    kinds: Iterable[str] = (),
    event: str | None = None,
    source: str | None = None,
    since: str | None = None,
    until: str | None = None,
    before: str | None = None,
) -> Wanted:
    """What of a timeline is asked for, as it is written in an address; Unacceptable for what is no kind or instant.

    A date means its local midnight. No kind is every kind.
    """
    named = [each for each in kinds if each]
    wrong = next((each for each in named if each not in KINDS), None)
    if wrong is not None:
        raise Unacceptable(f"`{wrong[:40]}` is no kind of moment", help=f"choose of: {', '.join(KINDS)}")
    chosen: tuple[Kind, ...] = tuple(each for each in KINDS if each in named) or KINDS
    return Wanted(
        kinds=chosen,
        event=event or None,
        source=source or None,
        since=instant(core, since),
        until=instant(core, until),
        before=Place.read(before) if before else None,
    )


def view(core: AnyCore, viewer: Viewer, shown_id: str, asked: Wanted, *, limit: int = timeline.PAGE) -> Timeline:
    """A page of one person's timeline; Unacceptable for a page that is too long, once there is such a person."""
    lane, zone = core.lane(), core.settings.workspace.zone
    profile = people.locate(lane, viewer, profile_of(shown_id))
    if not 1 <= limit <= MOST:
        raise Unacceptable(f"a page has between 1 and {MOST} moments", help=f"ask for {MOST}, and follow `next`")
    more: list[Moment] = []
    if asked.asks("note") or asked.asks("identity"):
        owned = notes.keys_of(lane, profile)
        written = notes.under(core.state, core.keys, owned, most=notes.EVERY) if asked.asks("note") else ()
        more = of_state(core, owned, asked, written)
    return timeline.timeline(lane, profile, zone=zone, wanted=asked, more=more, limit=limit)


def of_state(core: AnyCore, owned: Sequence[str], asked: Wanted, written: Sequence[notes.Note]) -> list[Moment]:
    """What only the state knows: notes, and what staff decided of the identifiers; with their names."""
    found = moments.of_notes(written, asked) + moments.of_decisions(core.state, owned, asked)
    return moments.signed(found, names(core.state)) if found else []


@get("/api/profiles/{profile:str}/timeline", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_timeline(
    core: Core,
    viewer: Asking,
    profile: FromPath[str],
    kind: FromQuery[list[str] | None] = None,
    event_name: Annotated[str | None, QueryParameter(name="event")] = None,
    source: FromQuery[str | None] = None,
    since: FromQuery[str | None] = None,
    until: FromQuery[str | None] = None,
    before: FromQuery[str | None] = None,
    limit: FromQuery[int] = timeline.PAGE,
) -> dict[str, Any]:
    """What happened to a person, newest first: of each `kind`, one `event` or `source`, from `since` up to `until`.

    Kinds are event, consent, message, audience, journey, identity, tag, household and note; an event's name or a
    source leaves events alone. `next` is the `before` of the next page.
    """
    asked = wanted(
        core, kinds=kind or (), event=event_name, source=source, since=since, until=until, before=before
    )  # fmt: skip
    return plain(view(core, viewer, profile, asked, limit=limit))  # type: ignore[no-any-return]


ROUTES = [show_timeline]
