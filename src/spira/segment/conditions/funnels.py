"""`funnel`: how far somebody came through steps in order, found with one running maximum a step.

Reads   `profile_events`, `changed` when restricted

Whoever never took the second step is left out before anything is put in order: the first step alone
is counted in the scan that all behaviours share. Each further step looks at the latest way to the
step before it: if any way fits the limit of time, that one does. Within a total, the latest way is
the one whose first step is latest.
"""

from __future__ import annotations

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.behaviours import Funnel
from spira.segment.conditions.follows import TOLD, after, flagged, people, told
from spira.segment.conditions.scans import EVENTS, Source
from spira.segment.conditions.sql import Sql, column, when

SO_FAR = "so_far"


def funnel(asked: Funnel, found_as: str, zone: str, *, restrict: bool) -> exp.Select:
    """One row per person who came to the second step or further, with the step in a column `found_as`."""
    query = _moments(asked, zone)
    last = len(asked.steps) + 1
    for step in range(1, last):
        query = _with_latest(asked, query, step)
    reached = exp.Case(
        ifs=[exp.If(this=_not_null(_way(asked, step)), true=sql.whole(step)) for step in range(last, 1, -1)]
    )
    found = exp.Select().select(column("profile_id", SO_FAR), copy=False)
    read = told(asked.first, asked.later(), asked.shift, restrict=restrict)
    found = found.with_(TOLD, as_=read, copy=False)
    found = found.select(exp.alias_(exp.Max(this=reached), found_as, quoted=True), copy=False)
    return found.from_(_named(query), copy=False).group_by(column("profile_id", SO_FAR), copy=False)


def _moments(asked: Funnel, zone: str) -> exp.Select:
    """One row per person and instant, with a flag for each step that was taken in it."""
    source = Source(array=None, joined=False, zone=zone)
    events = [asked.first, *asked.later()]
    found = exp.Select().select(column("profile_id", EVENTS), source.ts(), copy=False)
    for step, each in enumerate(events, 1):
        found = found.select(flagged(each, source, f"is_{step}"), copy=False)
    found = found.from_(sql.source(TOLD, EVENTS), copy=False)
    for needed in dict.fromkeys([asked.first, after(asked.first, events[1])]):
        found = found.where(sql.in_query(column("profile_id", EVENTS), people(needed, zone)), copy=False)
    return found.group_by(column("profile_id", EVENTS), source.ts(), copy=False)


def _with_latest(asked: Funnel, before: exp.Select, step: int) -> exp.Select:
    """The same rows with the latest way to a step that is complete before each."""
    window = exp.Window(
        this=exp.Max(this=_way(asked, step)),
        partition_by=[column("profile_id", SO_FAR)],
        order=exp.Order(expressions=[exp.Ordered(this=column("ts", SO_FAR))]),
        spec=exp.WindowSpec(
            kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end=sql.whole(1), end_side="PRECEDING"
        ),
    )
    whole = exp.Column(this=exp.Star(), table=exp.to_identifier(SO_FAR))
    found = exp.Select().select(whole, exp.alias_(window, f"to_{step}", quoted=True), copy=False)
    return found.from_(_named(before), copy=False)


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


def _named(query: exp.Select) -> exp.Subquery:
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(SO_FAR)))
