"""`/api/erase`, `/api/audit`: what must reach every store, and who did what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from litestar import get, post
from litestar.params import FromQuery, JSONBody

from spira.kernel.clock import midnight
from spira.server import staff
from spira.server.api.quarantine import day_of
from spira.server.api.requests import Named, carry_out, signed
from spira.server.core import AnyCore, Asking, Core
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.storage import audit as audits
from spira.storage import audit_chain
from spira.storage.audit import AuditRow, Sought
from spira.storage.audit_chain import Chain

LIST = 100
SHORT = 2_000  # rows of an audit that is verified without being asked


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """A page of the audit, newest first."""

    first_bad_row: int | None = field(metadata={"help": "the first row that is at fault, or missing"})
    verified: bool = field(metadata={"help": "whether the chain of all rows was looked through"})
    chain: Chain = field(metadata={"help": "how many rows there are, the chain's head, and where it does not hold"})
    rows: tuple[AuditRow, ...] = field(metadata={"help": "the acts"})
    next: int | None = field(metadata={"help": "where the next page begins; none on the last"})
    families: tuple[str, ...] = field(metadata={"help": "what acts there are about"})
    actors: Mapping[str, str] = field(metadata={"help": "who acted: the names by id"})


def audit_page(core: AnyCore, sought: Sought, *, before: int = 0, limit: int = LIST, verify: bool = False) -> AuditPage:
    """The acts that are looked for; with `verify`, or while it is short, the chain of all is looked through."""
    limit = max(1, min(limit, LIST))
    rows = audits.latest(core.state, limit=limit + 1, before=before or None, sought=sought)
    families, actors = audits.kinds(core.state)
    names = staff.names(core.state)
    count, head = audit_chain.head(core.state)
    verify = verify or count <= SHORT
    chain = audit_chain.examine(core.state) if verify else Chain(rows=count, head=head, faults=())
    return AuditPage(
        first_bad_row=chain.faults[0].first if chain.faults else None,
        verified=verify,
        chain=chain,
        rows=tuple(rows[:limit]),
        next=rows[limit - 1].number if len(rows) > limit else None,
        families=families,
        actors={each: names.get(each, each) for each in actors},
    )


def sought_of(core: AnyCore, family: str, actor: str, subject: str, since: str, until: str) -> Sought:
    """What an address asks for; `until` is a day that counts as well."""
    first, last, zone = day_of(since), day_of(until), core.settings.workspace.zone
    return Sought(
        family=family or None,
        actor=actor or None,
        subject=subject.strip() or None,
        since=None if first is None else midnight(first, zone),
        until=None if last is None else midnight(last + timedelta(days=1), zone),
    )


@post("/api/erase", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def erase_person(core: Core, viewer: Asking, data: JSONBody[Named]) -> dict[str, Any]:
    """Erase a person from every store; the receipt names nobody, is signed, and is kept under its number."""
    number, receipt = carry_out(core, viewer, data.identifier)
    return {**plain(receipt), "receipt": number, "signed": signed(core, number)}


@get("/api/audit", opt=whole(ERASE), sync_to_thread=True)
def show_audit(
    core: Core,
    family: FromQuery[str] = "",
    actor: FromQuery[str] = "",
    subject: FromQuery[str] = "",
    since: FromQuery[str] = "",
    until: FromQuery[str] = "",
    before: FromQuery[int] = 0,
    limit: FromQuery[int] = LIST,
    verify: FromQuery[bool] = True,
) -> dict[str, Any]:
    """The last hundred acts, or those looked for, and (unless `verify` is false) how the chain of all stands."""
    sought = sought_of(core, family, actor, subject, since, until)
    return plain(audit_page(core, sought, before=before, limit=limit, verify=verify))  # type: ignore[no-any-return]


ROUTES = [erase_person, show_audit]
