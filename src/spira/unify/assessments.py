"""Impact assessments: what was assessed before personal data is handled, with which result, and when it is due again.

Reads   `assessments` (state)
Writes  `assessments` (state)   one row per assessment, kept for three years at least

The law asks for one before sensitive data, automated decisions, or somebody abroad who gets data, and wants it kept
for three years (PIPL 55 and 56, GDPR 35). An assessment is never changed: a newer one of the same thing takes its
place, and the older one stays.
"""

# ruff: noqa: RUF009  (`says` is dataclasses.field with a help text)
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

import sqlalchemy as sa

from spira.kernel.clock import Clock, local
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.ids import new_id
from spira.storage import audit
from spira.storage.state import State, state_table
from spira.unify.portrait import says
from spira.unify.rights import BadRequest

Result = Literal["go", "measures", "stop"]
Why = Literal["separate", "chooses", "scores", "abroad"]
Standing = Literal["none", "outdated", "stands"]
RESULTS: tuple[Result, ...] = get_args(Result)
KEPT = timedelta(days=3 * 366)  # the law's three years, leap years and all
LONGEST = 4_000

ASSESSMENTS = state_table(
    "assessments",
    sa.Column("assessment_id", sa.String(32), primary_key=True),
    sa.Column("subject", sa.String(160), nullable=False, index=True),
    sa.Column("made_on", sa.Date, nullable=False),
    sa.Column("result", sa.String(16), nullable=False),
    sa.Column("risks", sa.Text, nullable=False),
    sa.Column("measures", sa.Text, nullable=False),
    sa.Column("review_on", sa.Date, nullable=False),
    sa.Column("filed_at", sa.DateTime, nullable=False),
    sa.Column("filed_by", sa.String(64), nullable=False),
    stage="unify.assessments",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One assessment."""

    assessment_id: str = says("its id")
    subject: str = says("of what, as in purpose:marketing, processor:Mailer, model:next_order_date")
    made_on: date = says("the day it was made")
    result: Result = says("go, go with the measures, or stop")
    risks: str = says("what can happen to people")
    measures: str = says("what is done about it")
    review_on: date = says("the day from which it does not count any more")
    filed_at: datetime = says("when it was written down")
    filed_by: str = says("by whom, an id of staff")
    may_go: bool = says("whether its three years are over, so that it may be deleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something of which the law wants an assessment, and whether there is one."""

    subject: str = says("of what, as in purpose:marketing")
    why: tuple[Why, ...] = says("sensitive data, choosing people by what is known, scoring, a recipient abroad")
    standing: Standing = says("whether there is one that counts")
    result: Result | None = says("the result of the newest")
    review_on: date | None = says("when the newest is due again")


def record(
    state: State,
    clock: Clock,
    *,
    subject: str,
    made_on: date,
    result: Result,
    risks: str,
    measures: str,
    review_on: date,
    zone: str,
    actor: str,
) -> str:
    """Write an assessment down; its id. BadRequest says what is wrong with it."""
    at = clock.now()
    risks, measures = risks.strip(), measures.strip()
    if result not in RESULTS:
        raise BadRequest(f"`{result}` is no result", help=f"choose one of: {', '.join(RESULTS)}")
    if made_on > local(at, zone).date():
        raise BadRequest("an assessment can't be made in the future", help="write the day it was made")
    if review_on <= made_on:
        raise BadRequest("it is due again on a day after it was made", help="write a later day, as in a year")
    if not risks or max(len(risks), len(measures)) > LONGEST or (result == "measures" and not measures):
        raise BadRequest(
            f"the risks are missing, or the measures that it goes on with, or a text is longer than {LONGEST:,}",
            help="write what can happen to people, and what is done about it",
        )
    made = new_id("pia")
    row = {"subject": subject, "made_on": made_on, "result": result, "risks": risks, "measures": measures}
    with state.write() as connection:
        more = {"assessment_id": made, "review_on": review_on, "filed_at": at, "filed_by": actor}
        connection.execute(sa.insert(ASSESSMENTS).values(**row, **more))
        told = {"of": subject, "result": result}
        audit.record_in(connection, clock, actor=actor, action="assessment.file", subject=made, detail=told)
    return made


def delete(state: State, clock: Clock, assessment_id: str, *, actor: str) -> None:
    """Delete an assessment whose three years are over; Conflict before, NotFound for an id that nobody gave."""
    with state.write() as connection:
        mine = ASSESSMENTS.c.assessment_id == assessment_id
        row = connection.execute(sa.select(ASSESSMENTS).where(mine)).first()
        if row is None:
            raise NotFound(f"there is no assessment `{assessment_id}`", help="the record of processing has their ids")
        if clock.now() < row.filed_at + KEPT:
            raise Conflict("an assessment is kept for three years", help="write a newer one in its place")
        connection.execute(sa.delete(ASSESSMENTS).where(mine))
        told = {"of": row.subject, "result": row.result}
        audit.record_in(connection, clock, actor=actor, action="assessment.delete", subject=assessment_id, detail=told)


def listed(state: State, now: datetime) -> list[Assessment]:
    """Every assessment, the newest first."""
    asked = sa.select(ASSESSMENTS).order_by(ASSESSMENTS.c.made_on.desc(), ASSESSMENTS.c.filed_at.desc())
    with state.read() as connection:
        rows = connection.execute(asked).mappings().all()
    return [Assessment(**row, may_go=now >= row["filed_at"] + KEPT) for row in rows]


def due(needed: Mapping[str, Iterable[Why]], known: Iterable[Assessment], today: date) -> list[Due]:
    """What needs an assessment, by subject, and how the newest of each stands; what lacks one comes first."""
    newest: dict[str, Assessment] = {}
    for each in known:
        newest.setdefault(each.subject, each)
    found = [_due(subject, tuple(why), newest.get(subject), today) for subject, why in needed.items()]
    return sorted(found, key=lambda each: (("none", "outdated", "stands").index(each.standing), each.subject))


def _due(subject: str, why: tuple[Why, ...], newest: Assessment | None, today: date) -> Due:
    standing: Standing = "none" if newest is None else "outdated" if newest.review_on <= today else "stands"
    told: dict[str, Any] = {"result": newest and newest.result, "review_on": newest and newest.review_on}
    return Due(subject=subject, why=why, standing=standing, **told)
