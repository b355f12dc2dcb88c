"""`entered_audience` and `left_audience`: who came into an audience, or went, in a window.

Reads   `membership_changes`, `changed` when restricted

A change at the very instant of a refresh counts from the next one on, as an event at or after now
never counts.
"""

from __future__ import annotations

from datetime import timedelta

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.behaviours import Crossed
from spira.segment.conditions.scans import restricted
from spira.segment.conditions.sql import Sql, column, when

CHANGES = "m"


def crossed(asked: Crossed, found_as: str, *, restrict: bool) -> exp.Select:
    """One row per person who ever did, whether it was in the window, and the next instant this may change."""
    at = column("at", CHANGES)
    found = exp.Select().select(column("profile_id", CHANGES), copy=False)
    met = exp.GT(this=exp.Count(this=when(_in_window(asked), sql.whole(1))), expression=sql.whole(0))
    found = found.select(exp.alias_(met, found_as, quoted=True), copy=False)
    for offset, name in offsets(asked):
        due = exp.GTE(this=at.copy(), expression=sql.shifted(sql.as_of(), -offset))
        found = found.select(exp.alias_(exp.Min(this=when(due, at.copy())), name, quoted=True), copy=False)
    found = found.from_(sql.source("membership_changes", CHANGES), copy=False)
    found = found.where(sql.named_in(column("audience", CHANGES), [asked.audience]), copy=False)
    entered = column("entered", CHANGES)
    found = found.where(entered if asked.entered else exp.Not(this=entered), copy=False)
    if restrict:
        found = found.where(restricted(CHANGES), copy=False)
    return found.group_by(column("profile_id", CHANGES), copy=False)


def offsets(asked: Crossed) -> list[tuple[timedelta, str]]:
    """How long after a change it begins to count, and stops, with the columns that hold the next such change."""
    found = [(asked.window.ending, "begins_from")]
    return found if asked.window.reach is None else [*found, (asked.window.reach, "ends_from")]


def _in_window(asked: Crossed) -> Sql:
    at, window = column("at", CHANGES), asked.window
    parts: list[Sql] = [exp.LT(this=at, expression=sql.shifted(sql.as_of(), -window.ending))]
    if window.reach is not None:
        parts.append(exp.GTE(this=at.copy(), expression=sql.shifted(sql.as_of(), -window.reach)))
    if window.since is not None:
        parts.append(exp.GTE(this=at.copy(), expression=sql.constant(window.since, "time")))
    if window.until is not None:
        parts.append(exp.LT(this=at.copy(), expression=sql.constant(window.until, "time")))
    return sql.every(parts)
