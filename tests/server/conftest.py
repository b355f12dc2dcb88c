from __future__ import annotations

from collections.abc import Iterator

import pytest

from spira.testing.cores import StandInCore, fill


@pytest.fixture
def core(tmp_path) -> Iterator[StandInCore]:
    made = StandInCore(tmp_path)
    fill(made)
    yield made
    made.close()
