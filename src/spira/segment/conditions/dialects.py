"""Dialects: how each engine writes what a statement of the language is made of.

The lowering makes one tree, in terms of DuckDB, which computes it here. ClickHouse and Spark get the same tree; where
an engine means something else by the same words, its table below says what it writes instead. Every row of these
tables was a difference in a result: `tests/segment/engines` runs all functions on all three and compares the rows.

ClickHouse's settings are part of the text: joins and aggregates of nothing are null there only on request. Spark is to
run with `spark.sql.session.timeZone=UTC`; instants are TIMESTAMP_NTZ, since they are UTC and have no zone (decision
0003). Both take the instant that is asked about as the parameter `as_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, get_args

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.dialects.spark import Spark
from sqlglot.generator import Generator
from sqlglot.generators.clickhouse import ClickHouseGenerator
from sqlglot.generators.spark import SparkGenerator

from spira.segment.conditions.sql import Sql

Dialect = Literal["duckdb", "clickhouse", "spark"]
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
Written = Callable[..., str]  # of a generator and a node, its text

SETTINGS = {
    "join_use_nulls": "1",  # a left join finds null, not 0 and the first of January 1970
    "aggregate_functions_null_for_empty": "1",  # and so does an aggregate of nothing
    "short_circuit_function_evaluation": "'force_enable'",  # a branch that is not taken can't stop the statement
    "session_timezone": "'UTC'",
}
_LONG = "9223372036854775808"  # 2^63, the first number that is no bigint
_PARTS = {
    "YEAR": ("toYear({})", "YEAR({})"),
    "MONTH": ("toMonth({})", "MONTH({})"),
    "DAY": ("toDayOfMonth({})", "DAY({})"),
    "ISODOW": ("toDayOfWeek({})", "(WEEKDAY({}) + 1)"),
    "HOUR": ("toHour({})", "HOUR({})"),
}
_CLICKHOUSE_TYPES = {
    exp.DType.BOOLEAN: "Bool",
    exp.DType.BIGINT: "Int64",
    exp.DType.INT128: "Int128",
    exp.DType.DOUBLE: "Float64",
    exp.DType.DECIMAL: "Decimal(18, 4)",
    exp.DType.VARCHAR: "String",
    exp.DType.DATE: "Date32",  # Date begins in 1970 and ends in 2149
    exp.DType.TIMESTAMP: "DateTime64(6)",
}


def written(select: Sql, dialect: Dialect, *, pretty: bool = False) -> str:
    """The text of a statement for an engine; `pretty` is laid out to be read."""
    if dialect == "duckdb":
        return select.sql(dialect="duckdb", copy=True, pretty=pretty)
    if dialect == "spark":
        return _portable(select).sql(dialect=SpiraSpark, copy=False, pretty=pretty)
    settings = ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())
    text = _named(_portable(select)).sql(dialect=SpiraClickHouse, copy=False, pretty=pretty)
    return f"{text}\nSETTINGS {settings}"


def _portable(select: Sql) -> Sql:
    """A copy without what only DuckDB is told: which of its tables to keep."""
    found = select.copy()
    for each in found.find_all(exp.CTE):
        each.set("materialized", None)
    return found


def _named(select: Sql) -> Sql:
    """Every column with a name, which ClickHouse calls `base.profile_id` after a join, and conditions as Bool."""
    for each in select.find_all(exp.Select):
        each.set("expressions", [_shown(one) for one in each.expressions])
    return select


def _shown(column: exp.Expr) -> exp.Expr:
    if isinstance(column, exp.Column) and not isinstance(column.this, exp.Star):
        return exp.alias_(column, column.name, quoted=True)
    if isinstance(column, exp.Alias) and column.this.is_type(exp.DType.BOOLEAN):
        column.set("this", exp.Cast(this=column.this, to=exp.DataType.build("boolean")))
    return column


def _called(name: str, *parts: str) -> Written:
    """A function of one name and the parts of a node, in this order."""
    return lambda self, node: f"{name}({', '.join(self.sql(node, part) for part in parts)})"


def _extracted(engine: int) -> Written:
    return lambda self, node: _PARTS[node.name][engine].format(self.sql(node, "expression"))


def _like(self: Generator, node: exp.Expr) -> str:
    """No mark escapes another in the language: a backslash is one."""
    pattern = node.expression
    if isinstance(pattern, exp.Literal):
        plain = self.sql(exp.Literal.string(pattern.name.replace("\\", "\\\\")))
    else:
        one, two = self.sql(exp.Literal.string("\\")), self.sql(exp.Literal.string("\\\\"))
        plain = f"REPLACE({self.sql(pattern)}, {one}, {two})"
    return f"{self.sql(node, 'this')} LIKE {plain}"


def _is_text(node: exp.Expr) -> bool:
    return node.is_type(exp.DType.VARCHAR)


def _is_whole(node: exp.Expr) -> bool:
    return node.is_type(exp.DType.BIGINT)


def _zones(node: exp.Expr) -> tuple[exp.Expr, exp.Expr, bool]:
    """Of an instant moved between UTC and a zone's clocks: the instant, the zone, and whether it comes from UTC."""
    inner = node.this.unnest()
    zone = node.args["zone"]
    from_utc = inner.args["zone"].name == "UTC"
    return inner.this, zone if from_utc else inner.args["zone"], from_utc


# ClickHouse ---------------------------------------------------------------------------------------------------------


def _ch_kind(node: exp.Expr) -> str:
    return _CLICKHOUSE_TYPES[node.args["to"].this]


def _ch_cast(self: Generator, node: exp.Expr) -> str:
    return f"CAST({self.sql(node, 'this')} AS Nullable({_ch_kind(node)}))"


def _ch_try_cast(self: Generator, node: exp.Expr) -> str:
    """Null where a value does not fit; a decimal is rounded and not cut, a large one is multiplied with room."""
    kind, value = _ch_kind(node), node.this
    given = self.sql(value)
    if kind == "Float64" and not _is_text(value):
        return f"CAST({given} AS Nullable(Float64))"  # accurateCastOrNull has null for what is no exact double
    if kind == "Decimal(18, 4)" and not _is_text(value):
        whole = value.unnest()
        if isinstance(whole, exp.Add | exp.Sub | exp.Mul):
            wide = [f"CAST({self.sql(each)} AS Nullable(Decimal(76, 4)))" for each in (whole.left, whole.right)]
            given = f" {_SIGNS[type(whole)]} ".join(wide)
        return f"accurateCastOrNull(ROUND({given}, 4), 'Decimal(18, 4)')"
    return f"accurateCastOrNull({given}, '{kind}')"


_SIGNS: dict[type, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}


def _ch_round(self: Generator, node: exp.Expr) -> str:
    """Half away from zero; ClickHouse rounds the half of a double to the even neighbour."""
    given, digits = self.sql(node, "this"), self.sql(node, "decimals")
    if not node.is_type(exp.DType.DOUBLE):
        return f"ROUND({given}, {digits})"
    return f"SIGN({given}) * FLOOR(ABS({given}) * POW(10, {digits}) + 0.5) / POW(10, {digits})"


def _ch_substring(self: Generator, node: exp.Expr) -> str:
    parts = [self.sql(node, each) for each in ("this", "start", "length") if node.args.get(each)]
    return f"substringUTF8({', '.join(parts)})"


def _ch_sum(self: Generator, node: exp.Expr) -> str:
    """A sum of whole numbers begins again at the other end when it is too large, but not in 128 bits."""
    given = self.sql(node, "this")
    return f"SUM(CAST({given} AS Nullable(Int128)))" if _is_whole(node) else f"SUM({given})"


def _ch_in(self: Generator, node: exp.Expr) -> str:
    """IN, with null where a null among the items leaves it open; ClickHouse says no."""
    value, query = self.sql(node, "this"), node.args.get("query")
    if query is not None:
        return f"{value} IN {self.sql(query)}"
    items = node.expressions
    if all(isinstance(each, exp.Literal) for each in items):
        return f"{value} IN ({', '.join(map(self.sql, items))})"
    return "(" + " OR ".join(f"{value} = {self.sql(each)}" for each in items) + ")"


def _ch_case(self: Generator, node: exp.Case) -> str:
    """CASE of a value becomes one of conditions, in which null equals nothing."""
    given = node.this
    if not given:
        return self.case_sql(node)
    ifs = [
        exp.If(this=exp.EQ(this=given.copy(), expression=each.this.copy()), true=each.args["true"].copy())
        for each in node.args["ifs"]
    ]
    default = node.args.get("default")
    return self.case_sql(exp.Case(ifs=ifs, default=None if default is None else default.copy()))


def _ch_zone(self: Generator, node: exp.Expr) -> str:
    instant, zone, from_utc = _zones(node)
    function = "fromUTCTimestamp" if from_utc else "toUTCTimestamp"
    if from_utc and not isinstance(zone.unnest(), exp.Literal):  # as text, the one way to a zone that a row says
        return f"toDateTime64OrNull(toString({self.sql(instant)}, IFNULL({self.sql(zone)}, 'UTC')), 6, 'UTC')"
    bare = f"fromUnixTimestamp64Micro(toUnixTimestamp64Micro({self.sql(instant)}))"  # they refuse one with a zone
    return f"{function}({bare}, {self.sql(zone)})"


def _ch_times(self: Generator, node: exp.Mul) -> str:
    if isinstance(node.expression, exp.Interval):
        return f"toIntervalDay({self.sql(node, 'this')})"
    return self.binary(node, "*")


class SpiraClickHouse(ClickHouse):
    """ClickHouse, as the language means it."""

    class Generator(ClickHouseGenerator):
        """What ClickHouse writes otherwise."""

        TRANSFORMS: ClassVar[dict[type[exp.Expr], Written]] = {
            **ClickHouseGenerator.TRANSFORMS,
            exp.ArgMax: _called("argMax", "this", "expression"),
            exp.ArgMin: _called("argMin", "this", "expression"),
            exp.AtTimeZone: _ch_zone,
            exp.Case: _ch_case,
            exp.Cast: _ch_cast,
            exp.Contains: lambda self, node: f"position({self.sql(node, 'this')}, {self.sql(node, 'expression')}) > 0",
            exp.DateDiff: lambda self, node: (
                f"dateDiff('day', {self.sql(node, 'expression')}, {self.sql(node, 'this')})"
            ),
            exp.Extract: _extracted(0),
            exp.In: _ch_in,
            exp.Length: _called("lengthUTF8", "this"),
            exp.Like: _like,
            exp.Lower: _called("lowerUTF8", "this"),
            exp.Mul: _ch_times,
            exp.Placeholder: lambda _, node: f"{{{node.name}: DateTime64(6)}}",
            exp.Replace: _called("replaceAll", "this", "expression", "replacement"),
            exp.Round: _ch_round,
            exp.Substring: _ch_substring,
            exp.Sum: _ch_sum,
            exp.TimestampDiff: lambda self, node: (
                f"dateDiff('microsecond', {self.sql(node, 'expression')}, {self.sql(node, 'this')})"
            ),
            exp.TryCast: _ch_try_cast,
            exp.Upper: _called("upperUTF8", "this"),
        }


# Spark --------------------------------------------------------------------------------------------------------------


_SPARK_TYPES = {exp.DType.INT128: "DECIMAL(20, 0)", exp.DType.TIMESTAMP: "TIMESTAMP_NTZ"}


def _spark_cast(function: str) -> Written:
    def cast(self: Generator, node: exp.Expr) -> str:
        to = node.args["to"]
        kind = _SPARK_TYPES.get(to.this) or self.sql(to)
        if isinstance(node.this, exp.Floor | exp.Ceil) and function == "TRY_CAST":
            return _spark_whole(self, node.this)
        return f"{function}({self.sql(node, 'this')} AS {kind})"

    return cast


def _spark_whole(self: Generator, node: exp.Expr) -> str:
    """FLOOR and CEIL of a double give the largest bigint where there is none that fits."""
    value, kind = self.sql(node, "this"), type(node).__name__.upper()
    fits = f"{value} >= -{_LONG}D AND {value} < {_LONG}D"
    return f"CASE WHEN {fits} THEN CAST({kind}({value}) AS BIGINT) END"


def _spark_by(function: str) -> Written:
    """MIN_BY takes a null for a value; the language looks for the first that is known."""

    def chosen(self: Generator, node: exp.Expr) -> str:
        value = self.sql(node, "this")
        order = ", ".join(self.sql(each) for each in node.expression.expressions)
        return f"{function}({value}, CASE WHEN {value} IS NOT NULL THEN STRUCT({order}) END)"

    return chosen


def _spark_sum(self: Generator, node: exp.Expr) -> str:
    given = self.sql(node, "this")
    return f"SUM(CAST({given} AS DECIMAL(20, 0)))" if _is_whole(node) else f"SUM({given})"


def _spark_zone(self: Generator, node: exp.Expr) -> str:
    instant, zone, from_utc = _zones(node)
    here, there = ("'UTC'", self.sql(zone)) if from_utc else (self.sql(zone), "'UTC'")
    return f"CONVERT_TIMEZONE({here}, {there}, {self.sql(instant)})"


def _spark_case(self: Generator, node: exp.Case) -> str:
    """A condition that is null is a boolean, which Spark does not see by itself."""
    for each in node.args["ifs"]:
        if not node.this and isinstance(each.this, exp.Null):
            each.set("this", exp.Cast(this=exp.Null(), to=exp.DataType.build("boolean")))
    return self.case_sql(node)


def _spark_interval(self: Generator, node: exp.Expr) -> str:
    return f"INTERVAL {self.sql(node, 'this')} {self.sql(node, 'unit')}"


class SpiraSpark(Spark):
    """Spark, as the language means it."""

    class Generator(SparkGenerator):
        """What Spark writes otherwise."""

        EXPRESSIONS_WITHOUT_NESTED_CTES: ClassVar[set[type[exp.Expr]]] = set()  # Spark has them, each with its scope
        TRANSFORMS: ClassVar[dict[type[exp.Expr], Written]] = {
            **SparkGenerator.TRANSFORMS,
            exp.ArgMax: _spark_by("MAX_BY"),
            exp.ArgMin: _spark_by("MIN_BY"),
            exp.AtTimeZone: _spark_zone,
            exp.Case: _spark_case,
            exp.Cast: _spark_cast("CAST"),
            exp.Contains: _called("CONTAINS", "this", "expression"),
            exp.DateDiff: _called("DATEDIFF", "this", "expression"),
            exp.Div: lambda self, node: self.binary(node, "/"),
            exp.EndsWith: _called("ENDSWITH", "this", "expression"),
            exp.Extract: _extracted(1),
            exp.Interval: _spark_interval,
            exp.Length: _called("CHAR_LENGTH", "this"),
            exp.Like: _like,
            exp.Placeholder: lambda _, node: f":{node.name}",
            exp.StartsWith: _called("STARTSWITH", "this", "expression"),
            exp.Sum: _spark_sum,
            exp.TimestampDiff: lambda self, node: (
                f"TIMESTAMPDIFF(MICROSECOND, {self.sql(node, 'expression')}, {self.sql(node, 'this')})"
            ),
            exp.TryCast: _spark_cast("TRY_CAST"),
        }
