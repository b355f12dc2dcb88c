"""Where everyone is divided into equal parts: found without putting everyone in order.

Everyone with a value, ordered by it and then by id, is cut into `parts` parts whose sizes differ by one at most,
the larger first: what `ntile` does. The last of each part is found by selection (four numbers out of ten million
take a tenth of what sorting does), so that a rank is only a comparison of one's value and id with these. The ends
are bound to statements as `$COLUMN_v1` and `$COLUMN_i1`, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlglot import exp

from spira.storage import ddl
from spira.storage.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A rank: `column` says in which of `parts` parts a person is by the column `input`; null for one without."""

    column: str
    input: str
    parts: int

    def expression(self, table: str) -> exp.Expression:
        """The rank of a row of `table`, for the ends bound."""
        value, person = exp.column(self.input, table, quoted=True), exp.column("profile_id", table)
        found: exp.Expression = exp.Literal.number(1)
        for place in range(1, self.parts):
            end, last = (exp.Placeholder(this=f"{self.column}_{each}{place}") for each in "vi")
            above = exp.GT(this=value.copy(), expression=end)
            tied = exp.EQ(this=value.copy(), expression=end.copy())
            later = exp.GT(this=person.copy(), expression=last)
            beyond = exp.Paren(this=exp.Or(this=above, expression=exp.Paren(this=exp.And(this=tied, expression=later))))
            found = exp.Add(this=found, expression=exp.cast(beyond, "bigint"))
        known = exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))
        return exp.Case(ifs=[exp.If(this=known, true=found)])


def ends(warehouse: Warehouse, relation: str, divisions: Sequence[Division]) -> dict[str, Any]:
    """The ends of all parts among the rows of a table, as the parameters that the expressions take."""
    found: dict[str, Any] = {}
    if not divisions:
        return found
    held = ", ".join(f"count({ddl.quote(each.input)})" for each in divisions)
    counts = warehouse.one(_COUNTS.format(held=held, relation=ddl.quote(relation))) or ()
    for each, people in zip(divisions, counts, strict=True):
        for place, (value, person) in enumerate(_ends(warehouse, relation, each, people), start=1):
            found |= {f"{each.column}_v{place}": value, f"{each.column}_i{place}": person}
    return found


def _ends(warehouse: Warehouse, relation: str, division: Division, people: int) -> list[tuple[Any, int | None]]:
    if not people:
        return [(None, None)] * (division.parts - 1)
    names = {"relation": ddl.quote(relation), "value": ddl.quote(division.input)}
    small, more = divmod(people, division.parts)
    reached = list(accumulate(small + (part < more) for part in range(division.parts)))[:-1]
    reached = [max(each, 1) for each in reached]
    values = warehouse.value(_VALUES.format(**names), {"shares": [_share(each, people) for each in reached]})
    found: dict[int, int] = {}
    for value in dict.fromkeys(values):
        places = [place for place, each in enumerate(values) if each == value]
        below, tied = warehouse.one(_AROUND.format(**names), {"value": value}) or (0, 0)
        shares = [_share(reached[place] - below, tied) for place in places]
        persons = warehouse.value(_PERSONS.format(**names), {"value": value, "shares": shares})
        found |= dict(zip(places, persons, strict=True))
    return [(value, found[place]) for place, value in enumerate(values)]


def _share(position: int, of: int) -> float:
    """The share at which the engine picks the element at a position, counted from 1, out of so many."""
    return (position - 0.5) / of


_COUNTS = "select {held} from {relation}"
_VALUES = "select quantile_disc({value}, $shares) from {relation} where {value} is not null"
_AROUND = """
select count(*) filter (where {value} < $value), count(*) filter (where {value} = $value) from {relation}
"""
_PERSONS = "select quantile_disc(profile_id, $shares) from {relation} where {value} = $value"
