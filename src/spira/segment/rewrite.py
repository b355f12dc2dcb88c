"""Compiled statements put to use: read from other tables, stored in a temporary one, kept by what they depend on."""

from __future__ import annotations

from collections.abc import Mapping

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
