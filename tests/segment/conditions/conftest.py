"""One in-memory warehouse with the world's tables for all tests of the language."""

from __future__ import annotations

import pytest
from tests.segment.conditions.world import make_tables

from spira.storage.warehouse import open_warehouse


@pytest.fixture(scope="session")
def warehouse():
    """An in-memory warehouse with every table the language reads."""
    with open_warehouse(threads=1) as found:
        make_tables(found)
        yield found
