"""`followed`: one event after another, each second event joined with the latest first one before it.

Reads   `profile_events`, `changed` when restricted

The latest first event strictly before a second is the one to look at: if any fits, it does. The
same holds for what must not come between: the latest one before the second decides.
"""

from __future__ import annotations

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.behaviours import Events, Followed
from spira.segment.conditions.scans import EVENTS, Source, counts, restricted
from spira.segment.conditions.sql import Sql, column

FIRST, THEN, BETWEEN = "first_before", "then_after", "last_between"


def followed(asked: Followed, found_as: str, zone: str, *, restrict: bool) -> exp.Select:
    """One row per person of whom it is true, with a column `found_as` that is true."""
    source = Source(array=None, joined=False, zone=zone)
    then = Events(event=asked.then)
    seconds = _instants(then, source, restrict=restrict, people=asked.first)
    _from_the_start(seconds, asked, source)
    found = exp.Select().select(column("profile_id", THEN), copy=False)
    found = found.select(exp.alias_(exp.Boolean(this=True), found_as, quoted=True), copy=False)
    found = found.from_(_named(seconds, THEN), copy=False)
    found = found.join(_latest_before(_instants(asked.first, source, restrict=restrict, people=then), FIRST))
    last = column("ts", FIRST)
    if asked.gap is not None:
        found = found.where(exp.LTE(this=column("ts", THEN), expression=sql.shifted(last.copy(), asked.gap)))
    if asked.without is not None:
        betweens = _instants(Events(event=asked.without), source, restrict=restrict, people=asked.first)
        found = found.join(_latest_before(_from_the_start(betweens, asked, source), BETWEEN, optional=True))
        none = exp.Is(this=column("ts", BETWEEN), expression=exp.Null())
        found = found.where(sql.some([none, exp.LTE(this=column("ts", BETWEEN), expression=last.copy())]))
    return found.group_by(column("profile_id", THEN), copy=False)


def _instants(events: Events, source: Source, *, restrict: bool, people: Events) -> exp.Select:
    """When these events happened to whoever did the other one at all: most people leave here, before any order."""
    found = exp.Select().select(column("profile_id", EVENTS), source.ts(), copy=False)
    found = found.from_(sql.source("profile_events", EVENTS), copy=False).where(counts(events, source), copy=False)
    if restrict:
        found = found.where(restricted(EVENTS), copy=False)
    if people == events:
        return found
    others = exp.Select().select(column("profile_id", EVENTS), copy=False)
    others = others.from_(sql.source("profile_events", EVENTS), copy=False).where(counts(people, source), copy=False)
    return found.where(sql.in_query(column("profile_id", EVENTS), others), copy=False)


def _from_the_start(instants: exp.Select, asked: Followed, source: Source) -> exp.Select:
    """Nothing that happened before the first event's window can come after a first event."""
    window = asked.first.window
    if window.reach is not None:
        instants.where(exp.GTE(this=source.ts(), expression=sql.shifted(sql.as_of(), -window.reach)), copy=False)
    if window.since is not None:
        instants.where(exp.GTE(this=source.ts(), expression=sql.constant(window.since, "time")), copy=False)
    return instants


def _latest_before(instants: exp.Select, alias: str, *, optional: bool = False) -> exp.Join:
    """To each second event the latest of these instants strictly before it."""
    same: Sql = exp.EQ(this=column("profile_id", alias), expression=column("profile_id", THEN))
    later: Sql = exp.GT(this=column("ts", THEN), expression=column("ts", alias))
    side = {"side": "LEFT"} if optional else {}
    return exp.Join(this=_named(instants, alias), method="ASOF", on=sql.every([same, later]), **side)


def _named(select: exp.Select, alias: str) -> exp.Subquery:
    return exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier(alias)))
