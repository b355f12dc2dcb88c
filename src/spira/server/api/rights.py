"""`/api/requests`: the one register of what people ask of us: filing, answering, what is due, and the receipts.

A request is carried out here: a package of everything that is known (access, portability), a correction,
a restriction, an erasure with its signed receipt. What was asked by people themselves comes in through
the preference centre (`unify.rights.file_request`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, get_args

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from spira.collect.envelope import Emitted, OwnEvent, encode
from spira.collect.identifiers import IDENTIFYING_TRAITS
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.viewer import Viewer
from spira.server.api.requests import (
    GIVE_OUT,
    Past,
    ReceiptView,
    erase_and_keep_receipt,
    give_out_key,
    past,
    receipt_of,
)
from spira.server.api.requests import parts as parts_of
from spira.server.core import AnyCore, Asking, Core, as_of, audit
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.unify import jurisdictions, recipients, restrictions, rights
from spira.unify.affected import Affected, affected_by_key
from spira.unify.erase import keys_of
from spira.unify.package import package
from spira.unify.recipients import What
from spira.unify.restrictions import Relative
from spira.unify.rights import BadRequest, Law, Request, Right, Sought, Status

LIST = 200
PACK = {**whole(GIVE_OUT), "cost": "export"}
CORRECTED = "Details Corrected"
LATE = "late"  # what the register may be filtered by, beside the status of a request
STATUSES = (*get_args(Status), LATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A request that staff file for somebody who wrote, rang or came by."""

    identifier: str
    right: Right
    law: Law | None = None
    note: str = ""
    corrections: dict[str, str] = field(default_factory=dict)
    relative: Relative | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGiven:
    """What the person is told."""

    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """One request in the list."""

    request: Request = field(metadata={"help": "the request"})
    days_left: int = field(metadata={"help": "whole days until its deadline; less than none when it is late"})
    late: bool = field(metadata={"help": "whether it was not, or is not yet, answered in time"})
    pressing: bool = field(metadata={"help": "whether its deadline is near, or past"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The register: what is due, and what was answered."""

    as_of: datetime = field(metadata={"help": "when this was looked up"})
    open: int = field(metadata={"help": "how many wait for an answer"})
    pressing: int = field(metadata={"help": "how many of them are near their deadline"})
    late: int = field(metadata={"help": "how many of them are past it"})
    answered: int = field(metadata={"help": "how many of those shown were answered"})
    rows: tuple[RequestRow, ...] = field(metadata={"help": "the most pressing first, then the answered ones"})
    erasures: tuple[Past, ...] = field(metadata={"help": "the last hundred erasures, newest first"})
    receipt: ReceiptView | None = field(metadata={"help": "the receipt of an erasure that was asked for"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRequest:
    """One request with whom it is about, masked, and what they wrote."""

    row: RequestRow = field(metadata={"help": "the request and its clock"})
    found: Affected | None = field(metadata={"help": "who it is about; none when nobody has the identifier (any more)"})
    note: str = field(metadata={"help": "what the person wrote"})
    corrections: Mapping[str, str] = field(metadata={"help": "what is to be corrected, by the trait's name"})
    answer: str = field(metadata={"help": "what they were told"})
    restricted_since: datetime | None = field(metadata={"help": "since when their data is kept and not used"})
    deceased: str | None = field(metadata={"help": "which relative told us that they died; none for the living"})


def view(core: AnyCore, *, status: str = "", right: str = "", receipt: int = 0) -> Register:
    """The register, or what of it is looked for (`late` is a status here), and a receipt by its number."""
    if (status and status not in STATUSES) or (right and right not in rights.RIGHTS):
        raise NotFound(f"there are no requests like `{status or right}`", help="leave the filter out")
    at = as_of(core)
    waiting = [_row(core, each, at) for each in rights.listed(core.state, limit=LIST, sought=Sought(status="open"))]
    named = None if status in ("", LATE) else status
    sought = Sought(status=named, right=right or None)  # type: ignore[arg-type]
    rows = tuple(_row(core, each, at) for each in rights.listed(core.state, limit=LIST, sought=sought))
    rows = tuple(each for each in rows if each.late) if status == LATE else rows
    return Register(
        as_of=at,
        open=len(waiting),
        pressing=sum(each.pressing and not each.late for each in waiting),
        late=sum(each.late for each in waiting),
        answered=sum(each.request.status != "open" for each in rows),
        rows=rows,
        erasures=past(core),
        receipt=receipt_of(core, receipt) if receipt else None,
    )


def one(core: AnyCore, viewer: Viewer, request_id: str) -> OneRequest:
    """One request."""
    request = rights.one(core.state, request_id)
    details = rights.details_of(core.state, core.keys, request)
    lane = core.lane()
    keys = keys_of(lane, request.asked_key)
    return OneRequest(
        row=_row(core, request, as_of(core)),
        found=affected_by_key(lane, core.state, core.vault, viewer, request.asked_key),
        note=details.note,
        corrections=details.corrections,
        answer=details.answer,
        restricted_since=restrictions.since(core.state, keys),
        deceased=restrictions.told_by(core.state, keys),
    )


def file(core: AnyCore, viewer: Viewer, new: NewRequest) -> Request:
    """File a request for somebody, by the law of where they are unless it names one; its audit row is written too.

    What a `relative` asks for marks the person as deceased: from the next turn on nothing is sent to them.
    """
    key = core.keys.subject_key(*parts_of(core, new.identifier))
    filed = rights.file_request(
        core.state,
        core.keys,
        core.clock,
        settings=core.settings,
        right=new.right,
        subject_key=key,
        origin="staff",
        actor=viewer.staff_id,
        law=new.law or law_of(core, key),
        note=new.note,
        corrections=new.corrections,
        relative=new.relative,
    )
    if new.relative is not None:
        restrictions.mark_deceased(core.state, key, relative=new.relative, actor=viewer.staff_id, at=core.clock.now())
        audit(core, viewer, "rights.deceased", filed.request_id, relative=new.relative)
    return filed


def law_of(core: AnyCore, key: str) -> Law:
    """The law that holds for whoever has the identifier with this HMAC; the workspace's own for nobody we know."""
    default = core.settings.rights.law
    found = jurisdictions.of_key(core.lane(), core.vault, key, default=default)
    return next((each for each in rights.LAWS if found is not None and each == found.rules), default)


def extend(core: AnyCore, viewer: Viewer, request_id: str) -> Request:
    """Extend a request's deadline, once."""
    return rights.extend(core.state, core.clock, request_id, settings=core.settings, actor=viewer.staff_id)


def refuse(core: AnyCore, viewer: Viewer, request_id: str, answer: str) -> Request:
    """Refuse a request, with the reason that the person is told."""
    return _close(core, viewer, request_id, answer=answer, refused=True)


def carry_out(core: AnyCore, viewer: Viewer, request_id: str, answer: str = "") -> Request:
    """Do what a request asks for, and close it. Access and portability are closed once the package was handed over."""
    request = rights.one(core.state, request_id)
    if request.status != "open":
        raise Conflict("this request was answered already", help="file another one")
    receipt = None
    match request.right:
        case "correction":
            _correct(core, request)
            _owe(core, request, "correction")
        case "restriction":
            restrictions.restrict(core.state, request.asked_key, actor=viewer.staff_id, at=core.clock.now())
            _owe(core, request, "restriction")
        case "erasure":
            restrictions.lift(core.state, keys_of(core.lane(), request.asked_key))
            receipt, _ = erase_and_keep_receipt(core, viewer, request.asked_key)
            answer = ""  # of somebody who was erased nothing is kept but the receipt
        case _:
            pass
    return _close(core, viewer, request_id, answer=answer, receipt=receipt)


def lift(core: AnyCore, viewer: Viewer, request_id: str) -> int:
    """Use the data of whoever filed a request again; how many restrictions that lifted."""
    request = rights.one(core.state, request_id)
    lifted = restrictions.lift(core.state, keys_of(core.lane(), request.asked_key))
    audit(core, viewer, "rights.lift", request_id, lifted=lifted)
    return lifted


def packed(core: AnyCore, viewer: Viewer, request_id: str) -> tuple[str, bytes]:
    """Everything that is known of whoever filed a request, as a zip, and its name; written down."""
    request = rights.one(core.state, request_id)
    file = give_out_key(core, viewer, request.asked_key)
    brand = core.settings.workspace.brand
    name = f"{file.person.id}-{file.exported_at:%Y-%m-%d}.zip"
    return name, package(plain(file), language=viewer.language, brand=brand)


def _close(core: AnyCore, viewer: Viewer, request_id: str, **more: Any) -> Request:
    return rights.close(core.state, core.keys, core.clock, request_id, actor=viewer.staff_id, **more)


def _owe(core: AnyCore, request: Request, what: What) -> None:
    """Whoever else has the person's data has to hear of it."""
    lane = core.lane()
    recipients.owe(core.state, lane, core.clock, keys_of(lane, request.asked_key), what=what)


def _correct(core: AnyCore, request: Request) -> None:
    """Tell the corrected values as an event of Spira's own, which is believed before every source."""
    corrections = rights.details_of(core.state, core.keys, request).corrections
    wrong = sorted(IDENTIFYING_TRAITS & corrections.keys())
    if wrong:
        raise BadRequest(
            f"`{wrong[0]}` tells people apart and is not corrected here",
            help="correct it at its source, or cut the link that joined it; then answer the request by hand",
        )
    subject = core.lane().value(_SUBJECT, {"key": request.asked_key})
    if subject is None:
        raise NotFound("there is no profile of this person yet", help="wait for the next turn")
    if not corrections:
        return
    at = core.clock.now()
    event = OwnEvent(
        message_id=f"correction-{request.request_id}",
        event=CORRECTED,
        at=at,
        subject_id=int(subject),
        traits=dict(corrections),
    )
    core.log.append([encode(Emitted(at, [event]))])


def _row(core: AnyCore, request: Request, at: datetime) -> RequestRow:
    left = request.due_at - at
    is_open = request.status == "open"
    return RequestRow(
        request=request,
        days_left=left // timedelta(days=1),
        late=request.is_late(at),
        pressing=is_open and left <= timedelta(days=core.settings.rights.warn_days),
    )


@get("/api/requests", opt=whole(ERASE), sync_to_thread=True)
def list_requests(
    core: Core, status: FromQuery[str] = "", right: FromQuery[str] = "", receipt: FromQuery[int] = 0
) -> dict[str, Any]:
    """What people asked for: the most pressing first, then the answered ones; the erasures, and a receipt."""
    return plain(view(core, status=status, right=right, receipt=receipt))  # type: ignore[no-any-return]


@get("/api/requests/{request_id:str}", opt=whole(ERASE), sync_to_thread=True)
def show_right(core: Core, viewer: Asking, request_id: FromPath[str]) -> dict[str, Any]:
    """One request: whom it is about, masked, what they wrote, and its clock."""
    return plain(one(core, viewer, request_id))  # type: ignore[no-any-return]


@post("/api/requests", opt=whole(ERASE), sync_to_thread=True)
def file_right(core: Core, viewer: Asking, data: JSONBody[NewRequest]) -> dict[str, Any]:
    """File a request for somebody (access, portability, correction, restriction or erasure), and start its clock."""
    return plain(file(core, viewer, data))  # type: ignore[no-any-return]


@post("/api/requests/{request_id:str}/extend", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def extend_right(core: Core, viewer: Asking, request_id: FromPath[str]) -> dict[str, Any]:
    """Extend a request's deadline, once; tell the person why."""
    return plain(extend(core, viewer, request_id))  # type: ignore[no-any-return]


@post("/api/requests/{request_id:str}/refuse", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def refuse_right(core: Core, viewer: Asking, request_id: FromPath[str], data: JSONBody[AnswerGiven]) -> dict[str, Any]:
    """Refuse a request, with a reason."""
    return plain(refuse(core, viewer, request_id, data.answer))  # type: ignore[no-any-return]


@post("/api/requests/{request_id:str}/carry-out", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def carry_out_right(
    core: Core, viewer: Asking, request_id: FromPath[str], data: JSONBody[AnswerGiven]
) -> dict[str, Any]:
    """Do what a request asks for (correct, restrict, erase; a package is fetched apart), and close it."""
    return plain(carry_out(core, viewer, request_id, data.answer))  # type: ignore[no-any-return]


@post("/api/requests/{request_id:str}/lift", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def lift_right(core: Core, viewer: Asking, request_id: FromPath[str]) -> dict[str, Any]:
    """Lift the restriction of whoever filed a request."""
    return {"lifted": lift(core, viewer, request_id)}


@post(
    "/api/requests/{request_id:str}/package",
    opt={**whole(GIVE_OUT), "cost": "export"},
    status_code=200,
    sync_to_thread=True,
)
def package_right(core: Core, viewer: Asking, request_id: FromPath[str]) -> Response[bytes]:
    """Everything that is known of whoever filed a request, in clear, as a zip of JSON, a page and the data map."""
    return zipped(*packed(core, viewer, request_id))


def zipped(name: str, content: bytes) -> Response[bytes]:
    """A zip as an answer."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content=content, media_type="application/zip", headers=headers)


_SUBJECT = "select subject_id from identifiers where subject_key = $key"
ROUTES = [
    list_requests,
    show_right,
    file_right,
    extend_right,
    refuse_right,
    carry_out_right,
    lift_right,
    package_right,
]
