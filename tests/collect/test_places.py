"""Places: a person's events are found as if all events had been looked through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.collect import places
from spira.testing.houses import House, at
from spira.unify.subjects import subjects_of

KINDS = ("Page Viewed", "Order Completed")
SAID = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(KINDS), st.integers(-3, 3)), max_size=25)
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


@given(said=SAID, more=SAID, run=st.integers(1, 9), subjects=st.lists(st.integers(1, 5), max_size=3, unique=True))
def test_what_is_found_is_what_there_is(house, said, more, run, subjects):
    """Whatever is in runs and whatever still waits: newest first, none missing, none twice, page by page."""
    fill(house.clear(), said)
    places.keep(house.warehouse, run=run)
    fill(house, more)
    every = seen(house, subjects)
    assert places.latest(house.warehouse, subjects) == every
    assert places.latest(house.warehouse, subjects, limit=3) == every[:3]
    assert places.latest(house.warehouse, subjects, events=KINDS[:1]) == seen(house, subjects, KINDS[:1])
    for place in every[:3]:
        assert places.latest(house.warehouse, subjects, before=place) == seen(house, subjects, before=place)


@given(said=SAID, run=st.integers(1, 9))
def test_only_full_runs_are_made_and_each_event_is_placed_once(house, said, run):
    """A run begins where the last one ended; asked again with nothing new, none is made."""
    fill(house.clear(), said)
    assert places.keep(house.warehouse, run=run) == len(said) // run
    assert places.keep(house.warehouse, run=run) == 0
    placed = house.warehouse.query(STORED.format(table="event_places"))
    assert placed == house.warehouse.query(STORED.format(table="events"))[: len(said) // run * run]


def test_a_run_that_was_broken_off_is_made_again(house, monkeypatch):
    """Its rows and its mark are one transaction, so neither is there without the other."""
    fill(house.clear(), [(1, "Page Viewed", 0)] * 4)
    monkeypatch.setattr(places, "_REACHES", "select error('the power failed' || $last)")
    with pytest.raises(Exception, match="the power failed"):
        places.keep(house.warehouse, run=2)
    assert house.warehouse.value("select count(*) from event_places") == 0
    monkeypatch.undo()
    assert places.keep(house.warehouse, run=2) == 2
    assert len(places.latest(house.warehouse, [1])) == 4


def test_a_run_lies_in_the_order_of_subjects(house):
    """That is what lets one subject's rows be found without reading the others'."""
    fill(house.clear(), [(subject, "Page Viewed", 0) for subject in (3, 1, 2, 1, 3, 2)])
    places.keep(house.warehouse, run=6)
    stored = house.warehouse.query("select subject_id, event_id from event_places")
    assert stored == sorted(stored)


def test_who_is_erased_has_no_places(house):
    """Events that are gone leave no trace of whose they were, and those of others are found as before."""
    fill(house.clear(), [(1, "Page Viewed", 0), (2, "Page Viewed", 0), (1, "Page Viewed", 1)])
    places.keep(house.warehouse, run=2)
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


@given(said=SAID, more=SAID, run=st.integers(1, 9), subjects=st.lists(st.integers(1, 5), max_size=3, unique=True))
def test_the_last_time_is_that_of_all_events(house, said, more, run, subjects):
    """Of each subject that did it at all, wherever the event lies."""
    fill(house.clear(), said)
    places.keep(house.warehouse, run=run)
    fill(house, more)
    found = house.warehouse.query(
        "select subject_id, max(ts) from events where event = $event and list_contains($subjects, subject_id)"
        " group by subject_id",
        {"subjects": subjects, "event": KINDS[1]},
    )
    assert places.last(house.warehouse, subjects, KINDS[1]) == dict(found)
