"""`/api/profiles`: people, for those who may see them."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import get
from litestar.params import FromPath, FromQuery, QueryParameter

from spira.kernel.errors import NotFound
from spira.kernel.ids import BadId, read_profile
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.roles import PEOPLE
from spira.server.wire import plain
from spira.unify import people
from spira.unify.explain import Explanation, explain
from spira.unify.portrait import PersonRow, PersonView


def search(core: AnyCore, viewer: Viewer, text: str) -> list[PersonRow]:
    """The people that a text names, among those the viewer may see; all of them masked."""
    return people.find(core.lane(), core.vault, viewer, text, keys=core.keys) if text.strip() else []


def view(
    core: AnyCore,
    viewer: Viewer,
    shown_id: str,
    *,
    before: str | None = None,
    event: str | None = None,
    clear: bool = False,
) -> PersonView:
    """Everything about one person. Contact values in clear only when asked for; that is written down."""

    def told(person: str) -> None:
        audit(core, viewer, "person.shown_in_clear", person)

    return people.person(
        core.lane(),
        core.vault,
        viewer,
        profile_of(shown_id),
        zone=core.settings.workspace.zone,
        before=before,
        event=event,
        on_show=told if clear else None,
    )


def explanation(core: AnyCore, viewer: Viewer, shown_id: str) -> Explanation:
    """Why these identifiers are one person."""
    return explain(core.lane(), core.vault, viewer, profile_of(shown_id))


def profile_of(shown_id: str) -> int:
    """The profile that an outside id names."""
    try:
        return read_profile(shown_id)
    except BadId:
        raise NotFound(f"there is no profile `{shown_id[:40]}`", help="search for the person") from None


def row(person: PersonRow) -> dict[str, Any]:
    """One person in a list, as JSON."""
    told = plain(person)
    return {"profile_id": told.pop("id"), **told}


@get("/api/profiles", opt={"roles": PEOPLE}, sync_to_thread=True)
def list_profiles(core: Core, viewer: Asking, q: FromQuery[str] = "") -> dict[str, Any]:
    """Find people by `KIND:VALUE`, a p_ id, a bare address, or the last four digits of a phone."""
    return {"profiles": [row(each) for each in search(core, viewer, q)]}


@get("/api/profiles/{profile:str}", opt={"roles": PEOPLE}, sync_to_thread=True)
def show_profile(
    core: Core,
    viewer: Asking,
    profile: FromPath[str],
    before: FromQuery[str | None] = None,
    event_name: Annotated[str | None, QueryParameter(name="event")] = None,
    clear: FromQuery[bool] = False,
    with_explanation: Annotated[bool, QueryParameter(name="explain")] = False,
) -> dict[str, Any]:
    """One person: identifiers, reach, traits, tags, audiences, deliveries and a page of the timeline."""
    told: dict[str, Any] = plain(view(core, viewer, profile, before=before, event=event_name, clear=clear))
    if with_explanation:
        told["explanation"] = plain(explanation(core, viewer, profile))
    return told


ROUTES = [list_profiles, show_profile]
