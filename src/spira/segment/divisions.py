"""Where everyone is divided into equal parts: found without putting everyone in order.

Everyone with a value, ordered by it and then by id, is cut into `parts` parts whose sizes differ by one at most,
the larger first: what `ntile` does. The last of each part is found by selection (four numbers out of ten million
take a tenth of what sorting does), so that a rank is only a comparison of one's value and id with these. Value and id
are one number there where the value is a whole one at heart, so that one selection finds both; for others the values
are found first, and then who is the last of those who have the same. The ends are bound to statements as `$COLUMN_v1`
and `$COLUMN_i1`, and so on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
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
    kinds = ", ".join(f"typeof({ddl.quote(each.input)})" for each in divisions)
    told = warehouse.one(_KINDS.format(kinds=kinds, relation=ddl.quote(relation))) or ("",) * len(divisions)
    for each, people, kind in zip(divisions, counts, told, strict=True):
        for place, (value, person) in enumerate(_ends(warehouse, relation, each, people, kind), start=1):
            found |= {f"{each.column}_v{place}": value, f"{each.column}_i{place}": person}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """A type whose values are whole numbers at heart: how one is told in SQL, and what a number stands for."""

    number: str
    value: Callable[[int], Any]


def _ends(
    warehouse: Warehouse, relation: str, division: Division, people: int, kind: str
) -> list[tuple[Any, int | None]]:
    if not people:
        return [(None, None)] * (division.parts - 1)
    names = {"relation": ddl.quote(relation), "value": ddl.quote(division.input)}
    small, more = divmod(people, division.parts)
    reached = list(accumulate(small + (part < more) for part in range(division.parts)))[:-1]
    reached = [max(each, 1) for each in reached]
    shares = [_share(each, people) for each in reached]
    if (whole := _WHOLE.get(kind)) is not None:
        asked = _BOTH.format(number=whole.number.format(**names), room=_ROOM, **names)
        both, finite = warehouse.one(asked, {"shares": shares}) or ((), 0)
        if finite == people:  # no number stands for what is infinite, nor for an amount of ten billion
            return [(whole.value(each // _ROOM), each % _ROOM) for each in both]
    values = warehouse.value(_VALUES.format(**names), {"shares": shares})
    found: dict[int, int] = {}
    for value in dict.fromkeys(values):
        places = [place for place, each in enumerate(values) if each == value]
        below, tied = warehouse.one(_AROUND.format(**names), {"value": value}) or (0, 0)
        among = [_share(reached[place] - below, tied) for place in places]
        persons = warehouse.value(_PERSONS.format(**names), {"value": value, "shares": among})
        found |= dict(zip(places, persons, strict=True))
    return [(value, found[place]) for place, value in enumerate(values)]


def _share(position: int, of: int) -> float:
    """The share at which the engine picks the element at a position, counted from 1, out of so many."""
    return (position - 0.5) / of


_ROOM = 1 << 64  # for an id beside a value; ids are not negative
_WHOLE = {
    "BIGINT": _Whole(number="{value}", value=int),
    "DECIMAL(18,4)": _Whole(
        number="case when abs({value}) < 10000000000 then ({value} * 10000)::bigint end",
        value=lambda number: Decimal(number).scaleb(-4),
    ),
    "TIMESTAMP": _Whole(
        number="epoch_us({value})",
        value=lambda number: (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=number)).replace(tzinfo=None),
    ),
    "DATE": _Whole(
        number="datediff('day', date '1970-01-01', {value})", value=lambda number: date(1970, 1, 1) + timedelta(number)
    ),
}
_COUNTS = "select {held} from {relation}"
_KINDS = "select {kinds} from {relation} limit 1"
_BOTH = """
select quantile_disc(number::hugeint * {room} + profile_id, $shares), count(number)
from (select {number} as number, profile_id from {relation} where {value} is not null)
"""
_VALUES = "select quantile_disc({value}, $shares) from {relation} where {value} is not null"
_AROUND = """
select count(*) filter (where {value} < $value), count(*) filter (where {value} = $value) from {relation}
"""
_PERSONS = "select quantile_disc(profile_id, $shares) from {relation} where {value} = $value"
