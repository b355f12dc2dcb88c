"""Asking the compiled language: an analysis without faults, the rows of a statement, equality of values."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from tests.examples import examples
from tests.segment.conditions.world import NOON, catalog

from spira.segment.conditions.language import analyse
from spira.segment.conditions.query import duckdb_sql, profiles_query

RELAXED = settings(
    # No shrinking: a failing text is short, and every attempt is a statement compiled and run.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


def understood(text, zone="UTC"):
    """The analysis of a text that is meant to have no fault."""
    found = analyse(text, catalog(zone), population=True)
    assert found.faults == (), (text, found.faults)
    return found


def same(one, other):
    """Equal, floats nearly so."""
    if isinstance(one, float) or isinstance(other, float):
        return one is not None and other is not None and float(one) == pytest.approx(float(other))
    return one == other


def computed(warehouse, columns, *, zone="UTC", as_of=NOON, restrict=False, edges=False):
    """The rows of a statement by profile id."""
    statement = profiles_query(columns, catalog(zone), restrict=restrict, edges=edges)
    return {row["profile_id"]: row for row in warehouse.rows(duckdb_sql(statement), {"as_of": as_of})}
