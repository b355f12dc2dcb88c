"""Statements: analysed conditions and tag values as one select, with as few scans of events as possible.

Reads   `profiles`, `profile_events` and the views of lines, `tags`, `scores`, `traits`,
        `members`, `permissions`, and `moved` and the temporary table `changed` when restricted

Every statement takes the parameter `$as_of`. Equal behaviours are computed once, plain
ones share one scan of the events and one of each array's lines, and the trees that come
back are sqlglot's, so that another dialect is another way of writing them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.catalog import Catalog
from spira.segment.conditions.functions import POPULATION
from spira.segment.conditions.gather import Gathered
from spira.segment.conditions.language import Analysis
from spira.segment.conditions.lower import lower
from spira.segment.conditions.scans import restricted
from spira.segment.conditions.sql import SQL_TYPES, Sql, column
from spira.segment.conditions.tree import Call, Node, walk

BASE = "base"
PROFILES = "profiles"
NEXT_EDGE = "next_edge_at"
_NUMBERS = ("integer", "money", "number")


def profiles_query(
    columns: Mapping[str, Analysis],
    catalog: Catalog,
    *,
    restrict: bool,
    edges: bool,
    scope: Sql | None = None,
) -> exp.Select:
    """A row per profile with the value of each column, and `next_edge_at` when `edges`.

    `restrict` asks for the profiles in `changed` alone; a rank among the whole population
    is worked out for everyone all the same.
    """
    trees = {name: _tree(analysis) for name, analysis in columns.items()}
    ranked = any(_is_ranked(tree) for tree in trees.values())
    gathered = Gathered(zone=catalog.zone, catalog=catalog, restrict=restrict and not ranked)
    shown = {name: _output(columns[name], tree, gathered) for name, tree in trees.items()}
    if edges:
        shown[NEXT_EDGE] = gathered.next_edge(trees.values())
    found = exp.Select().select(column("profile_id", BASE), copy=False)
    for name, value in shown.items():
        found = found.select(exp.alias_(value, name, quoted=True), copy=False)
    found = _assembled(found, gathered, scope, future=edges)
    if not (restrict and ranked):
        return found
    everyone = found.subquery("everyone", copy=False)
    kept = exp.Select().select(exp.Star(), copy=False).from_(everyone, copy=False)
    return kept.where(restricted("everyone"), copy=False)


def count_query(condition: Analysis, catalog: Catalog, *, scope: Sql | None = None) -> exp.Select:
    """One row: how many profiles satisfy a condition, and how many there are."""
    gathered = Gathered(zone=catalog.zone, catalog=catalog, restrict=False)
    holds = lower(_condition(condition), gathered.how())
    found = exp.Select().select(
        exp.alias_(exp.Count(this=sql.when(holds, sql.whole(1))), "count", quoted=True),
        exp.alias_(exp.Count(this=exp.Star()), "total", quoted=True),
        copy=False,
    )
    return _assembled(found, gathered, scope, future=False)


def members_query(
    condition: Analysis,
    catalog: Catalog,
    *,
    scope: Sql | None = None,
    limit: int | None = None,
    restrict: bool = False,
) -> exp.Select:
    """The ids of the profiles that satisfy a condition, in order."""
    gathered = Gathered(zone=catalog.zone, catalog=catalog, restrict=restrict)
    holds = lower(_condition(condition), gathered.how())
    found = exp.Select().select(column("profile_id", BASE), copy=False)
    found = _assembled(found, gathered, scope, future=False).where(sql.operand(holds), copy=False)
    found = found.order_by(column("profile_id", BASE), copy=False)
    return found if limit is None else found.limit(limit, copy=False)


def duckdb_sql(select: exp.Select) -> str:
    """The text of a statement for DuckDB."""
    return select.sql(dialect="duckdb", copy=True)


def _tree(analysis: Analysis) -> Node:
    if analysis.tree is None or analysis.faults:
        raise ValueError(f"`{analysis.text}` has faults and can't be computed")
    return analysis.tree


def _condition(analysis: Analysis) -> Node:
    tree = _tree(analysis)
    if tree.type not in ("boolean", "null"):
        raise ValueError(f"`{analysis.text}` is no condition")
    return tree


def _is_ranked(tree: Node) -> bool:
    return any(isinstance(each, Call) and each.function in POPULATION for each in walk(tree))


def _output(analysis: Analysis, tree: Node, gathered: Gathered) -> Sql:
    value = lower(tree, gathered.how())
    if analysis.condition:
        value = sql.coalesce(value, exp.Boolean(this=False))
    if tree.type in _NUMBERS:
        return sql.try_cast(value, SQL_TYPES[tree.type])
    return sql.typed(value, "boolean") if tree.type == "boolean" else value


def _assembled(found: exp.Select, gathered: Gathered, scope: Sql | None, *, future: bool) -> exp.Select:
    """The select over the base of profiles, joined with everything gathered."""
    found = found.from_(sql.source(BASE, BASE), copy=False)
    tables = gathered.tables(future=future)
    found = found.with_(BASE, as_=_base(scope, restrict=gathered.restrict), copy=False)
    for name, query in tables.items():
        found = found.with_(exp.TableAlias(this=exp.to_identifier(name)), as_=query, copy=False)
    for name in gathered.joined(tables):
        same = exp.EQ(this=column("profile_id", name), expression=column("profile_id", BASE))
        found = found.join(sql.source(name, name), on=same, join_type="left", copy=False)
    return found


def _base(scope: Sql | None, *, restrict: bool) -> exp.Select:
    found = exp.Select().select(column("profile_id", PROFILES), copy=False)
    found = found.from_(sql.source(PROFILES, PROFILES), copy=False)
    is_given = exp.Not(this=exp.Is(this=sql.as_of(), expression=exp.Null()))
    found = found.where(is_given, copy=False)
    if scope is not None:
        found = found.where(sql.operand(scope.copy()), copy=False)
    return found.where(restricted(PROFILES), copy=False) if restrict else found
