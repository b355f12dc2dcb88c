"""Equal parts of everyone, found by selection, are those that putting everyone in order gives."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.segment.conditions.query import duckdb_sql
from spira.segment.divisions import Division, ends
from spira.storage.warehouse import open_warehouse

KINDS = {
    "bigint": "if(x = 2, -9223372036854775807, x)",
    "double": "x / 3.0",
    "decimal(18, 4)": "(x - 400) * 99999999999 / 7.0",
    "varchar": "'a' || x",
    "timestamp": "'2026-01-01'::timestamp + to_seconds(x - 99999999)",
    "date": "'2026-01-01'::date + x::integer",
}
PEOPLE = "create or replace temp table people as select p * 3 as profile_id, {value}::{kind} as value from ({rows})"
ROWS = "select p, nullif(hash(p * $salt) % $spread, 3) as x from range($people) everyone(p)"
DIFFERENT = """
select count(*) from (
  select {mine} as mine,
         if(value is not null, ntile({parts}) over (partition by value is not null order by value, profile_id), null)
           as sorted
  from people) where mine is distinct from sorted
"""


@settings(max_examples=examples(40))
@given(
    kind=st.sampled_from(sorted(KINDS)),
    people=st.sampled_from([0, 1, 2, 4, 5, 11, 300]),
    parts=st.sampled_from([2, 3, 5, 20]),
    spread=st.sampled_from([1, 2, 5, 900]),
    salt=st.integers(1, 99),
)
def test_parts_are_those_of_ntile(kind, people, parts, spread, salt):
    """Of any type, with any number of ties and of people without a value."""
    division = Division(column="part", input="value", parts=parts)
    with open_warehouse() as lane:
        sql = PEOPLE.format(value=f"({KINDS[kind]})", kind=kind, rows=ROWS)
        lane.execute(sql, {"people": people, "spread": spread, "salt": salt})
        bound = ends(lane, "people", [division])
        mine = duckdb_sql(division.expression("people"))
        assert lane.value(DIFFERENT.format(mine=mine, parts=parts), bound) == 0
