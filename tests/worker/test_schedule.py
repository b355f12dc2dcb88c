from __future__ import annotations

import pytest

from spira.worker.schedule import rest


@pytest.mark.parametrize(("taken", "pause"), [(0.0, 1.0), (0.25, 0.75), (0.95, 0.1), (5.0, 0.1)])
def test_turns_begin_in_their_rhythm_and_a_long_one_is_followed_soon(taken, pause):
    """The pause is what is left of the rhythm, and never nothing, so that others get their turn."""
    assert rest(1.0, taken) == pytest.approx(pause)
