"""`/api/profiles/export`: people in bulk as CSV, JSON Lines or Parquet, and the mapping that brings them back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import anyio.to_thread
from litestar import Response, get, post
from litestar.params import FromQuery, JSONBody
from litestar.response import Stream

from spira.collect.tracking import OWN_TRAITS, plan_of
from spira.engage import profile_export
from spira.engage.audience_export import MESSAGING, Wish
from spira.engage.profile_export import FORMATS, Bulk, Format
from spira.engage.reach import kinds_of
from spira.kernel.ids import BadId, read_profile, show_profile
from spira.kernel.viewer import Viewer
from spira.server import judging
from spira.server.api import exports
from spira.server.api.selection import EXPORT
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.storage.warehouse import Warehouse
from spira.unify.units import all_units


def wish_of(data: Mapping[str, Any]) -> Bulk:
    """What is wanted, as programs ask for it."""
    lists = {name: data.get(name, []) for name in ("traits", "tags")}
    if not all(isinstance(each, list) and all(isinstance(one, str) for one in each) for each in lists.values()):
        raise Unacceptable("`traits` and `tags` are lists of texts", help='send {"traits": ["city"], …}')
    wish = Wish(
        audience=str(data.get("audience", "")),
        purpose=str(data.get("purpose", "")),
        channel=str(data.get("channel", "")),
        tags=tuple(dict.fromkeys(lists["tags"])),
        contacts=data.get("contacts") is True,
        recipient=str(data.get("recipient", "")),
    )
    return Bulk(
        wish=wish,
        traits=tuple(dict.fromkeys(lists["traits"])),
        audiences=data.get("audiences") is True,
        format=cast("Format", str(data.get("format", "csv"))),
        after=_after(data.get("after")),
        limit=_limit(data.get("limit", profile_export.MOST)),
    )


def _after(told: Any) -> int | None:
    try:
        return None if told in (None, "") else int(read_profile(str(told)))
    except BadId as wrong:
        raise Unacceptable(
            "`after` names no profile", help="send the header X-Spira-Next of the part before"
        ) from wrong


def _limit(told: Any) -> int:
    if not isinstance(told, int) or isinstance(told, bool) or not 1 <= told <= profile_export.MOST:
        raise Unacceptable("`limit` is no number of people", help=f"send one up to {profile_export.MOST:,}")
    return told


Leaving = list[tuple[int, str | None]]


def begin(core: AnyCore, viewer: Viewer, bulk: Bulk, *, reason: str = "") -> tuple[Bulk, Leaving, bool]:
    """Who leaves, and whether others are left for a next part.

    That they do, for which purpose and with what, is written down before the first of them does.
    """
    lane = core.lane()
    computed = lane.columns("tags")
    tags = [each.tag for each in core.applied.of("tag") if each.tag in computed and each.privacy != "sensitive"]
    profile_export.granted(bulk, viewer, kinds=kinds_of(core.applied), tags=tags, traits=clear_traits(core))
    if bulk.wish.audience:
        core.applied.get("audience", bulk.wish.audience)
    rules = judging.leaving(core)
    found = profile_export.leaving(lane, viewer, bulk.wish, rules, after=bulk.after, limit=bulk.limit)
    found, more = found[: bulk.limit], len(found) > bulk.limit
    left = [profile for profile, _ in found]
    mark = exports.leave(core, viewer, "profiles", left, bulk.wish, reason=reason)
    bulk = replace(bulk, wish=replace(bulk.wish, mark=mark))
    audit(
        core,
        viewer,
        "profiles.export",
        bulk.wish.audience or "everyone",
        rows=len(found),
        columns=list(bulk.columns),
        purpose=bulk.wish.purpose,
        channel=bulk.wish.channel if bulk.wish.purpose in MESSAGING else None,
        in_clear=bulk.wish.contacts,
        format=bulk.format,
    )
    return bulk, found, more


def clear_traits(core: AnyCore) -> list[str]:
    """The declared traits that are not sealed."""
    plan = plan_of(core.applied.of("tracking"))
    return sorted(set(plan.traits) - plan.contact)


@post("/api/profiles/export", opt={"roles": EXPORT, "cost": "export"}, status_code=200)
async def export_profiles(core: Core, viewer: Asking, data: JSONBody[dict[str, Any]]) -> Stream:
    """People as CSV, JSON Lines or Parquet, all or of an audience: `{"purpose": "analysis", "format": "csv"}`.

    With `traits` and `tags` (lists of names), `audiences` (true: which each is in); for a purpose of writing with
    its `channel` only those leave who may be written to, and `contacts` adds the address for roles that see it
    and say in `reason` why. In parts: `limit` people, then those `after` the id in the header `X-Spira-Next`, until
    there is none.
    """
    wanted, reason = wish_of(data), str(data.get("reason", ""))
    bulk, found, more = await anyio.to_thread.run_sync(lambda: begin(core, viewer, wanted, reason=reason))
    headers = {
        "content-disposition": f'attachment; filename="profiles-{core.clock.now():%Y-%m-%d}.{bulk.format}"',
        "x-spira-rows": str(len(found)),
        **({"x-spira-next": show_profile(found[-1][0])} if more else {}),
    }
    return Stream(_sent(core, viewer, bulk, found), media_type=FORMATS[bulk.format], headers=headers)


async def _sent(core: AnyCore, viewer: Viewer, bulk: Bulk, found: Leaving) -> AsyncIterator[bytes]:
    units = {unit.unit_id: unit.name for unit in all_units(core.state)}

    def file(lane: Warehouse) -> Iterator[bytes]:
        return profile_export.written(lane, core.vault, viewer, bulk, found, units=units)

    lane = core.lane().lane()
    try:
        lots = file(lane)
        while (lot := await anyio.to_thread.run_sync(next, lots, None)) is not None:
            yield lot
    finally:
        lane.close()


@get("/api/profiles/export/mapping", opt={"roles": EXPORT}, sync_to_thread=True)
def show_mapping(core: Core, trait: FromQuery[list[str] | None] = None) -> Response[str]:
    """The mapping by which `spira import` takes an exported file's traits as identify calls; all told clear ones."""
    told = trait or [name for name in clear_traits(core) if name not in OWN_TRAITS]
    return Response(content=profile_export.mapping_of(told), media_type="application/yaml")


ROUTES = [export_profiles, show_mapping]
