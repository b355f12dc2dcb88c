"""Lowering of values: a checked tree into an sqlglot expression.

Names and the functions about people and events are left to whoever knows the tables;
everything else means the same inside a behaviour function and outside. A number too large
for its type is null and never an error: one event can't stop the refresh of everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlglot import exp

from spira.segment.conditions import places, sql
from spira.segment.conditions.catalog import Type
from spira.segment.conditions.functions import SCALARS
from spira.segment.conditions.sql import Sql, binary, cast, operand, try_cast
from spira.segment.conditions.tree import (
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    In,
    IsNull,
    Like,
    Literal,
    Logic,
    Name,
    Negative,
    Node,
    Not,
)
from spira.segment.conditions.windows import moment
from spira.segment.conditions.zones import ZONES

_COMPARE: dict[str, type[exp.Binary]] = {
    "=": exp.EQ,
    "<>": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}
_COMPUTE: dict[str, type[exp.Binary]] = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}
_PARTS = {"year": "YEAR", "month": "MONTH", "day": "DAY", "weekday": "ISODOW", "hour": "HOUR"}
_LONGEST_TEXT = 1_000_000
_MONEY = "decimal(18, 4)"


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What names and calls become, and the zone where hours are read.

    `compare` may know a cheaper left side of a comparison than the value that stands there, and says None elsewhere.
    """

    name: Callable[[Name], Sql]
    call: Callable[[Call], Sql]
    zone: str
    compare: Callable[[Compare], Sql | None] = lambda _: None


def lower(node: Node, how: How) -> Sql:
    """The expression that computes a checked node."""
    match node:
        case Literal():
            return _literal(node, how.zone)
        case Name():
            return how.name(node)
        case Call():
            return _scalar(node, how) if node.function in SCALARS else how.call(node)
        case Not():
            return exp.Not(this=operand(lower(node.operand, how)))
        case Logic():
            parts = [lower(each, how) for each in node.operands]
            return sql.every(parts) if node.op == "and" else sql.some(parts)
        case Negative():
            return _negative(node, how)
        case Arithmetic():
            return _arithmetic(node, how)
        case Case():
            return _case(node, how)
        case _:
            return _test(node, how)


def _literal(node: Literal, zone: str) -> Sql:
    if isinstance(node.value, str) and node.type == "time":
        return sql.constant(moment(node.value, zone), "time")
    if isinstance(node.value, str) and node.type == "date":
        return sql.constant(date.fromisoformat(node.value), "date")
    return sql.constant(node.value, node.type or node.kind)


def _test(node: Node, how: How) -> Sql:
    match node:
        case Compare():
            cheaper = how.compare(node)
            left = lower(node.left, how) if cheaper is None else cheaper
            return binary(_COMPARE[node.op], left, lower(node.right, how))
        case In():
            items = [lower(each, how) for each in node.items]
            return _negated(exp.In(this=operand(lower(node.operand, how)), expressions=items), node.negated)
        case Between():
            low, high = operand(lower(node.low, how)), operand(lower(node.high, how))
            return _negated(exp.Between(this=operand(lower(node.operand, how)), low=low, high=high), node.negated)
        case Like():
            return _negated(binary(exp.Like, lower(node.operand, how), lower(node.pattern, how)), node.negated)
        case IsNull():
            return _negated(binary(exp.Is, lower(node.operand, how), exp.Null()), node.negated)
        case _:
            raise TypeError(f"{type(node).__name__} can't be lowered")


def _negated(test: Sql, negated: bool) -> Sql:
    return exp.Not(this=operand(test)) if negated else test


def _negative(node: Negative, how: How) -> Sql:
    value = lower(node.operand, how)
    if node.type == "integer":
        return try_cast(exp.Neg(this=cast(value, "int128")), "bigint")
    return exp.Neg(this=operand(value))


def _arithmetic(node: Arithmetic, how: How) -> Sql:
    left, right = lower(node.left, how), lower(node.right, how)
    if node.op == "||":
        return binary(exp.DPipe, left, right)
    if node.op == "/":
        nonzero = exp.Nullif(this=cast(right, "double"), expression=sql.whole(0))
        return binary(exp.Div, cast(left, "double"), nonzero)
    kind = _COMPUTE[node.op]
    if node.type == "integer":
        return try_cast(binary(kind, cast(left, "int128"), cast(right, "int128")), "bigint")
    if node.type == "money":
        return try_cast(binary(kind, left, right), _MONEY)
    return binary(kind, cast(left, "double"), cast(right, "double"))


def _case(node: Case, how: How) -> Sql:
    given = None if node.operand is None else operand(lower(node.operand, how))
    ifs = [
        exp.If(this=lower(each.condition, how), true=_as(lower(each.result, how), each.result.type, node.type))
        for each in node.whens
    ]
    otherwise = None
    if node.otherwise is not None:
        otherwise = _as(lower(node.otherwise, how), node.otherwise.type, node.type)
    return exp.Case(this=given, ifs=ifs, default=otherwise)


def _as(value: Sql, found: Type | None, wanted: Type | None) -> Sql:
    """A value among others of a wider numeric type, made one of them."""
    if found == wanted or found == "null":
        return value
    if wanted == "number":
        return cast(value, "double")
    return try_cast(value, _MONEY) if wanted == "money" else value


def _scalar(node: Call, how: How) -> Sql:
    values = [lower(each, how) for each in node.arguments]
    first, *rest = values
    match node.function:
        case "coalesce" | "least" | "greatest":
            alike = [_as(each, given.type, node.type) for each, given in zip(values, node.arguments, strict=True)]
            return _among(node.function, alike)
        case "nullif":
            return exp.Nullif(this=first, expression=rest[0])
        case "round" | "abs" | "floor" | "ceil":
            return _number(node, first)
        case "date" | "year" | "month" | "day" | "weekday" | "hour":
            local = _local(first, how.zone, rest) if node.arguments[0].type == "time" else first
            if node.function == "date":
                return cast(local, "date")
            return exp.Extract(this=exp.Var(this=_PARTS[node.function]), expression=operand(local))
        case "days_between":
            in_days = "date" in (each.type for each in node.arguments)
            return sql.days_from(first, rest[0]) if in_days else sql.days_between(first, rest[0])
        case "distance_km":
            return places.distance_km(*(cast(each, "double") for each in values))
        case _:
            return _text(node.function, first, rest)


def _among(function: str, values: list[Sql]) -> Sql:
    first, *rest = values
    if not rest:
        return first
    if function == "coalesce":
        return exp.Coalesce(this=first, expressions=rest)
    kind = exp.Least if function == "least" else exp.Greatest
    return kind(this=first, expressions=rest, ignore_nulls=True)


def _number(node: Call, value: Sql) -> Sql:
    kind = node.arguments[0].type
    if kind == "integer":
        return try_cast(exp.Abs(this=cast(value, "int128")), "bigint") if node.function == "abs" else value
    match node.function:
        case "abs":
            return exp.Abs(this=value)
        case "floor":
            return try_cast(exp.Floor(this=value), "bigint")
        case "ceil":
            return try_cast(exp.Ceil(this=value), "bigint")
        case _:
            places = (
                node.arguments[1].value if len(node.arguments) > 1 and isinstance(node.arguments[1], Literal) else 0
            )
            rounded = sql.typed(exp.Round(this=value, decimals=sql.constant(places, "integer")), kind)
            return try_cast(rounded, _MONEY) if kind == "money" else rounded


def _text(function: str, first: Sql, rest: list[Sql]) -> Sql:
    match function:
        case "lower":
            return exp.Lower(this=first)
        case "upper":
            return exp.Upper(this=first)
        case "trim":
            return exp.Trim(this=first)
        case "length":
            return exp.Length(this=first)
        case "starts_with":
            return exp.StartsWith(this=first, expression=rest[0])
        case "ends_with":
            return exp.EndsWith(this=first, expression=rest[0])
        case "contains":
            return exp.Contains(this=first, expression=rest[0])
        case "has_item":
            return _has_item(first, rest[0])
        case _:
            start, *length = [_clamped(each, low) for each, low in zip(rest, (1, 0), strict=False)]
            return exp.Substring(this=first, start=start, length=length[0] if length else None)


def _has_item(items: Sql, item: Sql) -> Sql:
    """Whether an item stands between two commas; one that holds a comma itself is none."""
    comma = exp.Literal.string(",")
    listed, wanted = _even(items), _even(item)
    between = (exp.Concat(expressions=[comma.copy(), each, comma.copy()]) for each in (listed, wanted.copy()))
    found = exp.Contains(this=next(between), expression=next(between))
    is_one = exp.Not(this=exp.Contains(this=wanted, expression=comma))
    known = [exp.Not(this=exp.Is(this=operand(each.copy()), expression=exp.Null())) for each in (items, item)]
    return sql.when(sql.every(known), sql.every([is_one, found]))


def _even(text: Sql) -> Sql:
    """A list with every separator a comma and without spaces."""
    found = text.copy()
    for mark, other in (("，", ","), ("、", ","), (";", ","), ("；", ","), (" ", "")):
        found = exp.Replace(this=found, expression=exp.Literal.string(mark), replacement=exp.Literal.string(other))
    return found


def _clamped(value: Sql, low: int) -> Sql:
    """A position within the bounds that every engine takes; null stays null."""
    inside = operand(value)
    return exp.Case(
        ifs=[
            exp.If(this=exp.LT(this=inside, expression=sql.whole(low)), true=sql.whole(low)),
            exp.If(this=exp.GT(this=inside.copy(), expression=sql.whole(_LONGEST_TEXT)), true=sql.whole(_LONGEST_TEXT)),
        ],
        default=inside.copy(),
    )


def _local(value: Sql, zone: str, said: list[Sql]) -> Sql:
    """A time on the clocks of the zone that is said, or of the workspace's where that is none."""
    here = clock(value, zone)
    if not said:
        return here
    is_zone = sql.named_in(operand(said[0]), ZONES)
    return exp.Case(ifs=[exp.If(this=is_zone, true=_clock(value.copy(), said[0].copy()))], default=here)


def clock(value: Sql, zone: str) -> Sql:
    """A time on the clocks of a zone that is known to be one."""
    return value if zone == "UTC" else _clock(value, exp.Literal.string(zone))


def _clock(value: Sql, zone: Sql) -> Sql:
    utc = exp.AtTimeZone(this=operand(value), zone=exp.Literal.string("UTC"))
    return exp.AtTimeZone(this=utc, zone=operand(zone))
