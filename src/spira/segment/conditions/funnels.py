"""`funnel`: how far somebody came through steps in order, found with one running maximum a step.

Reads   `profile_events`, `changed` and `moved` when restricted

Whoever never took the step that matters is left out before anything else is read: that is the second one, or a later
one where only those who came that far are asked for. The first step alone is counted in the scan that all behaviours
share. Each further step looks at the latest way to the step before it: if any way fits the limit of time, that one
does. Within a total, the latest way is the one whose first step is latest.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.behaviours import Events, Funnel
from spira.segment.conditions.follows import after, moments, running_max
from spira.segment.conditions.scans import EVENTS, Source, counts, done_by
from spira.segment.conditions.sql import Sql, column, when

SO_FAR, TOLD, CAME = "so_far", "told", "came"


def funnel(asked: Funnel, found_as: str, zone: str, *, restrict: bool) -> exp.Select:
    """One row per person who came to the step `asked.least` or further, with the step in a column `found_as`."""
    query = _moments(asked, zone)
    last = len(asked.steps) + 1
    for step in range(1, last):
        query = _with_latest(asked, query, step)
    reached = exp.Case(
        ifs=[exp.If(this=_not_null(_way(asked, step)), true=sql.whole(step)) for step in range(last, 1, -1)]
    )
    came = moments(after(asked.first, asked.later()[asked.least - 2]), zone, restrict=restrict)
    read = _told(asked.first, asked.later(), asked.shift).where(done_by(EVENTS, CAME), copy=False)
    found = exp.Select().select(column("profile_id", SO_FAR), copy=False)
    found = found.with_(CAME, as_=came, copy=False).with_(TOLD, as_=read, copy=False)
    found = found.select(exp.alias_(exp.Max(this=reached), found_as, quoted=True), copy=False)
    return found.from_(query.subquery(SO_FAR, copy=False), copy=False).group_by(
        column("profile_id", SO_FAR), copy=False
    )


def _moments(asked: Funnel, zone: str) -> exp.Select:
    """One row per person and instant, with a flag for each step that was taken in it."""
    source = Source(array=None, joined=False, zone=zone)
    events = [asked.first, *asked.later()]
    found = exp.Select().select(column("profile_id", EVENTS), source.ts(), copy=False)
    for step, each in enumerate(events, 1):
        found = found.select(_flagged(each, source, f"is_{step}"), copy=False)
    found = found.from_(sql.source(TOLD, EVENTS), copy=False)
    needed = [asked.first, *(after(asked.first, each) for each in asked.later()[: asked.least - 1])]
    for each in dict.fromkeys(needed):
        found = found.where(sql.in_query(column("profile_id", EVENTS), _people(each, source)), copy=False)
    return found.group_by(column("profile_id", EVENTS), source.ts(), copy=False)


def _told(first: Events, later: Sequence[Events], shift: timedelta) -> exp.Select:
    """The events that all is about, read once: names and instants, from the oldest first one that counts."""
    found = exp.Select().select(*(column(each, EVENTS) for each in ("profile_id", "event", "ts")), copy=False)
    found = found.from_(sql.source("profile_events", EVENTS), copy=False)
    names = {each.event or "" for each in (first, *later)}
    found = found.where(sql.named_in(column("event", EVENTS), names), copy=False)
    ts = column("ts", EVENTS)
    found = found.where(exp.LT(this=ts, expression=sql.shifted(sql.as_of(), -shift)), copy=False)
    window = first.window
    if window.reach is not None:
        start = sql.shifted(sql.as_of(), -window.reach)
        found = found.where(exp.GTE(this=ts.copy(), expression=start), copy=False)
    if window.since is not None:
        since = sql.constant(window.since, "time")
        found = found.where(exp.GTE(this=ts.copy(), expression=since), copy=False)
    return found


def _people(events: Events, source: Source) -> exp.Select:
    """Who took one of the steps at all: most people leave here, before their events are put in order."""
    found = exp.Select().select(column("profile_id", EVENTS), copy=False)
    found = found.from_(sql.source(TOLD, EVENTS), copy=False)
    return found.where(counts(events, source), copy=False)


def _flagged(events: Events, source: Source, name: str) -> Sql:
    """A column that is 1 where one of an instant's events counts."""
    return exp.alias_(exp.Max(this=when(counts(events, source), sql.whole(1))), name, quoted=True)


def _with_latest(asked: Funnel, before: exp.Select, step: int) -> exp.Select:
    """The same rows with the latest way to a step that is complete before each."""
    order = [exp.Ordered(this=column("ts", SO_FAR))]
    window = running_max(_way(asked, step), SO_FAR, order)
    whole = exp.Column(this=exp.Star(), table=exp.to_identifier(SO_FAR))
    found = exp.Select().select(whole, exp.alias_(window, f"to_{step}", quoted=True), copy=False)
    return found.from_(before.subquery(SO_FAR, copy=False), copy=False)


def _way(asked: Funnel, step: int) -> Sql:
    """Where a step is reached at a row: the instant that the next limit counts from, else null."""
    taken = exp.EQ(this=column(f"is_{step}", SO_FAR), expression=sql.whole(1))
    ts = column("ts", SO_FAR)
    if step == 1:
        return when(taken, ts)
    before = column(f"to_{step - 1}", SO_FAR)
    tests: list[Sql] = [taken, _not_null(before)]
    if asked.limit is not None:
        tests.append(exp.LTE(this=ts, expression=sql.shifted(before.copy(), asked.limit)))
    return when(sql.every(tests), before.copy() if asked.is_total else ts.copy())


def _not_null(value: Sql) -> Sql:
    return exp.Not(this=exp.Is(this=sql.operand(value), expression=exp.Null()))
