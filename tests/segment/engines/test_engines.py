"""Every function means the same in DuckDB, in ClickHouse (chDB) and in Spark: the same rows, to the type of a value."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from tests.segment.conditions.asking import same, understood
from tests.segment.conditions.every import EVERY, HOUSEHOLD, RANKED
from tests.segment.conditions.expressions import expression
from tests.segment.conditions.world import NOON, catalog
from tests.segment.engines.conftest import ALWAYS

from spira.segment.conditions.dialects import DIALECTS, written
from spira.segment.conditions.functions import FUNCTIONS
from spira.segment.conditions.query import count_query, duckdb_sql, members_query, profiles_query
from spira.segment.conditions.tree import Call, Name, Named, walk

pytestmark = [
    pytest.mark.engines,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
ZONE = "America/New_York"  # whose clocks are set forward amid the events
ALL = (*EVERY, *HOUSEHOLD, *RANKED)
WHO = "level = 'a' or in_audience('vip') and not did('Coupon Applied') or consented('marketing', 'email')"


def shows(text):
    """What a use of the language shows: each function with its named arguments, on events or lines, each operator."""
    for node in walk(understood(text, ZONE).tree):
        if isinstance(node, Call):
            named = {each.name for each in node.arguments if isinstance(each, Named)} - {
                "within",
                "ending",
                "since",
                "until",
            }
            on_lines = any(isinstance(each, Name) and each.role == "field" for each in walk(node))
            yield node.function, *sorted(named), on_lines
        else:
            yield type(node).__name__, getattr(node, "op", None)


def telling():
    """The uses of which each shows something that none before it does: every function, and few twice."""
    seen = set()
    for text in ALL:
        new = set(shows(text)) - seen
        if new:
            seen |= new
            yield text


def some_expressions(count):
    """Expressions of every kind, the same ones every time."""
    found = []

    @settings(ALWAYS, max_examples=count)
    @given(expression())
    def gather(text):
        found.append(text)

    gather()
    return list(dict.fromkeys(found))


def differences(duckdb, engine, texts, *, restrict=False, edges=True):
    """The texts whose values differ, or differ in type, with the first person of whom they do."""
    columns = {f"c{number}": understood(text, ZONE) for number, text in enumerate(texts)}
    statement = profiles_query(columns, catalog(ZONE), restrict=restrict, edges=edges)
    meant = {row["profile_id"]: row for row in duckdb.rows(duckdb_sql(statement), {"as_of": NOON})}
    found = {row["profile_id"]: row for row in engine.rows(statement)}
    assert set(found) == set(meant)
    assert len(meant) > 9
    said = {f"c{number}": text for number, text in enumerate(texts)} | {"next_edge_at": "next_edge_at"}
    wrong = {}
    for name in (each for each in said if edges or each != "next_edge_at"):
        for id, row in meant.items():
            one, other = row[name], found[id][name]
            if not same(one, other) or type(one) is not type(other):
                wrong[said[name]] = f"person {id}: {one!r} in DuckDB, {other!r} in {engine.name}"
                break
    return wrong


def test_clickhouse_gives_the_same_rows(duckdb, clickhouse):
    """
    Every listed use of every function, and what makes it change by itself, has the same value in ClickHouse.
    """
    assert differences(duckdb, clickhouse, ALL) == {}


def test_clickhouse_gives_the_same_rows_of_random_expressions(duckdb, clickhouse):
    """
    So have expressions that nobody chose.
    """
    assert differences(duckdb, clickhouse, some_expressions(60)) == {}


def test_clickhouse_chooses_the_same_people(duckdb, clickhouse):
    """
    Members, their number, and the people who changed are the same ones in ClickHouse.
    """
    check_choosing(duckdb, clickhouse)


def test_spark_gives_the_same_rows(duckdb, spark):
    """
    Every function has the same value in Spark: uses of which each shows something, and who is chosen.
    """
    texts, wrong = list(telling()), {}
    for first in range(0, len(texts), 30):  # the time that Spark plans for grows faster than a statement
        wrong |= differences(duckdb, spark, texts[first : first + 30], edges=False)
    wrong |= differences(duckdb, spark, ["days_since('Order Completed') > 1", *texts[::10]])
    assert wrong == {}
    check_choosing(duckdb, spark)


def check_choosing(duckdb, engine):
    who = understood(WHO, ZONE)
    for statement in (count_query(who, catalog(ZONE)), members_query(who, catalog(ZONE))):
        meant = duckdb.rows(duckdb_sql(statement), {"as_of": NOON})
        assert engine.rows(statement) == meant
        assert meant
    texts = [next(each for each in EVERY if each.startswith(name)) for name in ("followed", "funnel", "streak", "did")]
    assert differences(duckdb, engine, texts, restrict=True, edges=False) == {}


def test_what_spark_is_asked_has_every_function():
    """
    The shorter list leaves no function out.
    """
    used = {node.function for text in telling() for node in walk(understood(text).tree) if isinstance(node, Call)}
    assert used == set(FUNCTIONS)
    assert len(list(telling())) < len(ALL)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_statement_is_the_same_text_every_time(dialect):
    """
    Writing a statement for an engine leaves its tree as it was.
    """
    statement = profiles_query({"a": understood("count_of('Order Completed')")}, catalog(), restrict=False, edges=True)
    assert [written(statement, dialect)] * 2 == [written(statement, each) for each in (dialect, dialect)]
