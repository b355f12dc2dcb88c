"""Incidents: personal data that leaked, was changed or was lost, and by when the authority has to know.

Reads   `incidents` (state)
Writes  `incidents` (state)     one row per incident: what is concerned, its clock, who was told; the words sealed

The clock begins when an incident was noticed, not when it was written down. The GDPR gives 72 hours; the PIPL
says at once and names no number, so the workspace sets one. An incident is closed when the authority and the people
were told (or the law lets them go untold, with the reason), and when what was done about it is written. Nothing
deletes a row: the register is the proof (PIPL 57, GDPR 33(5)).

Several work on one incident at a time. Whoever changes it may say which version they looked at; where somebody else
has written since, nothing is changed, and they are told so, since the words of one would take those of the other away.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import msgspec
import sqlalchemy as sa

from spira.kernel.clock import Clock
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.ids import new_id
from spira.kernel.settings import RightsSettings
from spira.storage import audit, sealing
from spira.storage.keys import Keys
from spira.storage.resealing import sealed_column
from spira.storage.state import State, state_table
from spira.unify.portrait import says
from spira.unify.rights import LAWS, BadRequest, Law

Kind = Literal["leak", "alteration", "loss"]
Data = Literal["contact", "identity", "account", "behaviour", "orders", "location", "finance", "health", "children"]
Whom = Literal["authority", "people"]
Informed = Literal["open", "told", "not_needed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DATA: tuple[Data, ...] = get_args(Data)
WHOM: tuple[Whom, ...] = get_args(Whom)
SENSITIVE: frozenset[Data] = frozenset({"identity", "location", "finance", "health", "children"})
LONGEST = 2_000
PRESSING = timedelta(hours=24)  # an incident whose authority has to know this soon is told of, and shown first

INCIDENTS = state_table(
    "incidents",
    sa.Column("incident_id", sa.String(32), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("law", sa.String(8), nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("people", sa.BigInteger),
    sa.Column("happened_at", sa.DateTime),
    sa.Column("noticed_at", sa.DateTime, nullable=False),
    sa.Column("filed_at", sa.DateTime, nullable=False),
    sa.Column("filed_by", sa.String(64), nullable=False),
    sa.Column("due_at", sa.DateTime, nullable=False),
    sa.Column("authority", sa.String(16), nullable=False),
    sa.Column("authority_at", sa.DateTime),
    sa.Column("persons", sa.String(16), nullable=False),
    sa.Column("persons_at", sa.DateTime),
    sa.Column("closed_at", sa.DateTime),
    sa.Column("closed_by", sa.String(64)),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    stage="unify.incidents",
    holds="incidents: kinds of data, how many people, who was told and when; what staff wrote, sealed",
)
# The columns that say whether and when somebody was told.
_COLUMNS: Mapping[Whom, tuple[str, str]] = {
    "authority": ("authority", "authority_at"),
    "people": ("persons", "persons_at"),
}


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What staff write of an incident, as the law asks for it; sealed, since it may name somebody."""

    happened: str = ""
    cause: str = ""
    harm: str = ""
    measures: str = ""
    advice: str = ""
    authority: str = ""
    people: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of an incident; it is written again as more becomes known. Instants are naive UTC."""

    kind: Kind
    data: Sequence[Data]
    people: int | None
    happened_at: datetime | None
    happened: str
    cause: str = ""
    harm: str = ""
    measures: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident."""

    incident_id: str = says("its id")
    kind: Kind = says("leak, alteration or loss")
    law: Law = says("the law whose deadline holds")
    data: tuple[Data, ...] = says("the kinds of data that are concerned")
    sensitive: bool = says("whether sensitive data is among them")
    people: int | None = says("how many people are concerned; none while nobody knows")
    happened_at: datetime | None = says("when it happened; none while nobody knows")
    noticed_at: datetime = says("when it was noticed: its clock begins")
    filed_at: datetime = says("when it was written down")
    filed_by: str = says("by whom, an id of staff")
    due_at: datetime = says("by when the authority has to know")
    authority: Informed = says("whether the authority was told, or need not be")
    authority_at: datetime | None = says("when it was told")
    persons: Informed = says("whether the people were told, or need not be")
    persons_at: datetime | None = says("when they were told")
    closed_at: datetime | None = says("when it was closed")
    closed_by: str | None = says("by whom")
    version: int = says("how often it was written; who changes it says which of them they looked at")

    def is_late(self, now: datetime) -> bool:
        """Whether the authority was, or is, not told in time."""
        return self.authority != "not_needed" and (self.authority_at or now) > self.due_at

    def missing(self, words: Words) -> tuple[str, ...]:
        """What has to be done or written before it can be closed: authority, people, count, measures."""
        still = {
            "authority": self.authority == "open",
            "people": self.persons == "open",
            "count": self.people is None,
            "measures": not words.measures,
        }
        return tuple(name for name, lacks in still.items() if lacks)


def file(
    state: State,
    keys: Keys,
    clock: Clock,
    facts: Facts,
    *,
    noticed_at: datetime,
    law: Law,
    terms: RightsSettings,
    actor: str,
) -> Incident:
    """Write an incident down; its clock runs from when it was noticed. BadRequest says what is wrong with it."""
    at = clock.now()
    if law not in LAWS:
        raise BadRequest(f"`{law}` is no law whose deadlines are known", help=f"choose one of: {', '.join(LAWS)}")
    if noticed_at > at:
        raise BadRequest("an incident can't be noticed in the future", help="write when somebody first knew of it")
    made = new_id("inc")
    row = {
        "incident_id": made,
        "law": law,
        "noticed_at": noticed_at,
        "filed_at": at,
        "filed_by": actor,
        "due_at": deadline(noticed_at, law, terms),
        "authority": "open",
        "persons": "open",
        **_checked(facts, noticed_at),
        "sealed": _sealed(keys, made, _words(facts, Words())),
    }
    with state.write() as connection:
        connection.execute(sa.insert(INCIDENTS).values(**row))
        told = {"kind": facts.kind, "law": law, "people": facts.people}
        audit.record_in(connection, clock, actor=actor, action="incident.file", subject=made, detail=told)
    return one(state, made)


def deadline(noticed_at: datetime, law: Law, terms: RightsSettings) -> datetime:
    """The instant by which the authority has to know of what was noticed then."""
    hours = {
        "pipl": terms.pipl_incident_hours,
        "gdpr": terms.gdpr_incident_hours,
        "ccpa": terms.ccpa_incident_hours,
    }
    return noticed_at + timedelta(hours=hours[law])


def revise(
    state: State,
    keys: Keys,
    clock: Clock,
    incident_id: str,
    facts: Facts,
    *,
    actor: str,
    version: int | None = None,
) -> Incident:
    """Write down what is known by now; the audit says which parts changed.

    Conflict once it is closed, and when it is another version by now than the one that was looked at.
    """
    before = _open(state, incident_id, version)
    known, words = _checked(facts, before.noticed_at), words_of(state, keys, before)
    after = _words(facts, words)
    changed = sorted(
        {name for name, value in known.items() if value != _stored(before)[name]}
        | {name for name in Words.__struct_fields__ if getattr(after, name) != getattr(words, name)}
    )
    values = {**known, "sealed": _sealed(keys, incident_id, after)}
    detail = {"changed": changed, "people": facts.people}
    return _change(state, clock, before, values, actor=actor, action="incident.revise", detail=detail)


def tell(
    state: State,
    keys: Keys,
    clock: Clock,
    incident_id: str,
    *,
    whom: Whom,
    needed: bool,
    at: datetime | None,
    words: str,
    actor: str,
    version: int | None = None,
) -> Incident:
    """Write down that the authority or the people were told (`at`, else now), or need not be and why (`words`).

    Under the PIPL the authority always has to know. What was said wrongly is said again, until it is closed.
    """
    incident, now, words = _open(state, incident_id, version), clock.now(), words.strip()
    if whom not in WHOM:
        raise BadRequest(f"`{whom}` is nobody who is told", help=f"choose one of: {', '.join(WHOM)}")
    if not words or len(words) > LONGEST:
        raise BadRequest(
            f"how they were told, or why not, is {LONGEST:,} characters at most, and not nothing",
            help="write to whom and how, with its number, or the reason",
        )
    if not needed and whom == "authority" and incident.law == "pipl":
        raise BadRequest("under the PIPL the authority is always told", help="tell it, then write when and how")
    when = (at or now) if needed else None
    if when is not None and not incident.noticed_at <= when <= now:
        raise BadRequest("nobody is told before it was noticed, or in the future", help="write when they were told")
    state_of, at_of = _COLUMNS[whom]
    kept = msgspec.structs.replace(words_of(state, keys, incident), **{whom: words})
    values = {state_of: "told" if needed else "not_needed", at_of: when, "sealed": _sealed(keys, incident_id, kept)}
    late = whom == "authority" and when is not None and when > incident.due_at
    detail = {"whom": whom, "needed": needed, "late": late}
    return _change(state, clock, incident, values, actor=actor, action="incident.told", detail=detail)


def close(
    state: State, keys: Keys, clock: Clock, incident_id: str, *, actor: str, version: int | None = None
) -> Incident:
    """Close an incident; Conflict says what is still missing, that it is closed, or that it was changed meanwhile."""
    incident = _open(state, incident_id, version)
    missing = incident.missing(words_of(state, keys, incident))
    if missing:
        raise Conflict(
            f"it can't be closed: `{'`, `'.join(missing)}` is missing",
            help="tell the authority and the people or write why not, how many people, and what was done about it",
        )
    now = clock.now()
    values, detail = {"closed_at": now, "closed_by": actor}, {"late": incident.is_late(now)}
    return _change(state, clock, incident, values, actor=actor, action="incident.close", detail=detail)


def one(state: State, incident_id: str) -> Incident:
    """The incident of an id; NotFound for an id that nobody gave."""
    with state.read() as connection:
        asked = sa.select(INCIDENTS).where(INCIDENTS.c.incident_id == incident_id)
        row = connection.execute(asked).mappings().first()
    if row is None:
        raise NotFound(f"there is no incident `{incident_id}`", help="the list of incidents has their ids")
    return _incident(row)


def listed(state: State, *, limit: int) -> list[Incident]:
    """Open incidents by their deadline, the most pressing first, then the closed ones, newest first."""
    closed = INCIDENTS.c.closed_at
    first, due = sa.case((closed.is_(None), 0), else_=1), sa.case((closed.is_(None), INCIDENTS.c.due_at))
    asked = sa.select(INCIDENTS).order_by(first, due, closed.desc(), INCIDENTS.c.incident_id).limit(limit)
    with state.read() as connection:
        return [_incident(row) for row in connection.execute(asked).mappings()]


def words_of(state: State, keys: Keys, incident: Incident) -> Words:
    """What staff wrote of an incident."""
    with state.read() as connection:
        asked = sa.select(INCIDENTS.c.sealed).where(INCIDENTS.c.incident_id == incident.incident_id)
        sealed = connection.execute(asked).scalar_one()
    clear = sealing.unseal(keys, sealed, context=_context(incident.incident_id))
    return msgspec.json.decode(clear, type=Words)


def _change(
    state: State,
    clock: Clock,
    before: Incident,
    values: Mapping[str, Any],
    *,
    actor: str,
    action: str,
    detail: Mapping[str, Any],
) -> Incident:
    """Write the row of an incident that is still as it was read, and the audit's beside it; what it is now."""
    made, is_same = before.incident_id, INCIDENTS.c.version == before.version
    with state.write() as connection:
        mine = sa.and_(INCIDENTS.c.incident_id == made, is_same, INCIDENTS.c.closed_at.is_(None))
        written = sa.update(INCIDENTS).where(mine).values(**values, version=before.version + 1)
        if not connection.execute(written).rowcount:
            raise _overtaken(made)
        audit.record_in(connection, clock, actor=actor, action=action, subject=made, detail=detail)
    return one(state, made)


def _open(state: State, incident_id: str, version: int | None = None) -> Incident:
    incident = one(state, incident_id)
    if incident.closed_at is not None:
        raise Conflict("this incident is closed", help="write another one down if something new came up")
    if version is not None and version != incident.version:
        raise _overtaken(incident_id)
    return incident


def _overtaken(incident_id: str) -> Conflict:
    return Conflict(
        f"somebody else has written to the incident `{incident_id}` since you looked at it",
        help="look at what it says now, then write yours into it; nothing of yours was kept",
    )


def _checked(facts: Facts, noticed_at: datetime) -> dict[str, Any]:
    """The columns that `facts` decide; BadRequest says what is wrong with them."""
    if facts.kind not in KINDS:
        raise BadRequest(f"`{facts.kind}` is no kind of incident", help=f"choose one of: {', '.join(KINDS)}")
    odd = [each for each in facts.data if each not in DATA]
    if odd or not facts.data:
        raise BadRequest(
            f"`{odd[0]}` is no kind of data" if odd else "no kind of data is named", help=f"of: {', '.join(DATA)}"
        )
    if facts.people is not None and not 0 <= facts.people <= 10**10:
        raise BadRequest("how many people are concerned is no such number", help="write an estimate, or nothing yet")
    if facts.happened_at is not None and facts.happened_at > noticed_at:
        raise BadRequest("nothing is noticed before it happened", help="write when it began, or nothing yet")
    words = (facts.happened, facts.cause, facts.harm, facts.measures, facts.advice)
    if not facts.happened.strip() or any(len(each) > LONGEST for each in words):
        raise BadRequest(
            f"what happened has to be written, each text with at most {LONGEST:,} characters",
            help="write what is known",
        )
    data = ",".join(each for each in DATA if each in facts.data)
    return {"kind": facts.kind, "data": data, "people": facts.people, "happened_at": facts.happened_at}


def _words(facts: Facts, before: Words) -> Words:
    names = ("happened", "cause", "harm", "measures", "advice")
    told = {name: str(getattr(facts, name)).replace("\r\n", "\n").strip() for name in names}
    return msgspec.structs.replace(before, **told)


def _stored(incident: Incident) -> dict[str, Any]:
    return {
        "kind": incident.kind,
        "data": ",".join(incident.data),
        "people": incident.people,
        "happened_at": incident.happened_at,
    }


def _incident(row: Mapping[Any, Any]) -> Incident:
    told = {name: value for name, value in row.items() if name != "sealed"}
    data: tuple[Data, ...] = tuple(told.pop("data").split(","))
    return Incident(**told, data=data, sensitive=bool(SENSITIVE.intersection(data)))


def _sealed(keys: Keys, incident_id: str, words: Words) -> bytes:
    return sealing.seal(keys, msgspec.json.encode(words), context=_context(incident_id))


def _context(incident_id: str) -> bytes:
    return f"incident:{incident_id}".encode()


sealed_column(INCIDENTS, "sealed", lambda row: _context(row["incident_id"]))
