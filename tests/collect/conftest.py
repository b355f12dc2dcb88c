"""Desks for the tests of collecting."""

from __future__ import annotations

import pytest
from tests.collect.desk import Desk


@pytest.fixture
def make_desk(tmp_path):
    """Makes desks with settings of one's own; they are closed at the end."""
    made = []

    def make(**what):
        directory = tmp_path / f"desk{len(made)}"
        directory.mkdir()
        made.append(Desk(directory, **what))
        return made[-1]

    yield make
    for desk in made:
        desk.close()


@pytest.fixture
def desk(make_desk):
    """A desk with the retail plan."""
    return make_desk()
