"""Replaying what was refused: nothing is lost, nothing comes twice, and everything keeps its time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.collect.desk import NOON, RETAIL, track
from tests.examples import examples

from spira.collect import quarantine, sources, traffic
from spira.collect.corrections import NO_CORRECTION, correction_of
from spira.collect.envelope import OwnEvent
from spira.collect.load import source_facts
from spira.collect.quarantine import Filters
from spira.collect.replay import Chosen, Reading, assay, replay
from spira.collect.tracking import TrackingDefinition, plan_of, reconcile
from spira.kernel.errors import NotFound

WIDER = {**RETAIL, "events": {**RETAIL["events"], "Shelf Visited": {"properties": {"shelf": "text"}}}}


def declare(desk, tracking):
    """Put another plan in force."""
    desk.plan = plan_of([TrackingDefinition.model_validate(tracking)])
    reconcile(desk.warehouse, desk.plan)


def reading(desk):
    return Reading(keys=desk.keys, plan=desk.plan, sources=source_facts(desk.state), settings=desk.settings)


def again(desk, correction=NO_CORRECTION, *, most=20_000, calls=(), after=None, **filters):
    chosen = Chosen(calls=calls, filters=Filters(**filters), after=after)
    return replay(
        desk.warehouse, reading(desk), chosen, correction, log=desk.log, clock=desk.clock, actor="ann", most=most
    )


def foreseen(desk, correction=NO_CORRECTION, **filters):
    return assay(desk.warehouse, reading(desk), Chosen(filters=Filters(**filters)), correction)


def outcomes(desk):
    return [row[0] for row in desk.rows("select outcome from quarantine order by batch, item")]


@pytest.fixture
def strict(make_desk):
    """A desk whose plan takes no undeclared event."""
    return make_desk(tracking={**RETAIL, "mode": "strict"})


def test_a_call_is_loaded_once_its_event_is_declared(strict):
    """It has the time and message id it would have had; its row says when, by whom, and what became of it."""
    strict.batch(track("Shelf Visited", id="m1", shelf="tea"), sentAt="2026-03-01T11:00:00Z")
    strict.load()
    strict.clock.step(timedelta(days=3))
    declare(strict, {**WIDER, "mode": "strict"})
    assert foreseen(strict).loads == 1

    assert again(strict).replayed == 1
    assert strict.load().events == 1
    assert strict.rows("select message_id, ts, received_at, source, shelf from events") == [
        ("m1", NOON - timedelta(hours=1), NOON, "shop", "tea")
    ]
    (row,) = traffic.traffic(strict.warehouse, sources.every(strict.state), as_of=strict.clock.now()).sources
    assert (row.month, row.refused) == (1, 0)
    assert strict.rows("select outcome, replayed_at, replayed_by, tries from quarantine") == [
        ("loaded", NOON + timedelta(days=3), "ann", 1)
    ]


def test_what_would_become_of_calls_is_said_before(strict):
    """The look names loads, duplicates and each reason that stays, and is what the replay then does."""
    strict.batch(
        track("Shelf Visited", id="m1", shelf="tea"),
        track("Shelf Visited", id="m2", shelf=3),
        track("Nobody Knows", id="m3"),
        track("Shelf Visited", id="taken", shelf="tea"),
        track(id="taken", order_id="o1"),
        {"type": "dance", "userId": "u"},
    )
    strict.load()
    declare(strict, {**WIDER, "mode": "strict"})
    seen = foreseen(strict)
    assert (seen.total, seen.looked, seen.loads, seen.duplicates) == (5, 5, 1, 1)
    assert {each.reason: each.calls for each in seen.refused} == {"wrong_type": 1, "unknown_event": 1, "malformed": 1}
    assert strict.rows("select count(*) from events") == [(1,)]

    again(strict)
    strict.load()
    assert outcomes(strict) == ["loaded", "refused", "refused", "duplicate", "refused"]
    assert quarantine.page(strict.warehouse, Filters(), as_of=NOON, zone="UTC").total == 3


def test_replaying_twice_is_replaying_once(strict):
    """However often the same calls are appended, each is one event and its row stays loaded."""
    strict.batch(track("Shelf Visited", id="m1", shelf="tea"), track("Shelf Visited", id=None, shelf="tea"))
    strict.load()
    declare(strict, {**WIDER, "mode": "strict"})
    again(strict)
    again(strict)
    strict.load()
    again(strict)
    assert strict.load().events == 0
    assert strict.rows("select count(*) from events") == [(2,)]
    assert outcomes(strict) == ["loaded", "loaded"]


def test_calls_alike_without_message_ids_are_not_taken_for_one(strict):
    """Two same calls of one batch that named no message id were two, and are two after replaying."""
    call = {key: value for key, value in track("Shelf Visited", shelf="tea").items() if key != "messageId"}
    strict.batch(call, call)
    strict.load()
    declare(strict, {**WIDER, "mode": "strict"})
    again(strict)
    strict.load()
    assert strict.rows("select count(*), count(distinct message_id) from events") == [(2, 2)]


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_replay_that_was_broken_off_is_run_again(strict, kept):
    """Whatever part of it was on the log when the power went, the second run loads each call once."""
    strict.batch(*(track("Shelf Visited", id=f"m{n}", shelf="tea") for n in range(3)))
    strict.load()
    declare(strict, {**WIDER, "mode": "strict"})
    if kept:
        again(strict, most=kept)
    if kept == 2:
        strict.load()
    again(strict)
    strict.load()
    assert strict.rows("select message_id from events order by all") == [("m0",), ("m1",), ("m2",)]
    assert outcomes(strict) == ["loaded"] * 3


def test_a_large_replay_goes_on_after_the_last_call(strict):
    """Slices neither repeat nor skip a call."""
    strict.batch(*(track("Shelf Visited", id=f"m{n}", shelf="tea") for n in range(5)))
    strict.load()
    declare(strict, {**WIDER, "mode": "strict"})
    first = again(strict, most=2)
    assert (first.replayed, first.left) == (2, 3)
    second = again(strict, most=10, after=first.next)
    assert (second.replayed, second.left, second.next) == (3, 0, None)
    assert strict.load().duplicates == 0


def test_calls_are_chosen_by_number_reason_event_and_source(desk):
    """Only what was chosen is replayed."""
    desk.batch(track(id="m1", revenue="much"), track("Measured", id="m2", weight="x"), {"type": "dance"})
    desk.load()
    ids = [each.id for each in quarantine.page(desk.warehouse, Filters(), as_of=NOON, zone="UTC").calls]
    assert again(desk, reason="wrong_type").replayed == 2
    assert again(desk, event="Measured").replayed == 1
    assert again(desk, source="nobody").replayed == 0
    assert again(desk, calls=(ids[0], ids[2])).replayed == 2
    with pytest.raises(NotFound):
        again(desk, calls=("x",))


def test_a_call_is_put_right_on_its_way_back(desk):
    """The event and a property get their right names, and a text that is a number becomes one."""
    desk.batch(track("Messured", id="m1", weight="12.5", cuont="3"))
    desk.batch(track(id="m2", revenue="1,234.50"))
    declare(desk, {**RETAIL, "mode": "strict"})
    desk.load()
    correction = correction_of("", "cuont=count", "weight=number, count=integer, revenue=money")
    named = correction_of("Measured", "cuont=count", "weight=number, count=integer")
    assert foreseen(desk, correction).loads == 1
    assert foreseen(desk, named, reason="unknown_event").loads == 1
    again(desk, named, reason="unknown_event")
    again(desk, correction, reason="wrong_type")
    desk.load()
    assert desk.rows("select weight, count, revenue::varchar from events order by message_id") == [
        (12.5, 3, None),
        (None, None, "1234.5000"),
    ]


def test_a_single_call_and_what_its_batch_shared_come_back(desk):
    """A call of `/v1/track` has no type in its body; a call of a batch had a context above it."""
    assert desk.post(
        "/v1/track", {key: value for key, value in track(id="m1", revenue="much").items() if key != "type"}
    )
    desk.batch(track(id="m2", revenue="much"), context={"campaign": {"name": "spring"}, "sessionId": "s1"})
    desk.load()
    declare(desk, {**RETAIL, "events": {"Order Completed": {"properties": {"amount": "text"}}}})
    again(desk, correction_of("", "revenue=amount"))
    desk.load()
    assert desk.rows("select message_id, amount, campaign, session_id from events order by message_id") == [
        ("m1", "much", None, None),
        ("m2", "much", "spring", "s1"),
    ]


def test_what_spira_said_itself_comes_back_too(desk):
    """An own event that was refused is read again as one."""
    desk.emit(OwnEvent(message_id="o1", event="Measured", at=NOON, user_id="ann", properties={"count": "3"}))
    desk.load()
    declare(desk, {**RETAIL, "events": {"Measured": {"properties": {"weight": "number"}}}})
    desk.warehouse.execute("update quarantine set via = null")
    again(desk)
    desk.load()
    assert outcomes(desk) == ["loaded"]
    assert desk.rows("select message_id, source from events") == [("o1", "spira")]


def test_what_no_plan_can_cure_stays_where_it_is(desk):
    """A record that can't be read at all is refused again, and there is still one row of it."""
    desk.log.append([b"\xff\xff not a record"])
    desk.batch({"type": "dance"})
    desk.load()
    assert again(desk).replayed == 2
    desk.load()
    again(desk)
    desk.load()
    assert desk.rows("select outcome, tries from quarantine") == [("refused", 2)] * 2


def test_after_a_restore_the_row_is_found_by_what_it_holds(strict):
    """A log that is loaded anew may number its batches otherwise; a replay still marks the very call, and no other."""
    strict.batch(track("Shelf Visited", id="m1", shelf="tea"), track("Nobody Knows", id="m2"))
    strict.load()
    declare(strict, {**WIDER, "mode": "strict"})
    again(strict)
    strict.warehouse.execute("update quarantine set batch = batch + 100, item = item + 7")
    strict.load()
    assert outcomes(strict) == ["loaded", "refused"]


def test_rows_of_before_tell_their_calls_by_what_is_in_them(strict):
    """A row written before that was kept how a call came is read by the parts it has."""
    strict.post("/v1/track", {"userId": "a", "event": "Shelf Visited", "messageId": "m1", "properties": {"shelf": "x"}})
    strict.load()
    strict.warehouse.execute("update quarantine set via = null, message_id = null")
    declare(strict, {**WIDER, "mode": "strict"})
    again(strict)
    strict.load()
    assert strict.rows("select message_id, shelf from events") == [("m1", "x")]


CALLS = st.lists(
    st.tuples(st.sampled_from(["Shelf Visited", "Shelf Visited", "Unknown"]), st.sampled_from(["a", 1, True])),
    min_size=1,
    max_size=6,
)


@settings(
    max_examples=examples(10),
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(calls=CALLS, turns=st.lists(st.sampled_from(["load", "replay", "some"]), max_size=6))
def test_the_end_is_that_of_calls_which_came_under_the_new_plan(make_desk, calls, turns):
    """In any order and as often as one likes, replaying ends with the events of a desk that had the plan at once."""
    sent = [track(event, id=f"m{n}", shelf=value) for n, (event, value) in enumerate(calls)]
    late, fresh = make_desk(tracking={**RETAIL, "mode": "strict"}), make_desk(tracking={**WIDER, "mode": "strict"})
    for each in (late, fresh):
        each.batch(*sent)
        each.load()
    declare(late, {**WIDER, "mode": "strict"})
    for turn in (*turns, "replay", "load"):
        if turn == "load":
            late.load()
        else:
            again(late, most=1 if turn == "some" else 100)
    asked = "select message_id, event, ts, received_at, shelf, properties from events order by message_id"
    assert late.rows(asked) == fresh.rows(asked)
    still = "select event, reason from quarantine where outcome is distinct from 'loaded' order by all"
    assert late.rows(still) == fresh.rows(still)
