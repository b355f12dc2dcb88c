"""How the values of one tag are spread over people, with the condition that chooses each part of them.

Reads   `tags`, `profiles`

Parts of numbers and times are counted by the language itself: each part is a condition, and one
statement counts them all, so that a bar's figure is what the audience builder finds behind it. A
viewer who sees figures only is shown no part of fewer than five people, and no single extreme.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from math import floor, log10
from typing import Literal as Choice

from sqlglot import exp

from spira.kernel.clock import local
from spira.kernel.viewer import FEWEST, Viewer
from spira.segment.conditions.catalog import NUMERIC, Catalog
from spira.segment.conditions.language import analyse
from spira.segment.conditions.printer import canonical
from spira.segment.conditions.query import duckdb_sql, profiles_query
from spira.segment.conditions.tree import Compare, Comparison, Literal, Logic, Name, Negative, Node
from spira.segment.rewrite import Held, reading
from spira.storage.warehouse import Warehouse
from spira.unify import people

VALUES, BARS, MONTHS = 12, 10, 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """People whose values are the same, or lie in one range."""

    value: str | int | bool | None = field(default=None, metadata={"help": "the value; null for a range"})
    low: float | None = field(default=None, metadata={"help": "where a range of numbers begins; null when it is open"})
    high: float | None = field(default=None, metadata={"help": "where it ends, not included; null when it is open"})
    since: date | None = field(default=None, metadata={"help": "the first day of a month; null when it is open"})
    until: date | None = field(default=None, metadata={"help": "the first day after it; null when it is open"})
    profiles: int = field(metadata={"help": "how many people"})
    share: float = field(metadata={"help": "their share of all people with a value"})
    condition: str = field(metadata={"help": "the condition that chooses them"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The values of a tag. The parts and the rest together are everyone with a value."""

    shape: Choice["values", "ranges", "months"] = field(metadata={"help": "what the parts are"})
    parts: tuple[Part, ...] = field(metadata={"help": "the parts, the most frequent first, or in order"})
    rest: int = field(metadata={"help": "people with a value that is in no part"})
    least: float | None = field(default=None, metadata={"help": "the smallest number; null for who sees figures only"})
    median: float | None = field(default=None, metadata={"help": "the number in the middle"})
    mean: float | None = field(default=None, metadata={"help": "the mean of numbers"})
    most: float | None = field(default=None, metadata={"help": "the largest number; null for who sees figures only"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Whose values of which tag, and the table that has them."""

    warehouse: Warehouse
    catalog: Catalog
    viewer: Viewer
    tag: str
    with_value: int
    as_of: datetime
    table: str


def distribution(
    warehouse: Warehouse,
    catalog: Catalog,
    viewer: Viewer,
    tag: str,
    *,
    with_value: int,
    as_of: datetime,
    table: str = "tags",
) -> Distribution:
    """How the values of `tag` are spread over the viewer's people, `with_value` of whom have one; `table` has them."""
    asked = _Asked(
        warehouse=warehouse,
        catalog=catalog,
        viewer=viewer,
        tag=tag,
        with_value=with_value,
        as_of=as_of,
        table=table,
    )
    kind = catalog.tags.get(tag, "null")
    if not with_value or (not viewer.sees_people and with_value < FEWEST):
        return Distribution(shape="values", parts=(), rest=with_value)
    if kind in NUMERIC:
        found = _numbers(asked)
    elif kind in ("time", "date"):
        found = _moments(asked)
    else:
        found = _values(asked)
    return found if viewer.sees_people else discreet(found, with_value)


def discreet(found: Distribution, with_value: int) -> Distribution:
    """The distribution without parts, or a rest, of a few people, and without single extremes."""
    kept = [each for each in found.parts if each.profiles >= FEWEST]
    rest = with_value - sum(each.profiles for each in kept)
    while kept and 0 < rest < FEWEST:
        smallest = min(kept, key=lambda each: each.profiles)
        kept.remove(smallest)
        rest += smallest.profiles
    return replace(found, parts=tuple(kept), rest=rest, least=None, most=None)


def nice_step(span: float, *, whole: bool) -> Decimal:
    """The smallest round step (1, 2, 2.5 or 5 times a power of ten) that covers `span` in ten or fewer."""
    wanted = span / BARS
    if wanted <= 0:
        return Decimal(1)
    power = Decimal(10) ** floor(log10(wanted))
    steps = [power * Decimal(each) for each in ("1", "2", "2.5", "5", "10")]
    chosen = next(step for step in steps if float(step) >= wanted or step == steps[-1])
    if whole and chosen != chosen.to_integral_value():
        return max(Decimal(1), next((s for s in steps if s >= chosen and s == s.to_integral_value()), Decimal(1)))
    return chosen


def edges_between(low: float, high: float, *, whole: bool) -> list[Decimal]:
    """Round numbers from at or below `low` to at or above `high`."""
    step = nice_step(high - low, whole=whole)
    at = Decimal(floor(Decimal(repr(low)) / step)) * step
    edges = [at]
    while float(edges[-1]) <= high and len(edges) <= BARS + 2:
        edges.append(edges[-1] + step)
    return edges


def _values(asked: _Asked, *, in_order: bool = False) -> Distribution:
    tag, with_value = asked.tag, asked.with_value
    column = exp.column(tag, "tags", quoted=True)
    query = _over(asked, exp.alias_(column, "value"), exp.alias_(exp.Count(this=exp.Star()), "profiles"))
    query = query.where(exp.not_(exp.Is(this=column.copy(), expression=exp.Null()))).group_by(column.copy())
    query = query.order_by("profiles desc", "value").limit(VALUES)
    parts = [
        _part(_compare(tag, "=", _literal(value)), profiles, with_value, value=value)
        for value, profiles in asked.warehouse.query(query.sql(dialect="duckdb"))
    ]
    if in_order:
        parts.sort(key=lambda each: str(each.value) if isinstance(each.value, str) else each.value or 0)
    rest = with_value - sum(each.profiles for each in parts)
    return Distribution(shape="values", parts=tuple(parts), rest=rest)


def _numbers(asked: _Asked) -> Distribution:
    tag, with_value = asked.tag, asked.with_value
    column = exp.cast(exp.column(tag, "tags", quoted=True), "double")
    distinct = exp.Count(this=exp.Distinct(expressions=[exp.column(tag, "tags", quoted=True)]))
    folds = [exp.func(name, column.copy()) for name in ("min", "max", "avg", "median")]
    ends = [exp.func("quantile_cont", column.copy(), exp.Literal.number(part)) for part in ("0.02", "0.98")]
    whole = asked.catalog.tags[tag] == "integer"
    kinds = distinct if whole else exp.Literal.number(VALUES + 1)
    row = asked.warehouse.one(_over(asked, *folds, *ends, kinds).sql(dialect="duckdb"))
    least, most, mean, median, low, high, several = row or (None,) * 7
    if least is None or low is None:
        return Distribution(shape="ranges", parts=(), rest=with_value)
    if whole and several <= VALUES:
        found = _values(asked, in_order=True)
    else:
        edges = edges_between(low, high, whole=whole)
        ranges: list[tuple[Decimal | None, Decimal | None]] = list(pairwise(edges))
        if least < float(edges[0]):
            ranges.insert(0, (None, edges[0]))
        if most >= float(edges[-1]):
            ranges.append((edges[-1], None))
        texts = [_range(tag, *(None if each is None else _literal(each) for each in pair)) for pair in ranges]
        counted = _count(asked, texts)
        parts = tuple(
            _part(text, profiles, with_value, low=_float(low), high=_float(high))
            for text, profiles, (low, high) in zip(texts, counted, ranges, strict=True)
        )
        found = Distribution(shape="ranges", parts=parts, rest=with_value - sum(counted))
    return replace(found, least=least, most=most, mean=mean, median=median)


def _moments(asked: _Asked) -> Distribution:
    tag, with_value, as_of = asked.tag, asked.with_value, asked.as_of
    column = exp.column(tag, "tags", quoted=True)
    row = asked.warehouse.one(
        _over(asked, exp.func("min", column), exp.func("max", column.copy())).sql(dialect="duckdb")
    )
    first, last = (_local_day(each, asked.catalog.zone) for each in (row or (as_of, as_of)))
    edges = [date(last.year + last.month // 12, last.month % 12 + 1, 1)]
    while edges[0] > first and len(edges) <= MONTHS:
        before = edges[0]
        edges.insert(0, date(before.year - (before.month == 1), (before.month - 2) % 12 + 1, 1))
    spans: list[tuple[date | None, date | None]] = list(pairwise(edges))
    if edges[0] > first:
        spans.insert(0, (None, edges[0]))
    texts = [_range(tag, *(None if each is None else _literal(each.isoformat()) for each in pair)) for pair in spans]
    counted = _count(asked, texts)
    parts = tuple(
        _part(text, profiles, with_value, since=since, until=until)
        for text, profiles, (since, until) in zip(texts, counted, spans, strict=True)
    )
    return Distribution(shape="months", parts=parts, rest=with_value - sum(counted))


def _count(asked: _Asked, texts: Sequence[str]) -> list[int]:
    """How many of the viewer's people each condition chooses; one statement."""
    sql = _counting(tuple(texts), Held(asked.catalog), asked.viewer.units, asked.table)
    return [int(each or 0) for each in asked.warehouse.one(sql, {"as_of": asked.as_of}) or ()]


@lru_cache(maxsize=64)
def _counting(texts: tuple[str, ...], held: Held, units: frozenset[int] | None, table: str) -> str:
    conditions = {f"part{at}": analyse(text, held.catalog, expect="boolean") for at, text in enumerate(texts)}
    scope = people.scope(Viewer(staff_id="", name="", roles=frozenset(), units=units))
    each = profiles_query(conditions, held.catalog, restrict=False, edges=False, scope=scope)
    each = reading(each, {"tags": table})
    counted = [exp.CountIf(this=exp.column(name, quoted=True)) for name in conditions]
    return duckdb_sql(exp.select(*counted).from_(each.subquery("each", copy=False)))


def _over(asked: _Asked, *shown: exp.Expr) -> exp.Select:
    """A select over the tags of the viewer's people."""
    found = exp.select(*shown).from_(exp.to_table(asked.table, alias="tags"))
    scope = people.scope(asked.viewer)
    joined = found.join("profiles", on="profiles.profile_id = tags.profile_id")
    return joined if scope is None else joined.where(scope)


def _part(condition: str, profiles: int, with_value: int, **more: object) -> Part:
    known: Mapping[str, object] = {"profiles": profiles, "share": profiles / with_value, "condition": condition}
    return Part(**known, **more)  # type: ignore[arg-type]


def _range(tag: str, low: Node | None, high: Node | None) -> str:
    ends: list[tuple[Comparison, Node | None]] = [(">=", low), ("<", high)]
    kept = [Compare(op=op, left=Name(parts=(tag,)), right=end) for op, end in ends if end is not None]
    return canonical(kept[0] if len(kept) == 1 else Logic(op="and", operands=tuple(kept)))


def _compare(tag: str, op: Comparison, value: Node) -> str:
    return canonical(Compare(op=op, left=Name(parts=(tag,)), right=value))


def _literal(value: object) -> Node:
    if isinstance(value, bool):
        return Literal(kind="boolean", value=value)
    if isinstance(value, str):
        return Literal(kind="text", value=value)
    number = value if isinstance(value, (int, Decimal)) else Decimal(str(value))
    if number < 0:
        return Negative(operand=_literal(-number))
    if number == int(number):
        return Literal(kind="integer", value=int(number))
    return Literal(kind="number", value=Decimal(f"{number:f}"))


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _local_day(moment: datetime | date, zone: str) -> date:
    return local(moment, zone).date() if isinstance(moment, datetime) else moment
