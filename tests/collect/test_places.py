"""Places: a person's events are found as if all events had been looked through."""

from __future__ import annotations

from itertools import pairwise
from operator import itemgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.collect import places
from spira.testing.houses import House, at
from spira.unify.subjects import subjects_of

KINDS = ("Page Viewed", "Order Completed")
SAID = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(KINDS), st.integers(-3, 3)), max_size=25)
RUNS = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)).map(
    lambda drawn: (drawn[0], drawn[0] * drawn[1], drawn[0] * drawn[1] * drawn[2])
)
PLACED = "select subject_id, event_id from event_places where event_id > $after and event_id <= $end order by rowid"
STORED = "select event_id, subject_id, ts, event from {table} order by event_id"


@pytest.fixture(scope="module")
def house():
    with House() as made:
        yield made


def fill(house, said):
    """The events of a loaded log."""
    for subject, event, hours in said:
        house.say(subject, event, hours=hours)
    loaded(house)


def loaded(house):
    house.warehouse.execute("delete from loaded")
    house.put("loaded", last_event=house.events)


def seen(house, subjects, events=KINDS, before=None):
    rows = house.warehouse.query(
        "select event_id, ts from events where list_contains($subjects, subject_id) and list_contains($events, event)"
        " order by ts desc, event_id desc",
        {"subjects": subjects, "events": list(events)},
    )
    return [row for row in rows if before is None or (row[1], row[0]) < (before[1], before[0])]


@settings(max_examples=examples(25))
@given(said=SAID, more=SAID, runs=RUNS, subjects=st.lists(st.integers(1, 5), max_size=3, unique=True))
def test_what_is_found_is_what_there_is(house, said, more, runs, subjects):
    """Whatever is in runs and whatever still waits: newest first, none missing, none twice, page by page."""
    fill(house.clear(), said)
    places.keep(house.warehouse, runs=runs)
    fill(house, more)
    every = seen(house, subjects)
    assert places.latest(house.warehouse, subjects) == every
    assert places.latest(house.warehouse, subjects, limit=3) == every[:3]
    assert places.latest(house.warehouse, subjects, events=KINDS[:1]) == seen(house, subjects, KINDS[:1])
    for place in every[:3]:
        assert places.latest(house.warehouse, subjects, before=place) == seen(house, subjects, before=place)


@settings(max_examples=examples(25))
@given(said=SAID, runs=RUNS)
def test_only_full_runs_are_made_and_each_event_is_placed_once(house, said, runs):
    """A run begins where the last one ended; asked again and again with nothing new, none is made any more."""
    fill(house.clear(), said)
    places.keep(house.warehouse, runs=runs)
    while places.keep(house.warehouse, runs=runs):
        pass
    placed = house.warehouse.query(STORED.format(table="event_places"))
    assert placed == house.warehouse.query(STORED.format(table="events"))[: len(said) // runs[0] * runs[0]]


def test_a_run_that_was_broken_off_is_made_again(house, monkeypatch):
    """Its rows and its mark are one transaction, so neither is there without the other."""
    fill(house.clear(), [(1, "Page Viewed", 0)] * 4)
    monkeypatch.setattr(places, "_REACHES", "select error('the power failed' || $last)")
    with pytest.raises(Exception, match="the power failed"):
        places.keep(house.warehouse, runs=(2, 8, 16))
    assert house.warehouse.value("select count(*) from event_places") == 0
    monkeypatch.undo()
    assert places.keep(house.warehouse, runs=(2, 8, 16)) == 2
    assert len(places.latest(house.warehouse, [1])) == 4


@settings(max_examples=examples(10))  # every run of one event is a transaction
@given(lots=st.lists(SAID, max_size=4))
def test_longer_runs_take_the_place_of_those_they_were_made_of(house, lots):
    """Part by part, whatever comes between: at last there are as few runs as can be, each in the order of subjects."""
    house.clear()
    for said in lots:
        fill(house, said)
        places.keep(house.warehouse, runs=(1, 4, 16))
        assert places.latest(house.warehouse, [1, 2, 3, 4]) == seen(house, [1, 2, 3, 4])
    while places.keep(house.warehouse, runs=(1, 4, 16)):
        pass
    ends = [end for (end,) in house.warehouse.query("select last_event from event_runs order by 1")]
    whole = house.events
    assert ends == [
        *range(16, whole + 1, 16),
        *range(whole - whole % 16 + 4, whole + 1, 4),
        *range(whole - whole % 4 + 1, whole + 1),
    ]
    for after, end in pairwise([0, *ends]):
        stored = house.warehouse.query(PLACED, {"after": after, "end": end})
        assert stored == sorted(stored)
        assert [event for _, event in sorted(stored, key=itemgetter(1))] == list(range(after + 1, end + 1))


def test_a_part_that_was_broken_off_is_made_again(house, monkeypatch):
    """What was taken out comes back with it: nobody finds an event missing, or twice."""
    fill(house.clear(), [(subject, "Page Viewed", 0) for subject in (3, 1, 2)])
    places.keep(house.warehouse, runs=(1, 4, 8))
    fill(house, [(1, "Page Viewed", 0)])
    monkeypatch.setattr(places, "_PART_MADE", "select error('the power failed' || $last || $from)")
    with pytest.raises(Exception, match="the power failed"):
        places.keep(house.warehouse, runs=(1, 4, 8))
    assert places.latest(house.warehouse, [1, 2, 3]) == seen(house, [1, 2, 3])
    monkeypatch.undo()
    assert places.keep(house.warehouse, runs=(1, 4, 8)) == 1
    assert house.warehouse.query("select last_event from event_runs") == [(4,)]


def test_a_run_lies_in_the_order_of_subjects(house):
    """That is what lets one subject's rows be found without reading the others'."""
    fill(house.clear(), [(subject, "Page Viewed", 0) for subject in (3, 1, 2, 1, 3, 2)])
    places.keep(house.warehouse, runs=(6, 12, 24))
    stored = house.warehouse.query("select subject_id, event_id from event_places")
    assert stored == sorted(stored)


def test_who_is_erased_has_no_places(house):
    """Events that are gone leave no trace of whose they were, and those of others are found as before."""
    fill(house.clear(), [(1, "Page Viewed", 0), (2, "Page Viewed", 0), (1, "Page Viewed", 1)])
    places.keep(house.warehouse, runs=(2, 4, 8))
    for table in ("events", "event_places"):
        house.warehouse.execute(f"delete from {table} where subject_id = 1")
    assert places.latest(house.warehouse, [1]) == []
    assert places.latest(house.warehouse, [2]) == [(2, at(0))]


def test_a_profile_has_the_subjects_that_moved_to_it(house):
    """Its own first one too, unless that moved away itself."""
    house.clear()
    for subject, profile in ((2, 1), (3, 1), (4, 5)):
        house.put("moved", subject_id=subject, profile_id=profile)
    assert subjects_of(house.warehouse, 1) == [1, 2, 3]
    assert subjects_of(house.warehouse, 2) == []
    assert subjects_of(house.warehouse, 5) == [4, 5]


@settings(max_examples=examples(25))
@given(said=SAID, more=SAID, runs=RUNS, subjects=st.lists(st.integers(1, 5), max_size=3, unique=True))
def test_the_last_time_is_that_of_all_events(house, said, more, runs, subjects):
    """Of each subject that did it at all, wherever the event lies."""
    fill(house.clear(), said)
    places.keep(house.warehouse, runs=runs)
    fill(house, more)
    found = house.warehouse.query(
        "select subject_id, max(ts) from events where event = $event and list_contains($subjects, subject_id)"
        " group by subject_id",
        {"subjects": subjects, "event": KINDS[1]},
    )
    assert places.last(house.warehouse, subjects, KINDS[1]) == dict(found)
