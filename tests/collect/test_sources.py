"""Sources and what Spira says itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tests.collect.desk import NOON, track

from spira.collect import sources
from spira.collect.emit import emit, emit_soon
from spira.collect.envelope import Emitted, OwnEvent, decode
from spira.kernel.errors import Conflict, NotFound, SpiraError
from spira.storage.log import BEGINNING


def test_a_name_is_taken_once_and_each_source_has_its_own_key(desk):
    """Two sources never share a key, and a second one of the same name is a conflict."""
    web = sources.add(desk.state, desk.clock, "网站", touchpoint="web", priority=2)

    assert web.write_key != desk.source.write_key
    assert sources.every(desk.state) == [desk.source, web]
    with pytest.raises(Conflict):
        sources.add(desk.state, desk.clock, "网站")


def test_no_source_hides_behind_a_page_of_the_console(desk):
    """The name of the page that makes sources is refused, with the reason."""
    with pytest.raises(SpiraError, match="its own page at /sources/new"):
        sources.add(desk.state, desk.clock, "new")
    assert [each.source for each in sources.every(desk.state)] == [desk.source.source]


@pytest.mark.parametrize("name", ["", "spira", "a/b", "x" * 65])
def test_a_source_has_a_name_that_can_be_read(desk, name):
    """No empty or endless name, no slashes, and not Spira's own."""
    with pytest.raises(SpiraError):
        sources.add(desk.state, desk.clock, name)


def test_a_key_is_looked_up_anew_when_it_is_not_known(desk):
    """A source made after the first look is found, and nobody has the empty key."""
    keys = sources.WriteKeys(desk.state, desk.clock)
    assert keys.source_of(desk.source.write_key) == desk.source
    late = sources.add(desk.state, desk.clock, "late")

    assert keys.source_of(late.write_key) == late
    assert keys.source_of("") is None
    assert keys.source_of("wk_nobody") is None


def test_an_exchanged_key_is_good_for_as_long_as_was_said(desk):
    """The new key works at once; the old one until its time is over, and not a moment longer."""
    old = desk.source.write_key
    keys = sources.WriteKeys(desk.state, desk.clock)
    assert keys.source_of(old) is not None
    new = sources.rotate(desk.state, desk.clock, "shop", grace=timedelta(hours=1)).write_key

    assert {keys.source_of(key).source for key in (old, new)} == {"shop"}
    desk.clock.step(timedelta(hours=1))
    assert keys.source_of(old) is None
    assert keys.source_of(new) is not None


def test_a_key_exchanged_without_a_grace_is_refused_by_the_very_next_call(desk):
    """The collection API answers 401 to the old key and takes the new one."""
    old = desk.source.write_key
    assert desk.post("/v1/track", track(), key=old).status_code == 200
    new = sources.rotate(desk.state, desk.clock, "shop").write_key

    assert desk.post("/v1/track", track(), key=old).status_code == 401
    assert desk.post("/v1/track", track(), key=new).status_code == 200


def test_a_source_that_ended_is_answered_as_an_unknown_key(desk):
    """Ending takes hold at once; a new key takes the source up again, and only that one."""
    sources.rotate(desk.state, desk.clock, "shop", grace=timedelta(days=1))
    ended = sources.end(desk.state, desk.clock, "shop")
    answers = [desk.post("/v1/track", track(), key=key) for key in (ended.write_key, "wk_nobody")]
    assert [each.status_code for each in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()
    assert ended.ended_at == NOON

    again = sources.rotate(desk.state, desk.clock, "shop", grace=timedelta(days=1))
    assert again.ended_at is None
    assert desk.post("/v1/track", track(), key=again.write_key).status_code == 200
    assert desk.post("/v1/track", track(), key=ended.write_key).status_code == 401


def test_what_is_not_there_can_not_be_changed(desk):
    """Exchanging the key of an unknown source, or ending it, says that there is none."""
    for change in (sources.rotate, sources.end):
        with pytest.raises(NotFound):
            change(desk.state, desk.clock, "nobody")


def test_own_events_are_in_the_log_when_emitting_returns(desk):
    """Both ways of emitting write one record, and saying nothing writes none."""
    said = OwnEvent(message_id="m", event="Unsubscribed", at=NOON, subject_id=1, properties={"channel": "email"})

    assert emit(desk.log, desk.clock, [said]) == 1
    assert asyncio.run(emit_soon(desk.log, desk.clock, [said])) == 1
    assert emit(desk.log, desk.clock, []) == 0
    assert [decode(raw) for raw in desk.log.read(BEGINNING).records] == [Emitted(NOON, [said])] * 2
