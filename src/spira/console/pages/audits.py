"""Audit: who did what, in words, with the proof that nobody changed it since."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import anyio.to_thread
from litestar import Request, Response, get, post
from litestar.params import FromQuery

from spira.console.render import page
from spira.kernel.clock import iso
from spira.kernel.viewer import Viewer
from spira.server.api.privacy import audit_page, sought_of
from spira.server.core import AnyCore, Asking, Core, audit
from spira.server.roles import ERASE, whole
from spira.storage import audit as audits
from spira.storage.audit import AuditRow, Sought

Asked = Request[Any, Any, Any]
LIST = 50
MOST = 50_000  # rows of one file
_LOT = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@get("/audit", opt={**whole(ERASE), "data": "/api/audit?verify=false&limit=50"}, sync_to_thread=True)
def audit_list(
    request: Asked,
    core: Core,
    family: FromQuery[str] = "",
    actor: FromQuery[str] = "",
    subject: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    before: FromQuery[int] = 0,
    verify: FromQuery[bool] = False,
) -> Response[str]:
    """A page of the acts that are looked for, and how the chain of all stands."""
    sought = sought_of(core, family, actor, subject, since, until)
    shown = audit_page(core, sought, before=before, limit=LIST, verify=verify)
    asked = {"family": family, "actor": actor, "subject": subject, "since": since, "until": until}
    return page(request, core, "audit.html", data=shown, asked=asked, asked_to_verify=verify)


@post("/audit/export", opt={**whole(ERASE), "cost": "export"}, status_code=200)
async def export_audit(request: Asked, core: Core, viewer: Asking) -> Response[bytes]:
    """The acts that are looked for, as a CSV file; that it was taken is an act as well."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    return await anyio.to_thread.run_sync(lambda: _export(core, viewer, form))


def _export(core: AnyCore, viewer: Viewer, form: dict[str, str]) -> Response[bytes]:
    asked = {name: form.get(name, "") for name in ("family", "actor", "subject", "since", "until")}
    rows = _all(core, sought_of(core, **asked))
    looked_for = {name: value for name, value in asked.items() if value and name != "subject"}
    audit(core, viewer, "audit.export", "csv", rows=len(rows), **looked_for)
    headers = {"content-disposition": f'attachment; filename="audit-{core.clock.now():%Y-%m-%d}.csv"'}
    return Response(content=csv_of(rows).encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


def _all(core: AnyCore, sought: Sought) -> list[AuditRow]:
    found: list[AuditRow] = []
    while len(found) < MOST:
        before = found[-1].number if found else None
        lot = audits.latest(core.state, limit=_LOT, before=before, sought=sought)
        found += lot
        if len(lot) < _LOT:
            break
    return found[:MOST]


def csv_of(rows: list[AuditRow]) -> str:
    """Rows as CSV; a cell that a spreadsheet would take for a formula is a text."""
    written = io.StringIO()
    sheet = csv.writer(written, lineterminator="\r\n")
    sheet.writerow(["number", "at", "actor", "action", "subject", "detail"])
    for row in rows:
        detail = json.dumps(row.detail, ensure_ascii=False, sort_keys=True) if row.detail else ""
        cells = (row.actor, row.action, row.subject, detail)
        sheet.writerow(
            [row.number, iso(row.at), *(f"'{each}" if each.startswith(_FORMULA) else each for each in cells)]
        )
    return written.getvalue()


ROUTES = [audit_list, export_audit]
