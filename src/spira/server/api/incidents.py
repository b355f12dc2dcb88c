"""`/api/incidents`: the register of incidents with personal data, each with the clock of the authority.

An incident is written down as soon as somebody knows of it, revised as more becomes known, and closed when the
authority and the people were told and what was done about it is written (PIPL 57, GDPR 33 and 34).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.kernel.viewer import Viewer
from spira.server.api.asked import instant
from spira.server.core import AnyCore, Asking, Core, as_of
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.unify import incidents
from spira.unify.incidents import Data, Facts, Incident, Kind, Whom
from spira.unify.rights import Law

LIST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFacts:
    """What is known of an incident; instants as ISO text, without an offset of the workspace's zone."""

    kind: Kind
    data: list[Data]
    happened: str
    people: int | None = None
    happened_at: str = ""
    cause: str = ""
    harm: str = ""
    measures: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision(IncidentFacts):
    """What is known by now; `version` is the one that was looked at, and without it whatever stands is written over."""

    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIncident(IncidentFacts):
    """An incident that is written down; `noticed_at` is now by default, `law` the workspace's own."""

    noticed_at: str = ""
    law: Law | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingOf:
    """That somebody was told of an incident, and how; or that they need not be, and why."""

    whom: Whom
    words: str
    needed: bool = True
    at: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """One incident in the list."""

    incident: Incident = field(metadata={"help": "the incident"})
    hours_left: int = field(metadata={"help": "whole hours until the authority has to know; less than none when late"})
    late: bool = field(metadata={"help": "whether the authority was not, or is not yet, told in time"})
    pressing: bool = field(metadata={"help": "whether it has to be told within a day, or should have been"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Incidents:
    """The register."""

    as_of: datetime = field(metadata={"help": "when this was looked up"})
    open: int = field(metadata={"help": "how many are not closed"})
    pressing: int = field(metadata={"help": "how many of them the authority has to know of within a day"})
    late: int = field(metadata={"help": "how many of them it should know of already"})
    rows: tuple[IncidentRow, ...] = field(metadata={"help": "the most pressing first, then the closed ones"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OneIncident:
    """One incident with what staff wrote of it."""

    row: IncidentRow = field(metadata={"help": "the incident and its clock"})
    happened: str = field(metadata={"help": "what happened"})
    cause: str = field(metadata={"help": "why"})
    harm: str = field(metadata={"help": "what it can do to people"})
    measures: str = field(metadata={"help": "what was done about it"})
    advice: str = field(metadata={"help": "what people can do themselves"})
    authority: str = field(metadata={"help": "how the authority was told, or why it need not be"})
    people: str = field(metadata={"help": "how people were told, or why they need not be"})
    missing: tuple[str, ...] = field(metadata={"help": "what it can't be closed without: authority, people, …"})


def view(core: AnyCore) -> Incidents:
    """The register, the most pressing first."""
    at = as_of(core)
    rows = tuple(_row(each, at) for each in incidents.listed(core.state, limit=LIST))
    return Incidents(
        as_of=at,
        open=sum(each.incident.closed_at is None for each in rows),
        pressing=sum(each.pressing and not each.late for each in rows),
        late=sum(each.late and each.pressing for each in rows),
        rows=rows,
    )


def one(core: AnyCore, incident_id: str) -> OneIncident:
    """One incident; NotFound for an id that nobody gave."""
    incident = incidents.one(core.state, incident_id)
    words = incidents.words_of(core.state, core.keys, incident)
    return OneIncident(
        row=_row(incident, as_of(core)),
        happened=words.happened,
        cause=words.cause,
        harm=words.harm,
        measures=words.measures,
        advice=words.advice,
        authority=words.authority,
        people=words.people,
        missing=() if incident.closed_at else incident.missing(words),
    )


def file(core: AnyCore, viewer: Viewer, new: NewIncident) -> Incident:
    """Write an incident down; its audit row is written with it."""
    terms = core.settings.rights
    return incidents.file(
        core.state,
        core.keys,
        core.clock,
        _facts(core, new),
        noticed_at=instant(core, new.noticed_at) or core.clock.now(),
        law=new.law or terms.law,
        terms=terms,
        actor=viewer.staff_id,
    )


def revise(core: AnyCore, viewer: Viewer, incident_id: str, known: Revision) -> Incident:
    """Write down what is known of an incident by now; Conflict when it is another version than the one looked at."""
    return incidents.revise(
        core.state,
        core.keys,
        core.clock,
        incident_id,
        _facts(core, known),
        actor=viewer.staff_id,
        version=known.version,
    )


def tell(core: AnyCore, viewer: Viewer, incident_id: str, telling: TellingOf) -> Incident:
    """Write down that somebody was told of an incident, or need not be."""
    return incidents.tell(
        core.state,
        core.keys,
        core.clock,
        incident_id,
        whom=telling.whom,
        needed=telling.needed,
        at=instant(core, telling.at),
        words=telling.words,
        actor=viewer.staff_id,
        version=telling.version,
    )


def close(core: AnyCore, viewer: Viewer, incident_id: str, version: int | None = None) -> Incident:
    """Close an incident of which nothing is missing."""
    return incidents.close(core.state, core.keys, core.clock, incident_id, actor=viewer.staff_id, version=version)


def _facts(core: AnyCore, known: IncidentFacts) -> Facts:
    return Facts(
        kind=known.kind,
        data=known.data,
        people=known.people,
        happened_at=instant(core, known.happened_at),
        happened=known.happened,
        cause=known.cause,
        harm=known.harm,
        measures=known.measures,
        advice=known.advice,
    )


def _row(incident: Incident, at: datetime) -> IncidentRow:
    left = incident.due_at - at
    waits = incident.closed_at is None and incident.authority == "open"
    return IncidentRow(
        incident=incident,
        hours_left=left // timedelta(hours=1),
        late=incident.is_late(at),
        pressing=waits and left <= incidents.PRESSING,
    )


@get("/api/incidents", opt=whole(ERASE), sync_to_thread=True)
def list_incidents(core: Core) -> dict[str, Any]:
    """Incidents with personal data: those the authority has to know of soonest first, then the closed ones."""
    return plain(view(core))  # type: ignore[no-any-return]


@get("/api/incidents/{incident_id:str}", opt=whole(ERASE), sync_to_thread=True)
def show_incident(core: Core, incident_id: FromPath[str]) -> dict[str, Any]:
    """One incident: its clock, what is known of it, who was told and how, and what is missing before it is closed."""
    return plain(one(core, incident_id))  # type: ignore[no-any-return]


@post("/api/incidents", opt=whole(ERASE), sync_to_thread=True)
def file_incident(core: Core, viewer: Asking, data: JSONBody[NewIncident]) -> dict[str, Any]:
    """Write an incident down; the clock runs from when it was noticed. Name nobody in the texts."""
    return plain(file(core, viewer, data))  # type: ignore[no-any-return]


@post("/api/incidents/{incident_id:str}/revise", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def revise_incident(core: Core, viewer: Asking, incident_id: FromPath[str], data: JSONBody[Revision]) -> dict[str, Any]:
    """Write down what is known of an incident by now, in the place of what was."""
    return plain(revise(core, viewer, incident_id, data))  # type: ignore[no-any-return]


@post("/api/incidents/{incident_id:str}/told", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def tell_of_incident(
    core: Core, viewer: Asking, incident_id: FromPath[str], data: JSONBody[TellingOf]
) -> dict[str, Any]:
    """Write down that the authority or the people were told, when and how; or, `needed` false, why they need not be."""
    return plain(tell(core, viewer, incident_id, data))  # type: ignore[no-any-return]


@post("/api/incidents/{incident_id:str}/close", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def close_incident(core: Core, viewer: Asking, incident_id: FromPath[str]) -> dict[str, Any]:
    """Close an incident of which nothing is missing."""
    return plain(close(core, viewer, incident_id))  # type: ignore[no-any-return]


ROUTES = [list_incidents, show_incident, file_incident, revise_incident, tell_of_incident, close_incident]
