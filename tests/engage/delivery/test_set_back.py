"""The gate on odd days: a clock that was set back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from spira.engage.delivery.gate import Decided, decide
from spira.testing.houses import NOON, House
from spira.testing.walks import SHOP, Outside, applied


def test_a_clock_that_was_set_back_loses_no_message(tmp_path: Path) -> None:
    """
    What is asked for after the machine's clock went back an hour is decided upon all the same, once.
    """
    with House() as house, Outside(house, tmp_path, applied(SHOP)) as outside:
        channels = outside.applied.of("channel")
        outside.ask(outside.reachable(1, "one@example.com"))
        assert decide(house.warehouse, channels, ["hello"], NOON + timedelta(hours=1), zone="UTC") == Decided(queued=1)
        outside.ask(outside.reachable(2, "two@example.com"))
        assert decide(house.warehouse, channels, ["hello"], NOON, zone="UTC") == Decided(queued=1)
        assert decide(house.warehouse, channels, ["hello"], NOON, zone="UTC") == Decided()
