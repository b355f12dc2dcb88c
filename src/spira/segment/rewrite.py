"""Compiled statements put to use: read from other tables, stored in a temporary one, kept by what they depend on."""

from __future__ import annotations

from collections.abc import Mapping

import sqlglot
from sqlglot import exp

from spira.segment.conditions.catalog import Catalog


class Held:
    """A catalog as a key of a cache: equal when everything in it is."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._text = repr(catalog)

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and self._text == other._text


def reading(query: exp.Select, others: Mapping[str, str | exp.Query]) -> exp.Select:
    """The query over other tables, or subqueries, than those it names."""
    found = query.copy()
    for node in list(found.find_all(exp.Table)):
        other = others.get(node.name)
        if other is None:
            continue
        alias = exp.TableAlias(this=exp.to_identifier(node.alias or node.name))
        if isinstance(other, str):
            fresh: exp.Expression = exp.Table(this=exp.to_identifier(other, quoted=True), alias=alias)
        else:
            fresh = exp.Subquery(this=other.copy(), alias=alias)
        node.replace(fresh)
    return found


def within(query: exp.Select) -> exp.Select:
    """The query for the profiles from `$low` to below `$high` instead of for those in `changed`."""
    found = query.copy()
    for node in list(found.find_all(exp.In)):
        asked = node.args.get("query")
        named = set() if asked is None else {each.name for each in asked.find_all(exp.Table)}
        if "changed" not in named or not named <= {"changed", "moved"}:
            continue
        person = exp.column("profile_id", node.this.table, quoted=True)
        from_low = exp.GTE(this=person, expression=exp.Placeholder(this="low"))
        below = exp.LT(this=person.copy(), expression=exp.Placeholder(this="high"))
        node.replace(exp.Paren(this=exp.And(this=from_low, expression=below)))
    return found


def alongside(query: exp.Select, draft: str, edge: str) -> exp.Select | None:
    """The query as one that only adds columns to the rows of `draft`; None when it reads anything but tags.

    The column `edge` becomes the earlier of the draft's and the query's.
    """
    joins = query.args.get("joins") or []
    if [each.this.name for each in joins] != ["tags"] or len(query.ctes) != 1:
        return None
    shown = {each.alias: each.unalias().copy() for each in query.expressions if each.alias_or_name != "profile_id"}
    more = shown.pop(edge, None)
    rows: exp.Expression = exp.Star()
    if more is not None and not isinstance(more, exp.Cast):
        both = exp.Least(this=exp.column(edge, "tags"), expressions=[more], ignore_nulls=True)
        rows = exp.Star(replace=[exp.alias_(both, edge)])
    found = exp.Select().select(exp.Column(this=rows, table=exp.to_identifier("tags")), copy=False)
    for name, value in shown.items():
        found = found.select(exp.alias_(value, name, quoted=True), copy=False)
    found = found.from_(exp.to_table(draft, alias="tags"), copy=False)
    for column in list(found.find_all(exp.Column)):
        if column.table == "base":
            column.set("table", exp.to_identifier("tags"))
    return found


def over_tags(query: exp.Select, *, left_out: bool) -> exp.Select | None:
    """The query of everyone with the rows of `tags` as its people, which saves joining everyone with their tags.

    None when it does not read tags. `left_out` adds those who have no tags, since they are in `restricted`.
    """
    joins = query.args.get("joins") or []
    base = next((each for each in query.ctes if each.alias == "base"), None)
    if base is None or "tags" not in [each.this.name for each in joins]:
        return None
    found = query.copy()
    common = found.args["with_"]
    common.set("expressions", [each for each in common.expressions if each.alias != "base"])
    if not common.expressions:
        found.set("with_", None)
    found.set("joins", [each for each in found.args["joins"] if each.this.name != "tags"])
    everyone: exp.Expression = exp.to_table("tags", alias="tags")
    if left_out:
        both = sqlglot.parse_one(_WITH_LEFT_OUT, dialect="duckdb")
        everyone = exp.Subquery(this=both, alias=exp.TableAlias(this=exp.to_identifier("tags")))
    found.set("from_", exp.From(this=everyone))
    for column in list(found.find_all(exp.Column)):
        if column.table == "base":
            column.set("table", exp.to_identifier("tags"))
    return found


def among(query: exp.Select, people: exp.Select, *, name: str) -> exp.Select:
    """The query over the profiles that another one finds first, as `name`: they are its people, and in `changed`."""
    found = reading(query, {"changed": name})
    common = found.args["with_"]
    base = next(each for each in common.expressions if each.alias == "base")
    base.set("this", exp.select("profile_id").from_(name))
    first = exp.CTE(this=people, alias=exp.TableAlias(this=exp.to_identifier(name)), materialized=True)
    common.set("expressions", [first, *common.expressions])
    found.set("with_", common)
    return found


_WITH_LEFT_OUT = """
select * from tags
union all by name
select profile_id from profiles
where profile_id in (select profile_id from restricted) and profile_id not in (select profile_id from tags)
"""


def stored(query: exp.Select, name: str) -> str:
    """The statement that puts the rows of a query into a temporary table."""
    made = exp.Create(
        this=exp.to_table(name),
        kind="TABLE",
        expression=query,
        replace=True,
        properties=exp.Properties(expressions=[exp.TemporaryProperty()]),
    )
    return made.sql(dialect="duckdb")
