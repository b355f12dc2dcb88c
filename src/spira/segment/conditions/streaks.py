"""`streak`: the most local days in a row with an event, or the row of days that is going on.

Reads   `profile_events` and the views of lines, `changed` when restricted

A day and its number among the person's days grow together as long as no day is missing, so their
difference names the row of days that a day belongs to.
"""

from __future__ import annotations

from datetime import date

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.behaviours import DAY, Streak, array_of
from spira.segment.conditions.lower import clock, lower
from spira.segment.conditions.scans import rows, source_of
from spira.segment.conditions.sql import Sql, column

ENDS = "ends_at"
_FIRST_DAY = date(1970, 1, 1)


def streak(asked: Streak, found_as: str, zone: str, *, restrict: bool) -> exp.Select:
    """One row per person with the length in `found_as`, and when a current one breaks in `ends_at`."""
    found = exp.Select().select(column("profile_id", "r"), copy=False)
    found = found.select(exp.alias_(exp.Max(this=column("length", "r")), found_as, quoted=True), copy=False)
    found = found.from_(_runs(_numbered(_days(asked, zone, restrict=restrict))).subquery("r", copy=False), copy=False)
    if asked.current:
        now = sql.shifted(sql.as_of(), -asked.events.window.ending)
        yesterday = exp.Sub(this=_number(sql.cast(clock(now, zone), "date")), expression=sql.whole(1))
        found = found.where(exp.GTE(this=column("last", "r"), expression=yesterday), copy=False)
        found = found.select(
            exp.alias_(_breaks(exp.Max(this=column("last", "r")), zone), ENDS, quoted=True), copy=False
        )
    return found.group_by(column("profile_id", "r"), copy=False)


def _days(asked: Streak, zone: str, *, restrict: bool) -> exp.Select:
    """Each local day of a person with such an event, once."""
    source = source_of(array_of(asked.events.conditions), asked.events.conditions, zone)
    found = rows(source, [asked.events], restrict=restrict, future=False)
    day = exp.alias_(_number(lower(DAY, source.how())), "day", quoted=True)
    return found.select(column("profile_id", source.rows), day, copy=False).distinct(copy=False)


def _numbered(days: exp.Select) -> exp.Select:
    place = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column("profile_id", "d")],
        order=exp.Order(expressions=[exp.Ordered(this=column("day", "d"))]),
    )
    run = exp.alias_(exp.Sub(this=column("day", "d"), expression=place), "run", quoted=True)
    found = exp.Select().select(column("profile_id", "d"), column("day", "d"), run, copy=False)
    return found.from_(days.subquery("d", copy=False), copy=False)


def _runs(numbered: exp.Select) -> exp.Select:
    found = exp.Select().select(
        column("profile_id", "n"),
        exp.alias_(exp.Count(this=exp.Star()), "length", quoted=True),
        exp.alias_(exp.Max(this=column("day", "n")), "last", quoted=True),
        copy=False,
    )
    return found.from_(numbered.subquery("n", copy=False), copy=False).group_by(
        column("profile_id", "n"), column("run", "n"), copy=False
    )


def _number(day: Sql) -> Sql:
    return sql.days_from(sql.constant(_FIRST_DAY, "date"), day)


def _breaks(last: Sql, zone: str) -> Sql:
    """The instant at which the second day after `last` begins, and with it the row of days is broken."""
    one_day = exp.Interval(this=exp.Literal.string("1"), unit=exp.Var(this="DAY"))
    length = exp.Mul(this=exp.Paren(this=exp.Add(this=last, expression=sql.whole(2))), expression=one_day)
    local = exp.Add(this=sql.cast(sql.constant(_FIRST_DAY, "date"), "timestamp"), expression=length)
    return local if zone == "UTC" else _utc(local, zone)


def _utc(local: Sql, zone: str) -> Sql:
    there = exp.AtTimeZone(this=sql.operand(local), zone=exp.Literal.string(zone))
    return exp.AtTimeZone(this=there, zone=exp.Literal.string("UTC"))
