"""What the job that sends makes of a channel that can't even be begun with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from spira.engage.delivery.stage import run
from spira.sandbox.inbox import Inbox
from spira.testing.houses import House
from spira.testing.walks import SHOP, Outside, applied

SIGNED_IN = "port: {port}\ntimeout: 0.5\nusername: shop\npassword: env:SPIRA_TEST_NO_SUCH_PASSWORD"


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with House() as house, Outside(house, tmp_path, applied(SHOP)) as made:
        yield made


def test_a_secret_that_is_not_set_costs_no_message(outside: Outside) -> None:
    """
    While the password is missing messages wait for another try; once the channel is right they go.
    """
    with Inbox(keys=outside.keys) as inbox:
        outside.applied = applied(SHOP.replace("port: 2525", SIGNED_IN.format(port=inbox.port)))
        outside.ask(outside.reachable(1, "one@example.com"))
        run(outside)
        assert outside.states() == {1: ("queued", None)}
        detail = outside.warehouse.value("select detail from deliveries")
        assert "SPIRA_TEST_NO_SUCH_PASSWORD" in detail
        outside.applied = applied(SHOP.replace("port: 2525", f"port: {inbox.port}"))
        outside.clock.step(timedelta(minutes=5))
        outside.load()
        run(outside)
        assert outside.states() == {1: ("sent", None)}
