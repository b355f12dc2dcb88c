"""What a source's mode does with calls that no tracking plan declares."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.collect.desk import NOON, RETAIL, Desk, track
from tests.examples import examples

from spira.collect import sources
from spira.collect.door import Door
from spira.collect.intake import Intake
from spira.collect.refusals import MOST, Refusals, refused
from spira.kernel.errors import SpiraError

GOOD = track(id="good", order_id="o1")
WRONG = {
    "unknown_event": track("Shelf Visited", id="e1", shelf="tea"),
    "undeclared_property": track(id="e2", colour="red"),
    "wrong_type": track(id="e3", revenue="much"),
}


def in_mode(desk: Desk, mode: str | None) -> Desk:
    """The desk with its source in a mode, and an intake that knows the plan."""
    sources.adjust(desk.state, "shop", mode=mode, silent_minutes=None)
    desk.door = Door(desk.state, desk.clock, lambda: desk.plan)
    desk.intake = Intake(log=desk.log, state=desk.state, clock=desk.clock, settings=desk.settings, door=desk.door)
    return desk


def reasons(desk):
    return sorted(reason for (reason,) in desk.rows("select reason from quarantine"))


def counted(desk):
    desk.door.refusals.flush()
    return {(each.source, each.code): each.calls for each in refused(desk.state, since=NOON - timedelta(days=1))}


@pytest.mark.parametrize(
    ("mode", "kept", "quarantined"),
    [
        (None, 3, ["wrong_type"]),
        ("observe", 3, ["wrong_type"]),
        ("quarantine", 1, ["undeclared_property", "unknown_event", "wrong_type"]),
        ("block", 1, []),
    ],
)
def test_each_mode_does_what_it_says(desk, mode, kept, quarantined):
    """Observing keeps what is undeclared, quarantining lays it aside, blocking takes only what is declared."""
    in_mode(desk, mode)
    desk.batch(GOOD, *WRONG.values())
    desk.load()
    assert desk.rows("select count(*) from events") == [(kept,)]
    assert reasons(desk) == quarantined


def test_a_plan_says_the_mode_where_the_source_does_not(make_desk):
    """A plan's `block` holds for a source that says nothing; one that observes is left alone."""
    desk = in_mode(make_desk(tracking={**RETAIL, "mode": "block"}), None)
    assert desk.post("/v1/track", WRONG["unknown_event"]).status_code == 400
    in_mode(desk, "observe")
    assert desk.post("/v1/track", WRONG["unknown_event"]).status_code == 200


def test_a_strict_plan_still_quarantines_events_alone(make_desk):
    """`strict` means what it meant: an undeclared event is laid aside, an undeclared property is kept as JSON."""
    desk = make_desk(tracking={**RETAIL, "mode": "strict"})
    desk.batch(*WRONG.values())
    desk.load()
    assert reasons(desk) == ["unknown_event", "wrong_type"]


@pytest.mark.parametrize("code", WRONG)
def test_a_single_call_that_is_blocked_is_told_why(desk, code):
    """400 with the reason, nothing on the log, and a count with the shape of the call and none of its values."""
    in_mode(desk, "block")
    answer = desk.post("/v1/track", WRONG[code])
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert "not kept" in answer.json()["message"]
    assert desk.load().events == 0
    assert counted(desk) == {("shop", code): 1}
    (row,) = refused(desk.state, since=NOON, source="shop")
    assert set(json.loads(row.sample).values()) <= {"text", "number"}
    assert "tea" not in row.sample + row.about


def test_a_batch_is_taken_but_for_what_is_blocked(desk):
    """The answer names the blocked calls by their place; context and sentAt of the batch hold for the others."""
    in_mode(desk, "block")
    said = desk.batch(
        WRONG["wrong_type"], GOOD, {"type": "dance"}, WRONG["unknown_event"],
        context={"campaign": {"name": "spring"}}, sentAt="2026-03-01T11:00:00Z",
    )  # fmt: skip
    assert [(each["index"], each["code"]) for each in said["rejected"]] == [
        (0, "wrong_type"),
        (2, "malformed"),
        (3, "unknown_event"),
    ]
    desk.load()
    assert desk.rows("select message_id, campaign, ts from events") == [("good", "spring", NOON - timedelta(hours=1))]
    assert reasons(desk) == ["malformed"]


def test_other_calls_than_track_are_never_undeclared(desk):
    """A page carries what browsers tell of pages; an identify call its traits."""
    in_mode(desk, "block")
    calls = [
        {"type": "page", "anonymousId": "a", "properties": {"colour": "red"}, "name": "Home", "messageId": "p"},
        {"type": "identify", "userId": "a", "traits": {"shoe": 42}, "messageId": "i"},
        {"type": "group", "userId": "a", "groupId": "g", "messageId": "g"},
    ]
    assert "rejected" not in desk.batch(*calls)
    assert desk.load().events == 3


def test_fields_of_lines_are_held_to_as_well(desk):
    """An undeclared field of a line is as undeclared as a property."""
    in_mode(desk, "quarantine")
    desk.batch(track(id="m1", products=[{"product_id": "p", "colour": "red"}]))
    desk.load()
    assert desk.refused() == [
        ("undeclared_property", "no tracking plan declares a field of `products` of `Order Completed`")
    ]


@settings(
    max_examples=examples(6),
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from([*WRONG, "good"]), min_size=1, max_size=8))
def test_nothing_is_lost_between_the_answer_and_the_tables(make_desk, kinds):
    """Whatever the mode, every call of a batch is an event, in quarantine, or named in the answer as blocked."""
    calls = [{**{**WRONG, "good": GOOD}[kind], "messageId": f"m{n}"} for n, kind in enumerate(kinds)]
    for mode in ("observe", "quarantine", "block"):
        desk = in_mode(make_desk(), mode)
        said = desk.batch(*calls)
        desk.load()
        events, laid_aside = desk.rows("select count(*) from events")[0][0], len(reasons(desk))
        blocked = len(said.get("rejected", [])) if mode == "block" else 0
        assert events + laid_aside + blocked == len(calls)


def test_wrong_keys_are_counted_by_what_is_wrong_with_them(desk):
    """No key, one that nobody knows, one that was exchanged and one of a source that ended are told apart."""
    in_mode(desk, None)
    old = desk.source.write_key
    sources.rotate(desk.state, desk.clock, "shop")
    gone = sources.add(desk.state, desk.clock, "gone")
    sources.end(desk.state, desk.clock, "gone")
    for key in (old, old, gone.write_key, "wk_nobody_has_this_key"):
        assert desk.post("/v1/track", GOOD, key=key).status_code == 401
    assert desk.post("/v1/track", GOOD, anonymous=True).status_code == 401
    assert counted(desk) == {
        ("shop", "old_key"): 2,
        ("gone", "ended_source"): 1,
        ("", "unknown_key"): 1,
        ("", "no_key"): 1,
    }
    (unknown,) = [each for each in refused(desk.state, since=NOON) if each.code == "unknown_key"]
    assert unknown.about == "wk_nobo…"


def test_a_flood_of_wrong_keys_is_counted_and_bounded(desk):
    """Thousands of different keys make no more rows than are kept apart, and none is left out of the count."""
    counts = Refusals(desk.state, desk.clock)
    for number in range(MOST + 300):
        counts.note("", "unknown_key", f"key{number}")
    counts.close()
    rows = refused(desk.state, since=NOON, limit=10_000)
    assert sum(each.calls for each in rows) == MOST + 300
    assert len(rows) <= MOST + 2
    desk.clock.step(timedelta(days=31))
    counts.note("", "no_key", "")
    counts.flush()
    assert sum(each.calls for each in refused(desk.state, since=NOON)) == 1


def test_a_mode_that_is_none_is_refused(desk):
    """Only the three modes, and a silence between a minute and a month."""
    for what in ({"mode": "strict", "silent_minutes": None}, {"mode": None, "silent_minutes": 0}):
        with pytest.raises(SpiraError):
            sources.adjust(desk.state, "shop", **what)
