"""One served shop for each test: clients keep queues of their own, and must not meet those of another test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.clients.shop import Shop, open_shop


@pytest.fixture
def shop(tmp_path) -> Iterator[Shop]:
    """Spira on a real port, with one source."""
    with open_shop(tmp_path / "shop") as made:
        yield made
