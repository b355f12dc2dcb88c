"""A version that people still walk may speak of what is no longer applied; that is said aloud."""

from __future__ import annotations

import logging

import pytest

from spira.engage.journeys.advance import advance
from spira.kernel.settings import Settings
from spira.segment.catalog import catalog_of
from spira.testing.houses import House, at
from spira.testing.walks import SHOP, applied, member, person

LEAVING = """
journey: win_back
label: Win back
enter: {audience: lapsed}
exit: in_audience('regulars')
holdout: 0
steps:
  - send: {channel: email, template: hello}
  - wait: 3 days
  - send: {channel: email, template: gift}
"""
REGULARS = """
audience: regulars
label: Regulars
who: did('Order Completed', at_least => 3)
"""


def test_an_exit_rule_that_is_no_longer_understood_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """
    The audience that an earlier version's exit rule names is gone: the log says which version, and why.
    """
    with House() as house:
        person(house, 1, at(-1))
        member(house, 1, "lapsed", at(-1))
        before = applied(SHOP, REGULARS, LEAVING)
        advance(house.warehouse, before, catalog_of(before, Settings()), at(0))
        after = applied(SHOP, LEAVING.replace("exit: in_audience('regulars')\n", ""))
        with caplog.at_level(logging.WARNING, logger="spira.engage"):
            advance(house.warehouse, after, catalog_of(after, Settings()), at(1))
    assert "journey win_back, version 1" in caplog.text
    assert "regulars" in caplog.text
