"""A timeline holds everything that happened to a person, once, in one order, and of that what is asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

import spira.engage.tables
import spira.segment.tables  # noqa: F401  (registers the tables of messages and audiences)
from spira.kernel.errors import NotFound
from spira.testing.houses import House, at
from spira.unify import moments
from spira.unify.moments import KINDS, Place, Wanted
from spira.unify.notes import Note
from spira.unify.timeline import timeline

EVENTS = ("Order Completed", "Consent Given", "Consent Withdrawn", "Tag Changed", "Household Changed", "Page Viewed")


@pytest.fixture(scope="module")
def house():
    """Person 1 of two identifiers, to whom something of every kind happened at few instants; and another person."""
    with House() as made:
        for subject in (1, 2, 3):
            made.subject(subject)
        for number, event in enumerate(EVENTS * 3):
            who, source = 1 + number % 2, {"source": "till"} if number % 4 == 0 else {}
            made.say(who, event, hours=number % 4, revenue=number, **source)
            made.say(3, event, hours=number % 4)
        made.link(1, 2, hours=1)
        made.load()
        put = made.put
        for number in range(4):
            message = {"delivery_id": number + 1, "subject_id": 1, "address_key": "k", "channel": "email"}
            message |= {"template": "hello", "journey": "win_back", "version": 1, "step": "0", "purpose": "marketing"}
            message |= {
                "state": "withheld" if number else "sent",
                "reason": "no_consent" if number else None,
                "tries": 0,
            }
            put("deliveries", profile_id=1, created_at=at(number), **message)
            put("deliveries", profile_id=3, created_at=at(number), **message | {"delivery_id": 90 + number})
            change = {"audience": "lapsed", "entered": number % 2 == 0, "at": at(number)}
            put("membership_changes", change_id=number + 1, profile_id=1, **change)
            put("membership_changes", change_id=number + 90, profile_id=3, **change)
        walk = {"journey": "win_back", "version": 1, "key": "", "held_out": False, "state": "ended", "step": "0"}
        walk |= {"visit": 1, "entered_at": at(1), "goal_at": at(2), "ended_at": at(2), "reason": "finished"}
        put("enrolments", enrolment_id=7, profile_id=1, **walk)
        said = {"purpose": "marketing", "channel": "sms", "said": True, "since": at(0), "expires_at": at(2)}
        put("consents", profile_id=1, lapsed="expired", **said)
        yield made


def told(house, wanted=moments.EVERYTHING, limit=5):
    """Every moment, read page by page."""
    written = [
        Note(note_id=number, author="s1", at=at(number), text="tea", pinned=False, edited_at=None) for number in (1, 2)
    ]
    found, before = [], None
    while True:
        asked = Wanted(**{name: getattr(wanted, name) for name in ("kinds", "event", "source", "since", "until")},
                       before=Place.read(before) if before else None)  # fmt: skip
        more = moments.of_notes(written, asked)
        page = timeline(house.warehouse, 1, zone="Asia/Shanghai", wanted=asked, more=more, limit=limit)
        found += [moment for day in page.days for moment in day.moments]
        before = page.next
        if before is None:
            return found


def test_everything_that_happened_is_there_once_and_of_every_kind(house):
    """Events of both identifiers, messages, audiences, the journey, the link, the lapse and notes; nobody else's."""
    found = told(house, limit=500)
    count = {kind: sum(each.kind == kind for each in found) for kind in KINDS}
    assert count == {
        "event": 6, "consent": 7, "message": 4, "audience": 4, "journey": 3, "identity": 1, "tag": 3, "household": 3,
        "note": 2,
    }  # fmt: skip
    assert len({(each.kind, each.number, each.what) for each in found}) == len(found)
    assert {each.what for each in found if each.kind == "journey"} == {"entered", "goal", "ended"}
    (sent,) = (each for each in found if each.kind == "message" and each.what == "sent")
    assert (sent.name, sent.details["channel"], sent.text) == ("hello", "email", "")


WANTED = st.builds(
    Wanted,
    kinds=st.sets(st.sampled_from(KINDS), min_size=1).map(
        lambda chosen: tuple(each for each in KINDS if each in chosen)
    ),
    event=st.sampled_from([None, None, *EVENTS]),
    source=st.sampled_from([None, None, "till"]),
    since=st.sampled_from([None, at(1)]),
    until=st.sampled_from([None, at(2), at(3)]),
)


@settings(max_examples=examples(10))
@given(WANTED, st.integers(1, 7))
def test_pages_follow_each_other_and_hold_what_is_asked_for(house, wanted, limit):
    """Whatever kinds, event, source and range are asked for, page by page it is the whole timeline's part, in order."""
    expected = [
        each
        for each in told(house, limit=500)
        if each.kind in wanted.kinds
        and (wanted.event is None or each.event == wanted.event)
        and (wanted.source is None or each.source == wanted.source)
        and (wanted.since is None or each.ts >= wanted.since)
        and (wanted.until is None or each.ts < wanted.until)
    ]
    assert told(house, wanted, limit) == expected


def test_what_comes_meanwhile_neither_repeats_nor_hides_a_moment(house):
    """A page that begins where another ended is the same after something newer has come."""
    first = timeline(house.warehouse, 3, limit=4)
    then = Wanted(before=Place.read(first.next))
    before = timeline(house.warehouse, 3, wanted=then, limit=4)
    house.say(3, "Page Viewed", hours=9)
    house.load()
    assert timeline(house.warehouse, 3, wanted=then, limit=4) == before


def test_a_day_is_the_workspaces_and_a_forged_place_is_no_page(house):
    """Moments lie under their local day; a place that no page told is not found."""
    for day in timeline(house.warehouse, 1, zone="Asia/Shanghai").days:
        assert {(each.ts + timedelta(hours=8)).date() for each in day.moments} == {day.day}
    for forged in ("x", "2026-01-01~1", "~~"):
        with pytest.raises(NotFound):
            Place.read(forged)
