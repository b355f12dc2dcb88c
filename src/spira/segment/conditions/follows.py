"""`followed`: one event after another, found with running maxima over the instants of a person.

Reads   `profile_events`, `changed` when restricted

What all is about is read from the events once. Events of one instant are put together first, so that
`strictly later` needs no order among them. The latest first event before a second is the one to look at:
if any fits, it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.behaviours import Events, Followed
from spira.segment.conditions.scans import EVENTS, Source, counts, restricted
from spira.segment.conditions.sql import Sql, column, when
from spira.segment.conditions.windows import Window

MOMENTS, RUNNING, TOLD = "moments", "running", "told"


def followed(asked: Followed, found_as: str, zone: str, *, restrict: bool) -> exp.Select:
    """One row per person of whom it is true, with a column `found_as` that is true."""
    running = _running(_moments(asked, zone), has_between=asked.without is not None)
    last = column("last_first", RUNNING)
    tests: list[Sql] = [
        exp.EQ(this=column("is_then", RUNNING), expression=sql.whole(1)),
        exp.Not(this=exp.Is(this=last, expression=exp.Null())),
    ]
    if asked.gap is not None:
        tests.append(exp.LTE(this=column("ts", RUNNING), expression=sql.shifted(last.copy(), asked.gap)))
    if asked.without is not None:
        none = exp.Is(this=column("last_between", RUNNING), expression=exp.Null())
        before = exp.LTE(this=column("last_between", RUNNING), expression=last.copy())
        tests.append(sql.some([none, before]))
    read = told(asked.first, asked.later(), asked.shift, restrict=restrict)
    return (
        exp.Select()
        .with_(TOLD, as_=read, copy=False)
        .select(column("profile_id", RUNNING), exp.alias_(exp.Boolean(this=True), found_as, quoted=True), copy=False)
        .from_(exp.Subquery(this=running, alias=exp.TableAlias(this=exp.to_identifier(RUNNING))), copy=False)
        .where(sql.every(tests), copy=False)
        .group_by(column("profile_id", RUNNING), copy=False)
    )


def _moments(asked: Followed, zone: str) -> exp.Select:
    """One row per person and instant: whether it has the first event, the second, the one between."""
    source = Source(array=None, joined=False, zone=zone)
    then, *between = asked.later()
    found = exp.Select().select(column("profile_id", EVENTS), source.ts(), copy=False)
    found = found.select(flagged(asked.first, source, "is_first"), flagged(then, source, "is_then"))
    for each in between:
        found = found.select(flagged(each, source, "is_between"), copy=False)
    found = found.from_(sql.source(TOLD, EVENTS), copy=False)
    for needed in dict.fromkeys([asked.first, after(asked.first, then)]):
        found = found.where(sql.in_query(column("profile_id", EVENTS), people(needed, zone)), copy=False)
    return found.group_by(column("profile_id", EVENTS), source.ts(), copy=False)


def told(first: Events, later: Sequence[Events], shift: timedelta, *, restrict: bool) -> exp.Select:
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
    return found.where(restricted(EVENTS), copy=False) if restrict else found


def after(first: Events, later: Events) -> Events:
    """Later events no older than the oldest first one that counts: older ones are not even looked at."""
    reach, ending = first.window.reach, later.window.ending
    within = None if reach is None else reach - ending
    return replace(later, window=Window(within=within, ending=ending, since=first.window.since))


def people(events: Events, zone: str) -> exp.Select:
    """Who did one of the two at all: most people leave here, before their events are put in order."""
    source = Source(array=None, joined=False, zone=zone)
    found = exp.Select().select(column("profile_id", EVENTS), copy=False)
    found = found.from_(sql.source(TOLD, EVENTS), copy=False)
    return found.where(counts(events, source), copy=False)


def flagged(events: Events, source: Source, name: str) -> Sql:
    """A column that is 1 where one of an instant's events counts."""
    return exp.alias_(exp.Max(this=when(counts(events, source), sql.whole(1))), name, quoted=True)


def _running(moments: exp.Select, *, has_between: bool) -> exp.Select:
    found = exp.Select().select(
        column("profile_id", MOMENTS), column("ts", MOMENTS), column("is_then", MOMENTS), copy=False
    )
    found = found.select(_latest_before("is_first", "last_first"), copy=False)
    if has_between:
        found = found.select(_latest_before("is_between", "last_between"), copy=False)
    return found.from_(exp.Subquery(this=moments, alias=exp.TableAlias(this=exp.to_identifier(MOMENTS))), copy=False)


def _latest_before(flag: str, name: str) -> Sql:
    is_one = exp.EQ(this=column(flag, MOMENTS), expression=sql.whole(1))
    window = exp.Window(
        this=exp.Max(this=when(is_one, column("ts", MOMENTS))),
        partition_by=[column("profile_id", MOMENTS)],
        order=exp.Order(expressions=[exp.Ordered(this=column("ts", MOMENTS))]),
        spec=exp.WindowSpec(
            kind="ROWS",
            start="UNBOUNDED",
            start_side="PRECEDING",
            end=sql.whole(1),
            end_side="PRECEDING",
        ),
    )
    return exp.alias_(window, name, quoted=True)
