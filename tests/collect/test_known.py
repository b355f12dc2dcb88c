"""Known message ids: the answer is that of reading all events, whatever became of them meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.desk import track
from tests.examples import examples

from spira.collect import known as knowing
from spira.collect.known import KnownIds
from spira.kernel.jobs import InlineRunner
from spira.storage.warehouse import open_warehouse
from spira.unify import identity

IDS = st.lists(st.integers(0, 60), min_size=1, max_size=30)


@pytest.fixture
def warehouse():
    """A warehouse with as much of `events` as matters here."""
    with open_warehouse(threads=1) as made:
        made.execute("create table events (event_id BIGINT not null, message_id VARCHAR not null)")
        yield made


def mark(warehouse, ids, said):
    """What is said to be known of a batch, and what reading everything finds."""
    warehouse.execute("create or replace temp table batch_first (item INTEGER, message_id VARCHAR)")
    for item, each in enumerate(said):
        warehouse.execute("insert into batch_first values ($1, $2)", [item, f"id-{each}"])
    count = ids.mark(warehouse, newest(warehouse))
    found = [item for (item,) in warehouse.query("select item from batch_known order by item")]
    assert count == len(found)
    plain = "select item from batch_first semi join events using (message_id) order by item"
    return found, [item for (item,) in warehouse.query(plain)]


def newest(warehouse):
    """The highest number of an event."""
    return warehouse.value("select coalesce(max(event_id), 0) from events")


def keep(warehouse, said, known, last):
    """Keep what is new of a batch as loading does; the last number given."""
    for item, each in enumerate(said):
        if item not in known:
            last += 1
            warehouse.execute("insert into events values ($1, $2)", [last, f"id-{each}"])
    return last


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.tuples(IDS, st.sampled_from(["keep", "undo", "erase", "restart"])), max_size=12))
def test_what_is_known_is_what_reading_everything_finds(tmp_path, warehouse, batches):
    """Over many generations, with batches undone, events erased and a fresh start at any point."""
    warehouse.execute("delete from events")
    ids, last = KnownIds(tmp_path, generation_bits=4, step=7), 0
    for drawn, then in batches:
        said = sorted(set(drawn))
        warehouse.execute("begin transaction")
        found, plain = mark(warehouse, ids, said)
        assert found == plain
        after = keep(warehouse, said, set(found), last)
        if then == "undo":
            warehouse.execute("rollback")
            continue
        warehouse.execute("commit")
        last = after
        if then == "erase":
            warehouse.execute("delete from events where event_id % 3 = 0")
        if then == "restart":
            ids = KnownIds(tmp_path, generation_bits=4, step=7)


def test_ids_whose_hashes_are_the_same_are_told_apart(tmp_path, warehouse, monkeypatch):
    """A hash only raises a suspicion; the text decides."""
    for name in ("_SINCE", "_ASKED"):
        same = getattr(knowing, name).replace("hash(message_id)", "(hash(message_id) % 2)::UBIGINT")
        monkeypatch.setattr(knowing, name, same)
    ids = KnownIds(tmp_path, generation_bits=4)
    keep(warehouse, range(100), set(), 0)
    found, plain = mark(warehouse, ids, range(50, 150))
    assert found == plain == list(range(50))


def test_what_is_finished_lies_in_files_that_nobody_has_to_remove(tmp_path, warehouse):
    """Of a thousand events only the newest generation is held; the folder shows no file."""
    ids = KnownIds(tmp_path, generation_bits=6)
    keep(warehouse, range(1000), set(), 0)
    ids.catch_up(warehouse, newest(warehouse))
    *finished, last = ids._generations
    assert len(finished) == 15
    assert all(isinstance(each.filter, np.memmap) and len(each.runs) == 1 for each in finished)
    assert not isinstance(last.filter, np.memmap)
    assert list(tmp_path.iterdir()) == []


def test_a_filter_lets_few_strangers_through(tmp_path, warehouse):
    """Of 20,000 ids that nobody has sent, fewer than one in fifty costs more than a glance."""
    ids = KnownIds(tmp_path, generation_bits=14)
    warehouse.execute("insert into events select range + 1, 'id-' || range from range(16383)")
    ids.catch_up(warehouse, newest(warehouse))
    strangers = warehouse.arrow("select hash('other-' || range) as hash from range(20000)")
    hashes = strangers.column("hash").to_numpy().view(np.uint64)
    words, bits = ids._probes(hashes)
    (generation,) = ids._generations
    passed = (generation.filter[words] & bits) == bits
    assert passed.sum() < 400
    assert ids.suspects(hashes)[0].size == 0


def test_a_load_that_was_undone_takes_the_same_events_again(desk):
    """When the transaction fails after the events were written, the next load with the same memory takes each once."""
    known = KnownIds(desk.directory / "scratch")
    desk.batch(track(id="a"), track(id="b"))
    desk.load(known=known)
    desk.batch(track(id="b"), track(id="c"))

    def breaks(*_):
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        desk.load(known=known, join=breaks)
    assert desk.load(known=known, join=identity.resolve, runner=InlineRunner()).events == 1
    assert [each for (each,) in desk.rows("select message_id from events order by event_id")] == ["a", "b", "c"]
