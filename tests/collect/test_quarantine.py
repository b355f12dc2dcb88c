"""The calls that could not become events."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from ruamel.yaml import YAML
from tests.collect.desk import NOON, RETAIL, track

from spira.collect import quarantine
from spira.collect.quarantine import Filters
from spira.kernel.errors import NotFound


def page(desk, before=None, **filters):
    return quarantine.page(desk.warehouse, Filters(**filters), as_of=NOON, zone="UTC", before=before)


def refused(desk, *calls):
    desk.batch(*calls)
    desk.load()
    return [quarantine.call(desk.warehouse, desk.keys, desk.plan, each.id) for each in page(desk).calls]


def test_pages_neither_repeat_nor_skip(desk):
    """Every refused call is on exactly one page, newest first."""
    desk.batch(*(track(id=f"m{n}", revenue="much") for n in range(quarantine.LIST + 5)))
    desk.load()
    first = page(desk)
    second = page(desk, first.next)
    ids = [each.id for each in (*first.calls, *second.calls)]
    assert len(ids) == len(set(ids)) == quarantine.LIST + 5
    assert second.next is None
    assert first.total == quarantine.LIST + 5


def test_calls_are_found_by_source_event_reason_and_local_day(desk):
    """Counts by reason are of what the other filters leave, so that one can change the reason."""
    desk.batch(track(id="m1", revenue="much"), track("Measured", id="m2", weight="heavy"), {"type": "dance"})
    desk.clock.step(timedelta(days=1))
    desk.batch({"type": "dance", "userId": "ann"})
    desk.load()
    assert {each.reason: each.calls for each in page(desk).reasons} == {"malformed": 2, "wrong_type": 2}
    assert {each.reason: each.calls for each in page(desk, day=date(2026, 3, 1), reason="malformed").reasons} == {
        "malformed": 1,
        "wrong_type": 2,
    }
    assert [each.event for each in page(desk, event="Measured").calls] == ["Measured"]
    assert page(desk, source="nobody").calls == ()
    assert len(page(desk, reason="malformed").calls) == 2


def test_a_call_is_shown_without_what_is_personal(desk):
    """The sealed text is opened and masked."""
    (shown,) = refused(desk, track(id="m1", revenue="much", note="ann@example.com"))
    assert shown.body is not None
    assert "ann@example.com" not in shown.body
    assert "much" in shown.body
    assert shown.call.detail.startswith("`revenue` is not an amount of money")


def test_what_nobody_declared_is_proposed_as_it_was_sent(make_desk):
    """An unknown event of a strict plan: its properties with their types, those left out that can't be declared."""
    desk = make_desk(tracking={**RETAIL, "mode": "strict"})
    (shown,) = refused(desk, track("Shelf Visited", shelf="tea", minutes=3, far=1.5, sure=True, **{"on sale": "x"}))
    assert shown.proposal == (
        "tracking: proposed\nevents:\n  Shelf Visited:\n    properties:\n      shelf: text\n      minutes: integer\n"
        "      far: number\n      sure: boolean\n"
    )


def test_a_proposal_would_be_taken(make_desk):
    """The plan that is proposed reads, and with it the call becomes an event."""
    desk = make_desk(tracking={**RETAIL, "mode": "strict"})
    call = track("no: such 'event'", shelf="tea", **{"no": 1, "a:b": True})
    (shown,) = refused(desk, call)
    proposed = YAML(typ="safe").load(shown.proposal)
    wider = make_desk(tracking={**RETAIL, "mode": "strict", "events": {**RETAIL["events"], **proposed["events"]}})
    assert refused(wider, call) == []
    assert wider.rows("select event from events") == [("no: such 'event'",)]


def test_a_declared_property_of_another_type_is_not_declared_twice(desk):
    """The proposal says where the declaration stands, and leaves alone what was right."""
    (shown,) = refused(desk, track(id="m1", revenue="much", order_id="o1", colour="red"))
    assert shown.proposal is not None
    assert "revenue: text  # declared as money; change it there" in shown.proposal
    assert "order_id" not in shown.proposal
    assert "colour: text" in shown.proposal


def test_nothing_is_proposed_where_declaring_does_not_help(desk):
    """A call of nobody, one without a name and one that is none are not cured by a plan."""
    calls = ({"type": "track", "event": "Measured"}, {"type": "track", "userId": "ann"}, {"type": "dance"})
    assert [each.proposal for each in refused(desk, *calls)] == [None] * 3


@pytest.mark.parametrize("place", ["", "x", "1", "1-", "-1", "9" * 40 + "-1", "99-1", "１-1"])
def test_a_place_that_is_none_is_not_found(desk, place):
    """Whatever is written in the address, there is no such call."""
    with pytest.raises(NotFound):
        quarantine.call(desk.warehouse, desk.keys, desk.plan, place)
