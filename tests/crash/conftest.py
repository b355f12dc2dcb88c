"""Families of processes for the tests of this folder; whatever still runs at the end is killed."""

import pytest

from spira.testing.families import Family


@pytest.fixture
def family():
    """A maker of families."""
    made = []

    def make(directory, *options):
        made.append(Family(directory, *options))
        return made[-1]

    yield make
    for each in made:
        if each.running:
            each.kill()
        each.close()
