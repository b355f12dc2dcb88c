"""`/api/imports`, for programs that read tables themselves (`spira import` is one).

Such a program begins an import, hands over lots of calls each with the cursor behind it, and ends
it; asked again it is told the cursor to go on from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from litestar import Request, post
from litestar.params import FromPath, FromQuery, JSONBody

from spira.collect import sources
from spira.collect.calls import BadBody, read_request
from spira.collect.envelope import Accepted, encode
from spira.collect.imports import tables, views
from spira.collect.imports.tables import Beginning
from spira.collect.mapping.build import RowFault
from spira.kernel.errors import Conflict, LogUnavailable
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.errors import Unacceptable
from spira.server.roles import RUN, whole
from spira.server.wire import plain

LARGEST_LOT = 4_194_304


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImport:
    """A table to import: through which source, by which mapping, and what the table is known by."""

    source: str
    mapping: str
    fingerprint: str
    part: str
    identity: str
    kind: str = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFault:
    """A row at fault."""

    row: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFaults:
    """Rows at fault, without what stands in them: those stay where the table is."""

    faults: tuple[NewFault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an import ended: well, or with what fault."""

    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the last body of a lot brings along: the cursor behind the lot, and what was counted in all of it."""

    cursor: str | None = None
    rows: int = 0
    calls: int = 0
    skipped: int = 0
    faults: int = 0


def take(core: AnyCore, import_id: str, body: bytes, told: Told) -> int:
    """Make a body of calls durable, then keep the cursor if it is its lot's last; how many calls it holds.

    Nothing is counted before: a lot that is sent again because somebody was killed is counted once.
    """
    found = tables.get(core.state, import_id)
    if found.status != "running":
        raise Conflict(f"the import is {found.status}", help="begin it again")
    _room(core)
    count = 0
    if body:
        try:
            count = len(read_request(body, "batch").calls)
        except BadBody as wrong:
            raise Unacceptable(str(wrong), help="send a body as of /v1/batch") from None
        core.log.append([encode(Accepted(found.source, core.clock.now(), "batch", body))])
    if told.cursor is not None:
        tables.advance(
            core.state,
            core.clock,
            import_id,
            cursor=told.cursor,
            rows=told.rows,
            calls=told.calls,
            skipped=told.skipped,
            faults=told.faults,
        )
    return count


@post("/api/imports", opt=whole(RUN), status_code=201, sync_to_thread=True)
def begin_import(core: Core, viewer: Asking, data: JSONBody[NewImport]) -> dict[str, Any]:
    """Begin an import, or take up the one that there is of this table: `cursor` is where to go on."""
    sources.get(core.state, data.source)
    what = Beginning(
        source=data.source,
        mapping=data.mapping,
        fingerprint=data.fingerprint,
        kind=data.kind if data.kind != "upload" else "file",
        part=data.part,
        identity=data.identity,
        actor=viewer.staff_id,
    )
    begun = tables.begin(core.state, core.clock, what)
    audit(core, viewer, "import.start", begun.import_id, source=data.source, mapping=data.mapping)
    return plain({**plain(views.shown(begun)), "cursor": begun.cursor})  # type: ignore[no-any-return]


@post(
    "/api/imports/{import_id:str}/calls",
    opt={**whole(RUN), "cost": "free"},
    status_code=200,
    request_max_body_size=LARGEST_LOT,
)
async def append_calls(
    request: Request[Any, Any, Any],
    core: Core,
    import_id: FromPath[str],
    cursor: FromQuery[str | None] = None,
    rows: FromQuery[int] = 0,
    calls: FromQuery[int] = 0,
    skipped: FromQuery[int] = 0,
    faults: FromQuery[int] = 0,
) -> dict[str, Any]:
    """Append calls, a body as of `/v1/batch`; they are durable when this answers, and then the cursor is kept."""
    body = await request.body()
    told = Told(cursor=cursor, rows=max(0, rows), calls=max(0, calls), skipped=max(0, skipped), faults=max(0, faults))
    return {"calls": await anyio.to_thread.run_sync(lambda: take(core, import_id, body, told))}


@post("/api/imports/{import_id:str}/faults", opt=whole(RUN), status_code=200, sync_to_thread=True)
def append_faults(core: Core, import_id: FromPath[str], data: JSONBody[NewFaults]) -> dict[str, Any]:
    """Tell of rows at fault, so that they are seen under Imports."""
    tables.get(core.state, import_id)
    told = [RowFault(row=each.row, column=each.column, value="", reason=each.reason) for each in data.faults]
    return {"kept": tables.keep_faults(core.state, core.clock, core.keys, import_id, told[: tables.MOST_FAULTS])}


@post("/api/imports/{import_id:str}/end", opt=whole(RUN), status_code=200, sync_to_thread=True)
def end_import(core: Core, import_id: FromPath[str], data: JSONBody[Ended]) -> dict[str, Any]:
    """End an import, well or with a fault; one that failed goes on when it is begun again."""
    tables.get(core.state, import_id)
    tables.finish(core.state, core.clock, import_id, fault=data.fault)
    return plain(views.shown(tables.get(core.state, import_id)))  # type: ignore[no-any-return]


def _room(core: AnyCore) -> None:
    backlog = getattr(core, "backlog", None)
    if backlog is not None and backlog() > core.settings.collect.backlog_bytes // 4:
        raise LogUnavailable("loading is behind", help="send the calls again in a moment")


ROUTES = [begin_import, append_calls, append_faults, end_import]
