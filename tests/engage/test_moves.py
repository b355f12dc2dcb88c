from __future__ import annotations

from collections.abc import Iterator

import pytest

from spira.engage.moves import follow
from spira.testing.houses import NOON, House


@pytest.fixture
def house() -> Iterator[House]:
    with House() as made:
        yield made


def test_rows_go_with_their_person_once(house: House) -> None:
    """
    A row follows a profile that joined another, and a second look finds nobody who moved; then the next one is found.
    """
    warehouse = house.warehouse
    for profile in (2, 3):
        house.put("enrolments", enrolment_id=profile, profile_id=profile, entered_at=NOON)
    found = []
    for subject in (None, 2, None, 3):
        if subject is not None:
            house.subject(1)
            house.subject(subject)
            house.link(1, subject)
            house.load()
        found.append(follow(warehouse, "engage.test", ("enrolments",), NOON))
    assert found == [0, 1, 0, 1]
    assert warehouse.query("select distinct profile_id from enrolments") == [(1,)]
