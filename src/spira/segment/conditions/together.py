"""`bought_with`: one event whose lines meet several conditions, each a line of its own or the same.

Reads   the views of lines, `profile_events` where a condition is about the event, `changed` when restricted
"""

from __future__ import annotations

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.behaviours import Together
from spira.segment.conditions.lower import lower
from spira.segment.conditions.scans import rows, source_of
from spira.segment.conditions.sql import column, when


def together(asked: Together, found_as: str, zone: str, *, restrict: bool) -> exp.Select:
    """One row per person of whom it is true, with a column `found_as` that is true."""
    source = source_of(asked.array, asked.each, zone)
    tests = [lower(each, source.how()) for each in asked.each]
    keys = (column("profile_id", source.rows), column("event_id", source.rows))
    events = rows(source, [asked.events], restrict=restrict, future=False)
    events = events.select(keys[0].copy(), copy=False).where(sql.some(tests), copy=False)
    events = events.group_by(*keys, copy=False)
    for test in tests:
        some = exp.Count(this=when(test.copy(), sql.whole(1)))
        events = events.having(exp.GT(this=some, expression=sql.whole(0)), copy=False)
    found = exp.Select().select(column("profile_id", "w"), copy=False)
    found = found.select(exp.alias_(exp.Boolean(this=True), found_as, quoted=True), copy=False)
    found = found.from_(events.subquery("w", copy=False), copy=False)
    return found.group_by(column("profile_id", "w"), copy=False)
