"""Small pieces of sqlglot trees that the lowering is made of.

Every piece is safe to put anywhere: operands are bracketed here, so that nobody above has
to think of precedence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlglot import exp

from spira.segment.conditions.catalog import Type

Sql = exp.Expr
AS_OF = "as_of"
SQL_TYPES: dict[Type, str] = {
    "boolean": "boolean",
    "integer": "bigint",
    "number": "double",
    "money": "decimal(18, 4)",
    "text": "varchar",
    "time": "timestamp",
    "date": "date",
}
_TYPES = {name: exp.DataType.build(name) for name in (*SQL_TYPES.values(), "int128")}
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
MICROSECONDS_A_DAY = 86_400_000_000


def as_of() -> Sql:
    """The bound parameter `$as_of`."""
    return cast(exp.Placeholder(this=AS_OF), "timestamp")


def column(name: str, table: str) -> Sql:
    """A column of a table, quoted."""
    return exp.Column(this=exp.to_identifier(name, quoted=True), table=exp.to_identifier(table))


def cast(value: Sql, kind: str) -> Sql:
    """`value` as an SQL type; fails where it does not fit."""
    return exp.Cast(this=value, to=_TYPES[kind].copy())


def try_cast(value: Sql, kind: str) -> Sql:
    """`value` as an SQL type; null where it does not fit."""
    return exp.TryCast(this=value, to=_TYPES[kind].copy())


def constant(value: str | int | bool | Decimal | date | datetime | None, kind: Type) -> Sql:
    """A value of the language as a literal."""
    match value:
        case None:
            return exp.Null()
        case bool():
            return exp.Boolean(this=value)
        case datetime():
            return cast(exp.Literal.string(value.isoformat(sep=" ")), "timestamp")
        case date():
            return cast(exp.Literal.string(value.isoformat()), "date")
        case str():
            return exp.Literal.string(value)
        case Decimal():
            return cast(exp.Literal.string(format(value, "f")), SQL_TYPES[kind])
        case _:
            return exp.Literal.number(value)


def typed(value: Sql, kind: Type | None) -> Sql:
    """`value` with its type noted, for engines that write it otherwise by type."""
    if kind in SQL_TYPES:
        value.type = _TYPES[SQL_TYPES[kind]].copy()
    return value


def whole(value: int) -> Sql:
    """A whole number."""
    return exp.Literal.number(value)


def shifted(moment: Sql, by: timedelta) -> Sql:
    """`moment` later by a length of time, or earlier by a negative one."""
    if not by:
        return moment
    size = abs(by)
    is_days = size % _DAY == timedelta(0)
    interval = exp.Interval(
        this=exp.Literal.string(str(size // (_DAY if is_days else _SECOND))),
        unit=exp.Var(this="DAY" if is_days else "SECOND"),
    )
    shift = exp.Add if by > timedelta(0) else exp.Sub
    return exp.Paren(this=shift(this=moment, expression=interval))


def just_before(moment: Sql) -> Sql:
    """The last instant before `moment`."""
    tick = exp.Interval(this=exp.Literal.string("1"), unit=exp.Var(this="MICROSECOND"))
    return exp.Sub(this=operand(moment), expression=tick)


def operand(value: Sql) -> Sql:
    """`value` in brackets, where it needs them within another expression."""
    bare = isinstance(value, exp.Paren) or not isinstance(
        value, exp.Binary | exp.Unary | exp.Between | exp.In | exp.AtTimeZone
    )
    return value if bare else exp.Paren(this=value)


def binary(kind: type[exp.Binary], left: Sql, right: Sql) -> Sql:
    """Two values joined by an operator."""
    return kind(this=operand(left), expression=operand(right))


def every(conditions: Iterable[Sql]) -> Sql:
    """All conditions hold; true where there are none."""
    return _joined(exp.And, conditions, default=True)


def some(conditions: Iterable[Sql]) -> Sql:
    """One of the conditions holds; false where there are none."""
    return _joined(exp.Or, conditions, default=False)


def _joined(kind: type[exp.And | exp.Or], conditions: Iterable[Sql], *, default: bool) -> Sql:
    found: Sql | None = None
    for each in conditions:
        found = operand(each) if found is None else kind(this=found, expression=operand(each))
    return exp.Boolean(this=default) if found is None else found


def when(condition: Sql, value: Sql) -> Sql:
    """`value` where `condition` holds, else null."""
    return exp.Case(ifs=[exp.If(this=condition, true=value)])


def coalesce(value: Sql, default: Sql) -> Sql:
    """`value`, or `default` where it is null."""
    return exp.Coalesce(this=value, expressions=[default])


def least(values: list[Sql]) -> Sql:
    """The least of the values that are not null; null where there are none."""
    if not values:
        return cast(exp.Null(), "timestamp")
    return values[0] if len(values) == 1 else exp.Least(this=values[0], expressions=values[1:], ignore_nulls=True)


def days_between(early: Sql, late: Sql) -> Sql:
    """Whole 24-hour days from one instant to another, floored."""
    micros = exp.TimestampDiff(this=late, expression=early, unit=exp.Var(this="MICROSECOND"))
    return cast(exp.Floor(this=exp.Div(this=micros, expression=whole(MICROSECONDS_A_DAY))), "bigint")


def days_from(early: Sql, late: Sql) -> Sql:
    """Days from one date to another."""
    days = exp.DateDiff(this=cast(late, "date"), expression=cast(early, "date"), unit=exp.Var(this="DAY"))
    return cast(days, "bigint")


def named_in(value: Sql, names: Iterable[str]) -> Sql:
    """Whether a text is one of some names."""
    listed = [exp.Literal.string(each) for each in sorted(names)]
    if len(listed) == 1:
        return exp.EQ(this=value, expression=listed[0])
    return exp.In(this=value, expressions=listed)


def in_query(value: Sql, query: exp.Query) -> Sql:
    """Whether a value is among the rows of a query of one column."""
    return exp.In(this=value, query=exp.Subquery(this=query))


def source(table: str, alias: str) -> exp.Table:
    """A table or view under an alias."""
    return exp.Table(this=exp.to_identifier(table, quoted=True), alias=exp.TableAlias(this=exp.to_identifier(alias)))
