"""Tables small enough to be matched within a second or two, and one that is matched once for all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from spira.testing import dirty
from spira.unify.matching import columns
from spira.unify.matching.resolve import resolve


@pytest.fixture(scope="session")
def outside():
    """The folder of data sets that are not ours to ship."""
    if (folder := os.environ.get("SPIRA_TEST_DATA")) is None:
        pytest.skip("set SPIRA_TEST_DATA to the folder of outside data sets")
    return Path(folder)


@pytest.fixture(scope="session")
def chinese():
    """A table of 500 dirty records and what became of it."""
    table = dirty.chinese(500, seed=7)
    return table, resolve(table, columns.guess(table, truth="person"))


@pytest.fixture(scope="session")
def truth(chinese):
    """Who each of the records is of."""
    return np.asarray(chinese[0].column("person").to_pylist())
