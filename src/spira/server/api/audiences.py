"""`/api/audiences`: who is chosen, and whom a condition would choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from spira.kernel.errors import NotAllowed
from spira.kernel.viewer import FEWEST, Viewer, bound_units
from spira.segment import tag_uses
from spira.segment.preview import Preview, preview, tags_of
from spira.server.api.audience_facts import listed
from spira.server.api.profiles import row
from spira.server.core import AnyCore, Asking, Core, as_of
from spira.server.wire import plain
from spira.unify import people


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A condition."""

    condition: str


def ask(core: AnyCore, viewer: Viewer, condition: str) -> Preview:
    """Whom a condition chooses now, among the people the viewer may see.

    Who sees figures only is told no figure that is about a few people, or about all but a few:
    a narrow enough condition would else say of one person whatever one asks.
    """
    tag_uses.note(core.state, tags_of(core.catalog, viewer, condition), at=as_of(core))
    found = preview(core.lane(), core.catalog, viewer, condition, as_of=as_of(core), vault=core.vault)
    if not viewer.sees_people and min(found.count, found.total - found.count) < FEWEST and found.count != found.total:
        raise NotAllowed(f"this chooses fewer than {FEWEST} people, or all but so few", help="ask a wider question")
    return found


@post("/api/audiences/preview", opt={"cost": "preview"}, status_code=200, sync_to_thread=True)
def preview_audience(core: Core, viewer: Asking, data: JSONBody[Asked]) -> dict[str, Any]:
    """Count the people of whom a condition is true, with a masked sample for those who may see people."""
    found = ask(core, viewer, data.condition)
    return {**plain(found), "sample": [row(each) for each in found.sample]}


@get("/api/audiences", sync_to_thread=True)
def list_audiences(core: Core, viewer: Asking) -> dict[str, Any]:
    """Every applied audience with its number of members, how it grew, and which definitions use it."""
    return plain(listed(core, viewer))  # type: ignore[no-any-return]


@get("/api/audiences/{name:str}", sync_to_thread=True)
def show_audience(
    core: Core, viewer: Asking, name: FromPath[str], limit: Annotated[int, QueryParameter(ge=1, le=10_000)] = 20
) -> dict[str, Any]:
    """One audience: its condition, its size, and some of its members for those who may see people."""
    model = core.applied.get("audience", name).model
    told: dict[str, Any] = {"audience": name, "label": plain(model.label), "who": str(model.who)}
    told["count"] = next(each.members for each in listed(core, viewer).audiences if each.audience == name)
    if viewer.sees_people:
        lane = core.lane()
        asked = {**bound_units(viewer), "audience": name, "limit": limit}
        found = [each for (each,) in lane.query(_MEMBERS, asked)]
        told["members"] = [row(each) for each in people.rows(lane, core.vault, viewer, found)]
    return told


ROUTES = [preview_audience, list_audiences, show_audience]

_MEMBERS = """
select profile_id from members join profiles using (profile_id)
where audience = $audience and ($units::bigint[] is null or list_contains($units, unit_id))
order by since desc, profile_id limit $limit
"""
