"""Rights: what people ask of us about their data, and by when they are owed an answer.

Reads   `rights_requests`, `rights_details` (state)
Writes  `rights_requests` (state)   one row per request: what, by which law, and its deadline
        `rights_details` (state)    what the person wrote with it, sealed, and gone with the person

A request names the person by the HMAC of an identifier, and outlives an erasure as the list of
erasures does, so that the house can show that it kept its deadlines. The clock of a request
begins when it is filed: under the PIPL so many working days, under the GDPR and the CCPA so many days,
which can be extended once. It ends at a midnight of the workspace's zone.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

import msgspec
import sqlalchemy as sa

from spira.kernel.clock import Clock, local, midnight
from spira.kernel.errors import Conflict, NotFound, SpiraError
from spira.kernel.ids import new_id
from spira.kernel.settings import Settings
from spira.storage import audit, sealing
from spira.storage.keys import Keys
from spira.storage.resealing import sealed_column
from spira.storage.state import State, in_parts, state_table
from spira.unify.portrait import says
from spira.unify.restrictions import Relative

Right = Literal["access", "portability", "correction", "restriction", "erasure"]
Law = Literal["pipl", "gdpr", "ccpa"]
Status = Literal["open", "done", "refused"]
RIGHTS: tuple[Right, ...] = get_args(Right)
LAWS: tuple[Law, ...] = get_args(Law)
LONGEST_NOTE = 2_000
MOST_CORRECTIONS = 20
LONGEST_VALUE = 500

REQUESTS = state_table(
    "rights_requests",
    sa.Column("request_id", sa.String(32), primary_key=True),
    sa.Column("right", sa.String(16), nullable=False),
    sa.Column("law", sa.String(8), nullable=False),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("origin", sa.String(32), nullable=False),
    sa.Column("asked_key", sa.String(32), nullable=False, index=True),
    sa.Column("filed_by", sa.String(64), nullable=False),
    sa.Column("filed_at", sa.DateTime, nullable=False),
    sa.Column("due_at", sa.DateTime, nullable=False),
    sa.Column("extended", sa.Boolean, nullable=False),
    sa.Column("closed_at", sa.DateTime),
    sa.Column("closed_by", sa.String(64)),
    sa.Column("receipt", sa.BigInteger),
    sa.Column("relative", sa.String(16)),
    sa.Index(None, "status", "due_at"),
    stage="unify.rights",
    holds="who asked for what by right, by HMAC, with its deadline; kept after an erasure as proof",
)
DETAILS = state_table(
    "rights_details",
    sa.Column("request_id", sa.String(32), primary_key=True),
    sa.Column("subject_key", sa.String(32), nullable=False, index=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    stage="unify.rights",
    person="subject_key",
    holds="what a person wrote with a request, corrections and the answer's reason, sealed",
)


class BadRequest(SpiraError):
    """A request that can't be filed or carried out as it was written."""

    code = "E007"
    status = 422


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What was written with a request: the person's words, corrected traits by name, the reason of the answer."""

    note: str = ""
    corrections: dict[str, str] = {}
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request."""

    request_id: str = says("its id")
    right: Right = says("what is asked for")
    law: Law = says("the law whose deadline holds")
    status: Status = says("open, done or refused")
    origin: str = says("where it was filed: by staff, on the preference centre, through the API")
    asked_key: str = says("the HMAC of the identifier it is about")
    filed_by: str = says("who filed it: an id of staff, or `person`")
    filed_at: datetime = says("when it was filed")
    due_at: datetime = says("by when it has to be answered")
    extended: bool = says("whether the deadline was extended")
    closed_at: datetime | None = says("when it was answered")
    closed_by: str | None = says("who answered it")
    receipt: int | None = says("the number of the receipt, a row of the audit")
    relative: Relative | None = says("which close relative asks for somebody who died; none for the person")

    def is_late(self, now: datetime) -> bool:
        """Whether it was, or is, not answered in time."""
        return (self.closed_at or now) > self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which requests are looked for; None is all."""

    status: Status | None = None
    right: Right | None = None
    asked_keys: Sequence[str] | None = None


EVERY_REQUEST = Sought()


def file_request(
    state: State,
    keys: Keys,
    clock: Clock,
    *,
    settings: Settings,
    right: Right,
    subject_key: str,
    origin: str,
    actor: str,
    law: Law | None = None,
    note: str = "",
    corrections: Mapping[str, str] | None = None,
    relative: Relative | None = None,
) -> Request:
    """File a request of the person who has the identifier `subject_key`, and start its clock.

    `actor` is an id of staff, or `person` when they filed it themselves; `law` is the workspace's own by
    default; `relative` tells who asks for somebody who died. Asking again for what is still open gives the request
    that there is. BadRequest says what is wrong with its words.
    """
    details = _checked(right, note, corrections or {})
    chosen = law or settings.rights.law
    at = clock.now()
    row = {
        "request_id": new_id("req"),
        "right": right,
        "law": chosen,
        "status": "open",
        "origin": origin,
        "asked_key": subject_key,
        "filed_by": actor,
        "filed_at": at,
        "due_at": deadline(at, chosen, settings),
        "extended": False,
        "relative": relative,
    }
    same = sa.and_(REQUESTS.c.asked_key == subject_key, REQUESTS.c.right == right, REQUESTS.c.status == "open")
    with state.write() as connection:
        before = connection.execute(sa.select(REQUESTS).where(same)).mappings().first()
        if before is not None and details == Details() and before["relative"] == relative:
            return _request(before)
        connection.execute(sa.insert(REQUESTS).values(**row))
        _keep_details(connection, keys, str(row["request_id"]), subject_key, details)
        told = {"right": right, "law": chosen, "origin": origin}
        told |= {"relative": relative} if relative else {}
        audit.record_in(
            connection, clock, actor=actor, action="rights.file", subject=str(row["request_id"]), detail=told
        )
    return one(state, str(row["request_id"]))


def deadline(filed_at: datetime, law: Law, settings: Settings, *, extended: bool = False) -> datetime:
    """The midnight after the last day on which a request may be answered.

    Public holidays are not left out of the working days: the deadline is then never too late.
    """
    zone, terms = settings.workspace.zone, settings.rights
    day = local(filed_at, zone).date()
    if law == "pipl":
        days = terms.pipl_working_days + (terms.pipl_extension_working_days if extended else 0)
        last = _working_days_after(day, days)
    elif law == "ccpa":
        last = day + timedelta(days=terms.ccpa_days + (terms.ccpa_extension_days if extended else 0))
    else:
        last = day + timedelta(days=terms.gdpr_days + (terms.gdpr_extension_days if extended else 0))
    return midnight(last + timedelta(days=1), zone)


def one(state: State, request_id: str) -> Request:
    """The request of an id; NotFound for an id that nobody gave."""
    with state.read() as connection:
        row = connection.execute(sa.select(REQUESTS).where(REQUESTS.c.request_id == request_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no request `{request_id}`", help="the list of requests has their ids")
    return _request(row)


def listed(state: State, *, limit: int, sought: Sought = EVERY_REQUEST) -> list[Request]:
    """Open requests by their deadline, the most pressing first, then the answered ones, newest first."""
    closed = REQUESTS.c.closed_at
    rows: list[Any] = []
    with state.read() as connection:
        for keys in in_parts(sought.asked_keys) if sought.asked_keys is not None else (None,):
            asked = sa.select(REQUESTS)
            if keys is not None:
                asked = asked.where(REQUESTS.c.asked_key.in_(keys))
            if sought.status is not None:
                asked = asked.where(REQUESTS.c.status == sought.status)
            if sought.right is not None:
                asked = asked.where(REQUESTS.c.right == sought.right)
            first = sa.case((closed.is_(None), 0), else_=1)
            due = sa.case((closed.is_(None), REQUESTS.c.due_at))
            asked = asked.order_by(first, due, closed.desc(), REQUESTS.c.request_id).limit(limit)
            rows += connection.execute(asked).mappings()
    return [_request(row) for row in rows][:limit]


def details_of(state: State, keys: Keys, request: Request) -> Details:
    """What was written with a request; nothing after the person was erased."""
    with state.read() as connection:
        row = connection.execute(sa.select(DETAILS).where(DETAILS.c.request_id == request.request_id)).first()
    if row is None:
        return Details()
    context = _context(request.request_id, row.subject_key)
    return msgspec.json.decode(sealing.unseal(keys, row.sealed, context=context), type=Details)


def extend(state: State, clock: Clock, request_id: str, *, settings: Settings, actor: str) -> Request:
    """Extend the deadline once, as the law allows where the person is told why; Conflict a second time."""
    request = one(state, request_id)
    if request.extended or request.status != "open":
        raise Conflict("this request can't be extended (again)", help="answer it by its deadline")
    due = deadline(request.filed_at, request.law, settings, extended=True)
    with state.write() as connection:
        mine = sa.and_(REQUESTS.c.request_id == request_id, REQUESTS.c.extended.is_(False))
        connection.execute(sa.update(REQUESTS).where(mine).values(extended=True, due_at=due))
        audit.record_in(connection, clock, actor=actor, action="rights.extend", subject=request_id)
    return one(state, request_id)


def close(
    state: State,
    keys: Keys,
    clock: Clock,
    request_id: str,
    *,
    actor: str,
    refused: bool = False,
    answer: str = "",
    receipt: int | None = None,
) -> Request:
    """Write down that a request was answered; Conflict when it was already. A refusal needs its reason."""
    request = one(state, request_id)
    if request.status != "open":
        raise Conflict("this request was answered already", help="file another one")
    answer = answer.strip()
    if (refused and not answer) or len(answer) > LONGEST_NOTE:
        raise BadRequest(f"a refusal has a reason of at most {LONGEST_NOTE:,} characters", help="write why")
    status = "refused" if refused else "done"
    with state.write() as connection:
        mine = sa.and_(REQUESTS.c.request_id == request_id, REQUESTS.c.status == "open")
        done = {"status": status, "closed_at": clock.now(), "closed_by": actor, "receipt": receipt}
        connection.execute(sa.update(REQUESTS).where(mine).values(**done))
        if answer:
            told = msgspec.structs.replace(details_of(state, keys, request), answer=answer)
            _keep_details(connection, keys, request_id, request.asked_key, told)
        told_of = {"right": request.right, "late": request.is_late(clock.now())}
        audit.record_in(connection, clock, actor=actor, action=f"rights.{status}", subject=request_id, detail=told_of)
    return one(state, request_id)


def _checked(right: Right, note: str, corrections: Mapping[str, str]) -> Details:
    if right not in RIGHTS:
        raise BadRequest(f"`{right}` is no right that can be asked for", help=f"choose one of: {', '.join(RIGHTS)}")
    note = note.replace("\r\n", "\n").strip()
    kept = {name.strip(): value.strip() for name, value in corrections.items() if name.strip()}
    if len(note) > LONGEST_NOTE:
        raise BadRequest(f"a note has at most {LONGEST_NOTE:,} characters", help="write a shorter one")
    if len(kept) > MOST_CORRECTIONS or any(len(value) > LONGEST_VALUE for value in kept.values()):
        raise BadRequest(
            f"at most {MOST_CORRECTIONS} corrections of {LONGEST_VALUE} characters each", help="file several requests"
        )
    if kept and right != "correction":
        raise BadRequest(f"a request for {right} corrects nothing", help="file a request for correction as well")
    if right == "correction" and not (kept or note):
        raise BadRequest("nothing says what is to be corrected", help="name the values, or write a note")
    return Details(note=note, corrections=kept)


def _keep_details(connection: sa.Connection, keys: Keys, request_id: str, subject_key: str, details: Details) -> None:
    connection.execute(sa.delete(DETAILS).where(DETAILS.c.request_id == request_id))
    if details != Details():
        sealed = sealing.seal(keys, msgspec.json.encode(details), context=_context(request_id, subject_key))
        connection.execute(sa.insert(DETAILS).values(request_id=request_id, subject_key=subject_key, sealed=sealed))


def _working_days_after(day: date, days: int) -> date:
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return day


def _context(request_id: str, subject_key: str) -> bytes:
    return f"rights:{request_id}:{subject_key}".encode()


def _request(row: Mapping[Any, Any]) -> Request:
    return Request(**row)


sealed_column(DETAILS, "sealed", lambda row: _context(row["request_id"], row["subject_key"]))
