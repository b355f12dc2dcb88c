"""ConnectorContract: what every connector must do, whoever wrote it.

Subclass it in your tests, and say how a table gets to where your connector reads it:

    class TestMine(ConnectorContract):
        @pytest.fixture
        def place(self, tmp_path): ...          # yields a Place

A `Place` writes a table and gives the connector opened on it. Values are compared as texts, since
some places keep nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from spira.collect.connectors.base import Connector, OutOfReach, Part, Unreadable
from spira.collect.mapping.values import text_of

Table = Sequence[Mapping[str, Any]]
TABLE: Table = [
    {"id": number, "name": name, "amount": number + 0.25, "note": note}
    for number, (name, note) in enumerate(
        [("王小明", "a, b"), ("Ann", 'she said "no"'), ("Łukasz", "two\nlines"), ("李", "半角 and ／"), ("😀", "x")]
        * 5,
        start=1,
    )
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInPlace:
    """Where tables lie in tests. `put` writes a table in place of what was there, and opens the connector on it;
    `spoilt` does so with a row among the others that can't be read, or is None where no row can be so;
    `nowhere` is a connector on a place that is not there, and `keeps_empty` says whether an empty table can be."""

    put: Callable[[Table], Connector]
    nowhere: Connector
    spoilt: Callable[[Table], Connector] | None = None
    keeps_empty: bool = True


class ConnectorContract:
    """The promises of `spira.collect.connectors.base`."""

    @pytest.fixture
    def place(self) -> StandInPlace:
        """The place; a subclass gives it."""
        raise AssertionError("a contract's subclass gives its `place`")

    def test_every_row_is_read_once_in_order(self, place: StandInPlace) -> None:
        """
        All rows come, each with its values and with a number greater than the one before.
        """
        connector = place.put(TABLE)
        (part,) = connector.parts()
        assert texts(connector, part) == wanted(TABLE)
        numbers = [number for rows in connector.read(part) for number in rows.numbers]
        assert numbers == sorted(set(numbers))

    def test_reading_again_gives_the_same(self, place: StandInPlace) -> None:
        """
        The same content is the same part, known by the same identity, its rows in the same order.
        """
        connector = place.put(TABLE)
        one, two = connector.parts(), connector.parts()
        assert list(one) == list(two)
        assert connector.identity(one[0]) == connector.identity(two[0])
        assert texts(connector, one[0]) == texts(connector, two[0])

    def test_another_table_is_another_part(self, place: StandInPlace) -> None:
        """
        What was changed is noticed by its mark or its identity; what grows stays the same part.
        """
        connector = place.put(TABLE)
        (before,) = connector.parts()
        identity = connector.identity(before)
        connector = place.put([*TABLE, {"id": 99, "name": "Zoe", "amount": 1.5, "note": "new"}])
        (after,) = connector.parts()
        if after.grows:
            assert connector.identity(after) == identity
        else:
            assert after.mark != before.mark or connector.identity(after) != identity

    def test_it_goes_on_behind_every_cursor(self, place: StandInPlace) -> None:
        """
        From each cursor that it gave, the rest is read: nothing is left out and nothing comes twice.
        """
        connector = place.put(TABLE)
        (part,) = connector.parts()
        every = list(connector.read(part))
        done = 0
        for rows in every:
            done += len(rows)
            assert texts(connector, part, rows.cursor) == wanted(TABLE)[done:]

    def test_an_empty_table_has_no_rows(self, place: StandInPlace) -> None:
        """
        It is no fault, and gives nothing.
        """
        if not place.keeps_empty:
            return
        connector = place.put([])
        assert [row for part in connector.parts() for row in texts(connector, part)] == []

    def test_a_row_that_cant_be_read_costs_itself_alone(self, place: StandInPlace) -> None:
        """
        It is told with its number, what stood there and why; the others are read.
        """
        if place.spoilt is None:
            return
        connector = place.spoilt(TABLE)
        (part,) = connector.parts()
        unread = [each for rows in connector.read(part) for each in rows.unread]
        assert len(unread) == 1
        assert unread[0].row > 0
        assert unread[0].text
        assert unread[0].reason
        assert texts(connector, part) == wanted(TABLE)

    def test_what_is_not_there_is_out_of_reach(self, place: StandInPlace) -> None:
        """
        It can be tried again, and the fault says what to do.
        """
        with pytest.raises((OutOfReach, Unreadable)) as fault:
            _all_of(place.nowhere)
        assert fault.value.help

    def test_a_connector_is_frozen(self, place: StandInPlace) -> None:
        """
        Nothing of one reading is left for the next.
        """
        connector = place.put(TABLE)
        assert replace(connector) == connector  # type: ignore[type-var]  # every one is a dataclass


def _all_of(connector: Connector) -> None:
    for part in connector.parts():
        list(connector.read(part))


def texts(connector: Connector, part: Part, after: str = "") -> list[dict[str, str]]:
    """All rows of a part behind a cursor, as texts; nothing and an empty text are one."""
    return list(_texts(connector, part, after))


def _texts(connector: Connector, part: Part, after: str) -> Iterator[dict[str, str]]:
    for rows in connector.read(part, after):
        columns = {
            name: column.to_pylist() if hasattr(column, "to_pylist") else list(column)
            for name, column in rows.columns.items()
        }
        for at in range(len(rows)):
            yield {name: "" if column[at] is None else text_of(column[at]) for name, column in columns.items()}


def wanted(table: Table) -> list[dict[str, str]]:
    """A table as `texts` gives it."""
    return [{name: "" if value is None else text_of(value) for name, value in row.items()} for row in table]
