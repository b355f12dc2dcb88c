"""From a metric's text to SQL: an allow-list on the tree, then one statement a grain.

The value may use five aggregates, arithmetic, comparison and CASE over the event's own
columns; everything else (subqueries, other functions, other tables) is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from spira.collect.tracking import Plan
from spira.kernel.diagnostics import did_you_mean

BASE_COLUMNS = ("profile_id", "subject_id", "event_id", "ts", "source", "touchpoint", "domain", "campaign")
_AGGREGATES = (exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max)
_ALLOWED = (
    *_AGGREGATES,
    exp.Distinct,
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Boolean,
    exp.Null,
    exp.Star,
    exp.Paren,
    exp.Neg,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.And,
    exp.Or,
    exp.Not,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.In,
    exp.Is,
    exp.Between,
    exp.Like,
    exp.Case,
    exp.If,
    exp.Coalesce,
    exp.Nullif,
    exp.Filter,
    exp.Where,
)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A checked tree, ready to be put into a statement."""

    tree: exp.Expr


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a text can't be used, and what to write instead."""

    message: str
    help: str | None = None


def columns_of(plan: Plan, event: str) -> frozenset[str]:
    """What a metric over `event` may name."""
    return frozenset(BASE_COLUMNS) | frozenset(plan.events[event].properties)


def parse_aggregate(text: str, known: Iterable[str]) -> Aggregate | Refused:
    """A metric's `value`: an expression with at least one aggregate in it."""
    found = _parse(text, known)
    if isinstance(found, Aggregate) and not found.tree.find(*_AGGREGATES):
        return Refused(f"`{text}` is no aggregate", help="write count(*), count(distinct profile_id), sum(revenue) …")
    return found


def parse_row_condition(text: str, known: Iterable[str]) -> Aggregate | Refused:
    """A metric's `where`: a condition on single rows."""
    found = _parse(text, known)
    if isinstance(found, Aggregate) and found.tree.find(*_AGGREGATES):
        return Refused(f"`{text}` aggregates, but is asked of single rows")
    return found


def points_query(
    *, value: exp.Expr, event: str, where: exp.Expr | None, grain: str, by: Iterable[str], zone: str
) -> exp.Query:
    """The points of one metric and grain: period (local), slice, value.

    Bound are `$start`, the first period's beginning as an instant, and `$as_of`.
    """
    period = exp.func("date_trunc", exp.Literal.string(grain), _local_time(zone))
    slices = [None, *by]
    selects = [_slice_query(value, event, where, period, dimension) for dimension in slices]
    query: exp.Query = selects[0]
    for each in selects[1:]:
        query = exp.union(query, each, distinct=False)
    return query


def _slice_query(
    value: exp.Expr,
    event: str,
    where: exp.Expr | None,
    period: exp.Expr,
    dimension: str | None,
) -> exp.Select:
    label: exp.Expr = exp.Literal.string("")
    if dimension is not None:
        text = exp.cast(exp.column(dimension, quoted=True), "varchar")
        label = exp.func(
            "concat", exp.Literal.string(f"{dimension}="), exp.func("coalesce", text, exp.Literal.string(""))
        )
    select = (
        exp.select(
            exp.alias_(period.copy(), "period"),
            exp.alias_(label, "slice"),
            exp.alias_(exp.cast(value.copy(), "double"), "value"),
        )
        .from_("profile_events")
        .where(exp.column("event").eq(exp.Literal.string(event)))
        .where(exp.column("ts") < exp.Placeholder(this="as_of"))
        .where(exp.GTE(this=exp.column("ts"), expression=exp.Placeholder(this="start")))
    )
    if where is not None:
        select = select.where(where.copy())
    groups = [period.copy()] if dimension is None else [period.copy(), label.copy()]
    return select.group_by(*groups)


def _local_time(zone: str) -> exp.Expr:
    ts: exp.Expr = exp.column("ts")
    if zone == "UTC":
        return ts
    return exp.AtTimeZone(this=exp.AtTimeZone(this=ts, zone=exp.Literal.string("UTC")), zone=exp.Literal.string(zone))


def _parse(text: str, known: Iterable[str]) -> Aggregate | Refused:
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as fault:
        return Refused(f"`{text}` can't be read: {str(fault).splitlines()[0]}")
    columns = frozenset(known)
    for node in tree.walk():
        if not isinstance(node, _ALLOWED):
            return Refused(f"`{node.sql(dialect='duckdb')}` is not allowed in a metric", help=_ALLOWED_HELP)
        if isinstance(node, exp.Column) and (node.name not in columns or node.table):
            return Refused(
                f"`{node.sql(dialect='duckdb')}` is not a column here", help=did_you_mean(node.name, columns)
            )
    return Aggregate(tree)


_ALLOWED_HELP = "a metric may use count, sum, avg, min, max, arithmetic, comparison and case over the event's columns"
