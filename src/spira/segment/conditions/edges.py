"""Edges: the next instant at which a value may change although nothing happens.

An event begins to count, or stops; a number of days is crossed. An edge may be earlier than
it needs to be, never later. `days_since` compared with a number has its edge where that
comparison turns; anywhere else, where the next whole day is full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.sql import Sql
from spira.segment.conditions.tree import Between, Call, Compare, Literal, Node, children
from spira.segment.conditions.windows import LONGEST

DAYS = "days_since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """A use of `days_since`: the whole numbers of days that matter, or every day where `thresholds` is None."""

    call: Call
    thresholds: tuple[int, ...] | None


def uses_of_days(node: Node) -> Iterator[Days]:
    """Every use of `days_since` in a tree."""
    match node:
        case Compare(left=Call(function="days_since") as call, right=Literal(kind="integer", value=int(number))):
            yield Days(call=call, thresholds=_turns(node.op, number))
        case Compare(left=Literal(kind="integer", value=int(number)), right=Call(function="days_since") as call):
            yield Days(call=call, thresholds=_turns(_MIRRORED[node.op], number))
        case Between(
            operand=Call(function="days_since") as call,
            low=Literal(kind="integer", value=int(low)),
            high=Literal(kind="integer", value=int(high)),
        ):
            yield Days(call=call, thresholds=(low, high + 1))
        case Call(function="days_since"):
            yield Days(call=node, thresholds=None)
            return
        case _:
            for each in children(node):
                yield from uses_of_days(each)
            return
    for each in children(call):
        yield from uses_of_days(each)


_MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _turns(op: str, number: int) -> tuple[int, ...]:
    if op in ("=", "<>"):
        return (number, number + 1)
    return (number + 1,) if op in (">", "<=") else (number,)


def day_edges(use: Days, last: Sql) -> list[Sql]:
    """The instants at which a use of `days_since` turns, counted from the instant `last`.

    A number of days is full at an instant, not after it, so that the edge lies just before.
    """
    if use.thresholds is None:
        days = sql.operand(exp.Add(this=sql.days_between(last, sql.as_of()), expression=sql.whole(1)))
        length = exp.Mul(this=days, expression=exp.Interval(this=exp.Literal.string("1"), unit=exp.Var(this="DAY")))
        return [sql.just_before(exp.Add(this=last.copy(), expression=length))]
    found: list[Sql] = []
    for number in use.thresholds:
        if number <= LONGEST.days:
            full = sql.shifted(last.copy(), timedelta(days=number))
            ahead = exp.GT(this=full, expression=sql.as_of())
            found.append(sql.when(ahead, sql.just_before(full.copy())))
    return found
