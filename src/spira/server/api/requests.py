"""`/api/requests/…` of somebody who was looked up: giving out what is known of them, and erasing them at once.

The register itself is `server/api/rights.py`; what is erased here stands in it too, filed and answered.

Receipts of erasures are kept in the audit, which names nobody; `POST /api/erase` makes one too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.collect.identifier_rules import rules_of
from spira.kernel.clock import iso
from spira.kernel.errors import NotFound
from spira.kernel.viewer import Role, Viewer
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.storage import audit as audits
from spira.unify import erase as erasing
from spira.unify import receipts, recipients, rights
from spira.unify.affected import Affected, affected, affected_by_key
from spira.unify.erase import Receipt, ReceiptRow, keys_of
from spira.unify.export import PersonFile, export
from spira.unify.kinds import split_identifier
from spira.unify.recipients import Duty
from spira.unify.subjects import profile_of_key

GIVE_OUT: tuple[Role, ...] = ("privacy_officer",)
LIST = 100
RECEIPT = "erase.receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A person, by `KIND:VALUE`."""

    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """What one erasure did."""

    number: int = field(metadata={"help": "the receipt's number, a row of the audit"})
    erased_at: datetime = field(metadata={"help": "when the person was erased"})
    actor: str = field(metadata={"help": "who did it"})
    subject: str = field(metadata={"help": "the HMAC of the identifier that was asked for"})
    identifiers: int = field(metadata={"help": "how many identifiers were the person"})
    rows: tuple[ReceiptRow, ...] = field(metadata={"help": "what was erased, by store and table"})
    total: int = field(metadata={"help": "all rows and records together"})
    owed: tuple[Duty, ...] = field(metadata={"help": "the recipients who have to hear of it, and when each was told"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One erasure in the list."""

    erased_at: datetime = field(metadata={"help": "when it was"})
    finished: bool = field(metadata={"help": "whether it reached every store"})
    identifiers: int = field(metadata={"help": "how many identifiers were erased"})
    receipt: int | None = field(metadata={"help": "the receipt's number, where one was kept"})


def past(core: AnyCore) -> tuple[Past, ...]:
    """The last erasures, newest first, each with the number of its receipt."""
    kept = audits.latest(core.state, limit=10 * LIST, sought=audits.Sought(family="erase"))
    numbers = {row.detail["erased_at"]: row.number for row in kept if row.action == RECEIPT}
    return tuple(
        Past(
            erased_at=each.erased_at,
            finished=each.finished,
            identifiers=each.identifiers,
            receipt=numbers.get(each.erased_at.isoformat()),
        )
        for each in erasing.past(core.state, limit=LIST)
    )


def look_up(core: AnyCore, viewer: Viewer, identifier: str) -> Affected:
    """Who is meant, masked, and how much there is of them; NotFound for nobody."""
    found = affected(core.lane(), core.state, core.vault, viewer, parts(core, identifier), keys=core.keys)
    if found is None:
        raise NotFound("nobody has this identifier", help="see that it is written as the person told it")
    return found


def carry_out(core: AnyCore, viewer: Viewer, identifier: str) -> tuple[int, Receipt]:
    """Erase a person from every store; the number of the receipt that is kept, and the receipt.

    It stands in the register as a request that was filed and answered; one that they had open is answered with it.
    """
    key = core.keys.subject_key(*parts(core, identifier))
    asked = rights.Sought(status="open", right="erasure", asked_keys=keys_of(core.lane(), key))
    waiting = rights.listed(core.state, limit=LIST, sought=asked)
    if not waiting and affected_by_key(core.lane(), core.state, core.vault, viewer, key) is not None:
        waiting = [_filed(core, viewer, key)]
    number, receipt = erase_and_keep_receipt(core, viewer, key)
    for each in waiting:
        rights.close(core.state, core.keys, core.clock, each.request_id, actor=viewer.staff_id, receipt=number)
    return number, receipt


def _filed(core: AnyCore, viewer: Viewer, key: str) -> rights.Request:
    return rights.file_request(
        core.state,
        core.keys,
        core.clock,
        settings=core.settings,
        right="erasure",
        subject_key=key,
        origin="staff",
        actor=viewer.staff_id,
    )


def erase_and_keep_receipt(core: AnyCore, viewer: Viewer, key: str) -> tuple[int, Receipt]:
    """The same for whoever has the identifier with this HMAC."""
    with core.exclusive():
        owed: list[Duty] = []

        def owe(keys: Sequence[str]) -> None:
            owed.extend(recipients.owe(core.state, core.lane(), core.clock, keys, what="erasure"))

        receipt = erasing.erase_key(core.stores(), key, actor=viewer.staff_id, before=owe)
    number = audits.record(
        core.state,
        core.clock,
        actor=viewer.staff_id,
        action=RECEIPT,
        subject=key,
        detail={
            "erased_at": receipt.erased_at.isoformat(),
            "identifiers": receipt.identifiers,
            "rows": [[each.store, each.table, each.rows] for each in receipt.rows],
            "owed": [each.duty_id for each in owed],
        },
    )
    return number, receipt


def give_out(core: AnyCore, viewer: Viewer, identifier: str) -> PersonFile:
    """Everything about a person in clear, for a privacy officer; written down."""
    return give_out_key(core, viewer, core.keys.subject_key(*parts(core, identifier)))


def give_out_key(core: AnyCore, viewer: Viewer, key: str) -> PersonFile:
    """The same for whoever has the identifier with this HMAC."""
    found = affected_by_key(core.lane(), core.state, core.vault, viewer, key)
    if found is None:
        raise NotFound("nobody has this identifier", help="see that it is written as the person told it")
    if found.person is None:
        raise NotFound("there is no profile of this person yet", help="wait for the next turn")

    def told(person: str) -> None:
        audit(core, viewer, "person.export", person)

    profile = profile_of_key(core.lane(), key)
    if profile is None:
        raise NotFound("nobody has this identifier", help="they may have been erased meanwhile")
    return export(core.lane(), core.vault, viewer, profile, at=as_of(core), on_show=told)


def signed(core: AnyCore, number: int) -> dict[str, Any]:
    """The receipt of a number, signed: what can be handed to the person or to an authority."""
    receipt = receipt_of(core, number)
    return receipts.signed(
        core.keys,
        number=number,
        subject=receipt.subject,
        erased_at=receipt.erased_at,
        identifiers=receipt.identifiers,
        rows=[plain(each) for each in receipt.rows],
        owed=[
            {"recipient": each.recipient, "duty": each.duty_id, "told_at": iso(each.told_at) if each.told_at else None}
            for each in receipt.owed
        ],
    )


def parts(core: AnyCore, identifier: str) -> tuple[str, str]:
    """An identifier's kind and value; NotFound for text that is none."""
    found = split_identifier(identifier, rules_of(core.applied.of("identifier")))
    if found is None:
        raise NotFound("this is no identifier", help="write KIND:VALUE, such as email:ann@example.com")
    return found


def receipt_of(core: AnyCore, number: int) -> ReceiptView:
    """The receipt of a number; NotFound for a number that is none."""
    row = audits.one(core.state, number) if 0 < number < 2**62 else None
    if row is None or row.action != RECEIPT:
        raise NotFound(f"there is no receipt {number}", help="the list of erasures has their numbers")
    rows = tuple(ReceiptRow(store=store, table=table, rows=count) for store, table, count in row.detail["rows"])
    return ReceiptView(
        number=row.number,
        erased_at=datetime.fromisoformat(row.detail["erased_at"]),
        actor=row.actor,
        subject=row.subject,
        identifiers=row.detail["identifiers"],
        rows=rows,
        total=sum(each.rows for each in rows),
        owed=tuple(recipients.by_id(core.state, row.detail.get("owed", []))),
    )


@post("/api/requests/look-up", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def look_up_person(core: Core, viewer: Asking, data: JSONBody[Named]) -> dict[str, Any]:
    """Who is meant by an identifier, masked, and how many rows of each table are about them."""
    return plain(look_up(core, viewer, data.identifier))  # type: ignore[no-any-return]


@post("/api/requests/export", opt={**whole(GIVE_OUT), "cost": "export"}, status_code=200, sync_to_thread=True)
def export_person(core: Core, viewer: Asking, data: JSONBody[Named]) -> dict[str, Any]:
    """Everything that is known of a person, in clear; it is written down."""
    return plain(give_out(core, viewer, data.identifier))  # type: ignore[no-any-return]


@get("/api/requests/receipts/{number:int}", opt=whole(ERASE), sync_to_thread=True)
def show_receipt(core: Core, number: FromPath[int]) -> dict[str, Any]:
    """The signed receipt of an erasure: every store that was touched, and nobody's name."""
    return signed(core, number)


ROUTES = [look_up_person, export_person, show_receipt]
