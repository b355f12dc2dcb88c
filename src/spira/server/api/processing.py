"""`/api/processing`: the record of processing: what personal data is handled here, what for, by whom, and how long.

It is drawn from what is in force (notices, journeys, channels, models, retention, the registry of tables) and from
three settings, so that it is never out of date. With it a protection impact assessment can be made: the same facts,
and what speaks for and against (PIPL 55 and 56, GDPR 30 and 35). Assessments that were made are kept beside it, and
it says what still needs one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from litestar import get, post
from litestar.params import FromPath, JSONBody

from spira.engage.journeys.model import JourneyDefinition
from spira.kernel.clock import local
from spira.kernel.viewer import Viewer
from spira.server.core import AnyCore, Asking, Core, as_of
from spira.server.errors import Unacceptable
from spira.server.roles import ERASE, whole
from spira.server.wire import plain
from spira.unify import assessments, exports, recipients, retention
from spira.unify.assessments import Assessment, Due, Result, Why
from spira.unify.data_map import held
from spira.unify.exports import Year
from spira.unify.notices import NoticeDefinition
from spira.unify.recipients import Abroad, Recipient
from spira.unify.retention import Rule

# From so many people on an officer has to be named and told of (PIPL 52), and every two years audited.
OFFICER, AUDITED = 1_000_000, 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A notice as people read it now, and how many versions there were."""

    notice: str = field(metadata={"help": "its name"})
    label: Mapping[str, str] | None = field(metadata={"help": "what staff read, by language"})
    version: int = field(metadata={"help": "the version that is shown"})
    versions: int = field(metadata={"help": "how many there ever were"})
    text: Mapping[str, str] = field(metadata={"help": "what people read, by language"})
    separate: bool = field(metadata={"help": "whether only a separate consent counts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeView:
    """One purpose."""

    purpose: str = field(metadata={"help": "what for"})
    basis: str = field(metadata={"help": "the legal basis: that of its notices, else consent for marketing"})
    notices: tuple[NoticeView, ...] = field(metadata={"help": "what people read when they are asked"})
    channels: tuple[str, ...] = field(metadata={"help": "the kinds of channels that it goes by"})
    journeys: tuple[str, ...] = field(metadata={"help": "the journeys that are for it"})
    choosing: tuple[str, ...] = field(metadata={"help": "those that choose people by what is known of them"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldView:
    """What one table holds of people."""

    store: str = field(metadata={"help": "warehouse or state"})
    table: str = field(metadata={"help": "the table"})
    holds: str = field(metadata={"help": "what it holds"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Processing:
    """The record."""

    as_of: datetime = field(metadata={"help": "the instant it speaks of"})
    brand: str = field(metadata={"help": "who is responsible"})
    contact: str = field(metadata={"help": "who answers for personal data"})
    country: str = field(metadata={"help": "where the data is kept"})
    people: int = field(metadata={"help": "how many people are known"})
    needs_officer: bool = field(metadata={"help": "whether they are so many that an officer has to be named"})
    needs_audit: bool = field(metadata={"help": "whether they are so many that an audit is due every two years"})
    purposes: tuple[PurposeView, ...] = field(metadata={"help": "what for"})
    models: tuple[str, ...] = field(metadata={"help": "the models that score people"})
    processors: tuple[Recipient, ...] = field(metadata={"help": "who else handles it"})
    abroad: Abroad = field(metadata={"help": "how many people's data went abroad this year, and how many may"})
    exported: tuple[Year, ...] = field(metadata={"help": "how many people were in lists that left, by year"})
    rules: tuple[Rule, ...] = field(metadata={"help": "how long what is kept; what has no rule is kept for good"})
    held: tuple[HeldView, ...] = field(metadata={"help": "what lies where"})
    to_assess: tuple[Due, ...] = field(metadata={"help": "what needs an impact assessment, and whether it has one"})
    subjects: tuple[str, ...] = field(metadata={"help": "everything that one can be of"})
    assessments: tuple[Assessment, ...] = field(metadata={"help": "those that were made, the newest first"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAssessment:
    """An assessment that is written down; days as ISO text, `made_on` today by default."""

    subject: str
    result: Result
    risks: str
    review_on: str
    measures: str = ""
    made_on: str = ""


def view(core: AnyCore) -> Processing:
    """The record as of now."""
    settings, people = core.settings, int(core.lane().value("select count(*) from profiles"))
    purposes = _purposes(core)
    models, processors = _models(core), recipients.every(core.settings.rights)
    known, needed = assessments.listed(core.state, as_of(core)), _needed(purposes, models, processors)
    today = local(as_of(core), settings.workspace.zone).date()
    return Processing(
        as_of=as_of(core),
        brand=settings.workspace.brand,
        contact=settings.rights.contact,
        country=settings.rights.country,
        people=people,
        needs_officer=people >= OFFICER,
        needs_audit=people >= AUDITED,
        purposes=purposes,
        models=models,
        processors=processors,
        abroad=recipients.abroad(core.state, settings.rights, at=as_of(core), zone=settings.workspace.zone),
        exported=tuple(exports.years(core.state)),
        rules=retention.rules(settings.retention),
        held=tuple(HeldView(store=each.store, table=each.name, holds=each.holds or "") for each in held()),
        to_assess=tuple(
            assessments.due({each: why for each, why in needed.items() if why}, known, today),
        ),
        subjects=tuple(needed),
        assessments=tuple(known),
    )


def assess(core: AnyCore, viewer: Viewer, new: NewAssessment) -> str:
    """Write an assessment down; its id. Unacceptable for what nothing is known of, or a day that is none."""
    if new.subject not in _needed(_purposes(core), _models(core), recipients.every(core.settings.rights)):
        raise Unacceptable(f"`{new.subject[:80]}` is nothing that is in force", help="choose one of the record's list")
    today = local(core.clock.now(), core.settings.workspace.zone).date()
    return assessments.record(
        core.state,
        core.clock,
        subject=new.subject,
        made_on=_day(new.made_on) if new.made_on else today,
        result=new.result,
        risks=new.risks,
        measures=new.measures,
        review_on=_day(new.review_on),
        zone=core.settings.workspace.zone,
        actor=viewer.staff_id,
    )


def forget(core: AnyCore, viewer: Viewer, assessment_id: str) -> None:
    """Delete an assessment whose three years are over."""
    assessments.delete(core.state, core.clock, assessment_id, actor=viewer.staff_id)


def _needed(
    purposes: tuple[PurposeView, ...], models: tuple[str, ...], processors: tuple[Recipient, ...]
) -> dict[str, tuple[Why, ...]]:
    """Everything that an assessment can be of, and why the law wants one; nothing where it does not."""
    needed: dict[str, tuple[Why, ...]] = {}
    for purpose in purposes:
        separate: tuple[Why, ...] = ("separate",) if any(each.separate for each in purpose.notices) else ()
        needed[f"purpose:{purpose.purpose}"] = (*separate, *(("chooses",) if purpose.choosing else ()))
    needed |= {f"model:{name}": ("scores",) for name in models}
    return needed | {f"processor:{each.name}": ("abroad",) if each.abroad else () for each in processors}


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise Unacceptable(f"`{written[:40]}` is no day", help="write it as 2026-11-27") from None


def _purposes(core: AnyCore) -> tuple[PurposeView, ...]:
    notices: list[NoticeDefinition] = core.applied.of("notice")
    journeys: list[JourneyDefinition] = core.applied.of("journey")
    names = sorted({each.purpose for each in notices} | {str(each.purpose) for each in journeys})
    return tuple(
        _purpose(
            name,
            [each for each in notices if each.purpose == name],
            [each for each in journeys if each.purpose == name],
        )
        for name in names
    )


def _purpose(name: str, notices: list[NoticeDefinition], journeys: list[JourneyDefinition]) -> PurposeView:
    return PurposeView(
        purpose=name,
        basis=notices[0].basis if notices else ("consent" if name == "marketing" else "contract"),
        notices=tuple(
            NoticeView(
                notice=each.notice,
                label=plain(each.label),
                version=each.current.version,
                versions=len(each.versions),
                text=plain(each.current.text),
                separate=each.separate,
            )
            for each in notices
        ),
        channels=tuple(sorted({channel for each in notices for channel in each.channels})),
        journeys=tuple(each.journey for each in journeys),
        choosing=tuple(each.journey for each in journeys if each.chooses_people),
    )


def _models(core: AnyCore) -> tuple[str, ...]:
    return tuple(each.name for each in core.applied.definitions_of("model"))


@get("/api/processing", opt=whole(ERASE), sync_to_thread=True)
def show_processing(core: Core) -> dict[str, Any]:
    """The record of processing: purposes with their notices, who handles data, how long, what lies where."""
    return plain(view(core))  # type: ignore[no-any-return]


@post("/api/processing/assessments", opt=whole(ERASE), sync_to_thread=True)
def add_assessment(core: Core, viewer: Asking, data: JSONBody[NewAssessment]) -> dict[str, str]:
    """Write an impact assessment down; it is kept for three years at least, and a newer one takes its place."""
    return {"assessment_id": assess(core, viewer, data)}


@post("/api/processing/assessments/{assessment_id:str}/delete", opt=whole(ERASE), status_code=200, sync_to_thread=True)
def delete_assessment(core: Core, viewer: Asking, assessment_id: FromPath[str]) -> dict[str, str]:
    """Delete an impact assessment whose three years are over; refused before."""
    forget(core, viewer, assessment_id)
    return {"deleted": assessment_id}


ROUTES = [show_processing, add_assessment, delete_assessment]
