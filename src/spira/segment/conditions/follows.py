"""`followed`: one event after another, found with running maxima over the instants of a person.

Reads   `profile_events`, `changed` and `moved` when restricted

Each kind of event is read by itself, the second first: of the others only those of people who did it at all. A second
that no first can fit, being no later than the person's earliest or too late for the latest, leaves before anything is
put in order: of people with one first, which are most, that decides it. What is of one instant lies in the order
second, first, between, so that all before a row is strictly earlier, or of its own kind. The latest first event before
a second is the one to look at: if any fits, it does.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.behaviours import Events, Followed
from spira.segment.conditions.scans import EVENTS, Source, done_by, rows
from spira.segment.conditions.sql import Sql, column, when
from spira.segment.conditions.windows import Window

SEEN, RUNNING, SPAN = "seen", "running", "span"
THENS, FIRSTS, BETWEENS, SPANS, NEAR = "thens", "firsts", "betweens", "spans", "near"
_THEN, _FIRST, _BETWEEN = range(3)  # in which order they lie within an instant


def followed(asked: Followed, found_as: str, zone: str, *, restrict: bool) -> exp.Select:
    """One row per person of whom it is true, with a column `found_as` that is true."""
    then, *between = (after(asked.first, each) for each in asked.later())
    found = exp.Select().select(column("profile_id", RUNNING), copy=False)
    found = found.select(exp.alias_(exp.Boolean(this=True), found_as, quoted=True), copy=False)
    found = found.with_(THENS, as_=moments(then, zone, restrict=restrict), materialized=True, copy=False)
    firsts = moments(asked.first, zone, restrict=restrict, among=THENS)
    found = found.with_(FIRSTS, as_=firsts, materialized=True, copy=False)
    found = found.with_(SPANS, as_=_spans(), copy=False)
    found = found.with_(NEAR, as_=_near(asked), materialized=True, copy=False)
    for each in between:
        found = found.with_(BETWEENS, as_=moments(each, zone, restrict=restrict, among=NEAR), copy=False)
    running = _running(_seen(has_between=bool(between)), has_between=bool(between)).subquery(RUNNING, copy=False)
    found = found.from_(running, copy=False).where(_tests(asked), copy=False)
    return found.group_by(column("profile_id", RUNNING), copy=False)


def moments(events: Events, zone: str, *, restrict: bool, among: str | None = None) -> exp.Select:
    """Whose the events are that count and when they happened; only of the people in a table, if one is given."""
    source = Source(array=None, joined=False, zone=zone)
    found = rows(source, [events], restrict=restrict, future=False)
    found = found.select(column("profile_id", EVENTS), source.ts(), copy=False)
    return found if among is None else found.where(done_by(EVENTS, among), copy=False)


def after(first: Events, later: Events) -> Events:
    """Later events no older than the oldest first one that counts: older ones are not even looked at."""
    reach, ending = first.window.reach, later.window.ending
    within = None if reach is None else reach - ending
    return replace(later, window=Window(within=within, ending=ending, since=first.window.since))


def _tests(asked: Followed) -> Sql:
    """Whether a row is a second event that a first one came before, near enough and with nothing between."""
    last = column("last_first", RUNNING)
    tests: list[Sql] = [
        exp.EQ(this=column("kind", RUNNING), expression=sql.whole(_THEN)),
        exp.Not(this=exp.Is(this=last, expression=exp.Null())),
    ]
    if asked.gap is not None:
        tests.append(exp.LTE(this=column("ts", RUNNING), expression=sql.shifted(last.copy(), asked.gap)))
    if asked.without is not None:
        none = exp.Is(this=column("last_between", RUNNING), expression=exp.Null())
        before = exp.LTE(this=column("last_between", RUNNING), expression=last.copy())
        tests.append(sql.some([none, before]))
    return sql.every(tests)


def _spans() -> exp.Select:
    """One row per person with the instants of their earliest and their latest first event."""
    ts = column("ts", "f")
    found = exp.Select().select(column("profile_id", "f"), copy=False).from_(sql.source(FIRSTS, "f"), copy=False)
    found = found.select(exp.alias_(exp.Min(this=ts), "earliest", quoted=True), copy=False)
    found = found.select(exp.alias_(exp.Max(this=ts.copy()), "latest", quoted=True), copy=False)
    return found.group_by(column("profile_id", "f"), copy=False)


def _near(asked: Followed) -> exp.Select:
    """The second events that a first one may fit."""
    ts = column("ts", SEEN)
    found = exp.Select().select(column("profile_id", SEEN), ts, copy=False).from_(sql.source(THENS, SEEN), copy=False)
    same = exp.EQ(this=column("profile_id", SPAN), expression=column("profile_id", SEEN))
    found = found.join(sql.source(SPANS, SPAN), on=same, copy=False)
    found = found.where(exp.GT(this=ts.copy(), expression=column("earliest", SPAN)), copy=False)
    if asked.gap is None:
        return found
    return found.where(exp.LTE(this=ts.copy(), expression=sql.shifted(column("latest", SPAN), asked.gap)), copy=False)


def _seen(*, has_between: bool) -> exp.Query:
    """All that was read of the people who may have done both in order, each row with its kind."""
    near = exp.Select().select(column("profile_id", "n"), copy=False).from_(sql.source(NEAR, "n"), copy=False)
    firsts = _of_kind(FIRSTS, _FIRST).where(sql.in_query(column("profile_id", SEEN), near), copy=False)
    found: exp.Query = exp.union(_of_kind(NEAR, _THEN), firsts, distinct=False, copy=False)
    return exp.union(found, _of_kind(BETWEENS, _BETWEEN), distinct=False, copy=False) if has_between else found


def _of_kind(table: str, kind: int) -> exp.Select:
    shown = (column("profile_id", SEEN), column("ts", SEEN), exp.alias_(sql.whole(kind), "kind", quoted=True))
    return exp.Select().select(*shown, copy=False).from_(sql.source(table, SEEN), copy=False)


def _running(seen: exp.Query, *, has_between: bool) -> exp.Select:
    found = exp.Select().select(*(column(each, SEEN) for each in ("profile_id", "ts", "kind")), copy=False)
    found = found.select(_latest_before(_FIRST, "last_first"), copy=False)
    if has_between:
        found = found.select(_latest_before(_BETWEEN, "last_between"), copy=False)
    return found.from_(seen.subquery(SEEN, copy=False), copy=False)


def _latest_before(kind: int, name: str) -> Sql:
    is_one = exp.EQ(this=column("kind", SEEN), expression=sql.whole(kind))
    order = [exp.Ordered(this=column(each, SEEN)) for each in ("ts", "kind")]
    return exp.alias_(running_max(when(is_one, column("ts", SEEN)), SEEN, order), name, quoted=True)


def running_max(value: Sql, alias: str, order: list[exp.Ordered]) -> exp.Window:
    """The greatest value of all rows of the same person before a row."""
    return exp.Window(
        this=exp.Max(this=value),
        partition_by=[column("profile_id", alias)],
        order=exp.Order(expressions=order),
        spec=exp.WindowSpec(
            kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end=sql.whole(1), end_side="PRECEDING"
        ),
    )
