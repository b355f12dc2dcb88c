"""Sources and what Spira says itself."""

from __future__ import annotations

import asyncio

import pytest
from tests.collect.desk import NOON

from spira.collect import sources
from spira.collect.emit import emit, emit_soon
from spira.collect.envelope import Emitted, OwnEvent, decode
from spira.kernel.errors import Conflict, SpiraError
from spira.storage.log import BEGINNING


def test_a_name_is_taken_once_and_each_source_has_its_own_key(desk):
    """Two sources never share a key, and a second one of the same name is a conflict."""
    web = sources.add(desk.state, desk.clock, "网站", touchpoint="web", priority=2)

    assert web.write_key != desk.source.write_key
    assert sources.every(desk.state) == [desk.source, web]
    with pytest.raises(Conflict):
        sources.add(desk.state, desk.clock, "网站")


@pytest.mark.parametrize("name", ["", "spira", "a/b", "x" * 65])
def test_a_source_has_a_name_that_can_be_read(desk, name):
    """No empty or endless name, no slashes, and not Spira's own."""
    with pytest.raises(SpiraError):
        sources.add(desk.state, desk.clock, name)


def test_a_key_is_looked_up_anew_when_it_is_not_known(desk):
    """A source made after the first look is found, and nobody has the empty key."""
    keys = sources.WriteKeys(desk.state)
    assert keys.source_of(desk.source.write_key) == desk.source
    late = sources.add(desk.state, desk.clock, "late")

    assert keys.source_of(late.write_key) == late
    assert keys.source_of("") is None
    assert keys.source_of("wk_nobody") is None


def test_own_events_are_in_the_log_when_emitting_returns(desk):
    """Both ways of emitting write one record, and saying nothing writes none."""
    said = OwnEvent(message_id="m", event="Unsubscribed", at=NOON, subject_id=1, properties={"channel": "email"})

    assert emit(desk.log, desk.clock, [said]) == 1
    assert asyncio.run(emit_soon(desk.log, desk.clock, [said])) == 1
    assert emit(desk.log, desk.clock, []) == 0
    assert [decode(raw) for raw in desk.log.read(BEGINNING).records] == [Emitted(NOON, [said])] * 2
