"""What looks at more people than one: ranks among the whole population, and what a household comes to.

People without a value have no rank and take none away. The highest value has the highest
rank; equal values are told apart by profile id, so that the result is always the same.
"""

from __future__ import annotations

from sqlglot import exp

from spira.segment.conditions import sql
from spira.segment.conditions.arguments import number
from spira.segment.conditions.sql import Sql, column
from spira.segment.conditions.tree import Call

BASE = "base"
QUINTILES = 5
HOME = "household_id"  # the trait by which people of one household are known to each other (unify.households)


def rank(node: Call, value: Sql) -> Sql:
    """The rank of every profile by `value`."""
    known = exp.Not(this=exp.Is(this=sql.operand(value), expression=exp.Null()))
    if node.function == "percentile":
        position = _over(exp.RowNumber(), value, known)
        everyone = exp.Window(this=exp.Count(this=exp.Star()), partition_by=[known.copy()])
        share = exp.Div(
            this=exp.Mul(this=sql.cast(sql.whole(100), "double"), expression=position),
            expression=everyone,
        )
        return sql.when(known.copy(), share)
    parts = number(node.named()["n"]) if node.function == "ntile" else QUINTILES
    return sql.when(known.copy(), _over(exp.Ntile(this=sql.whole(parts)), value, known))


def over_household(node: Call, value: Sql, home: Sql) -> Sql:
    """What the household of every profile comes to, each member's `value` counted; one without a household is alone."""
    alone = exp.Concat(expressions=[exp.Literal.string("alone "), sql.cast(column("profile_id", BASE), "varchar")])
    together = exp.Coalesce(this=home, expressions=[alone])
    if node.function == "household_any":
        counted = sql.coalesce(sql.when(sql.operand(value), sql.whole(1)), sql.whole(0))
        return exp.GT(this=exp.Window(this=exp.Max(this=counted), partition_by=[together]), expression=sql.whole(0))
    fold = {"household_sum": exp.Sum, "household_max": exp.Max, "household_min": exp.Min}[node.function]
    return exp.Window(this=sql.typed(fold(this=value), node.type), partition_by=[together])


def _over(function: Sql, value: Sql, known: Sql) -> Sql:
    order = exp.Order(expressions=[exp.Ordered(this=value.copy()), exp.Ordered(this=column("profile_id", BASE))])
    return exp.Window(this=function, partition_by=[known.copy()], order=order)
