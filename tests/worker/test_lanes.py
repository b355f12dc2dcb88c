"""The lanes that requests read by."""

import duckdb
import pytest

from spira.storage.warehouse import open_warehouse
from spira.worker.lanes import Lanes


@pytest.fixture
def lanes():
    with open_warehouse(threads=1) as warehouse:
        made = Lanes(warehouse.lane())
        yield made
        made.end()
        made.close()


def test_a_thread_keeps_its_lane_and_what_is_read_meanwhile_has_another(lanes):
    """The asking thread's lane stays free for what it reads itself."""
    own = lanes.lane()
    assert lanes.lane() is own
    other, found = lanes.meanwhile(lambda lane: (lane, lane.value("select 1"))).result()
    assert (other is own, found) == (False, 1)


def test_a_fault_of_what_was_read_meanwhile_is_raised_where_it_is_asked_for(lanes):
    """It is not lost, and the next one is read."""
    waiting = lanes.meanwhile(lambda lane: lane.value("select nothing"))
    with pytest.raises(duckdb.BinderException):
        waiting.result()
    assert lanes.meanwhile(lambda lane: lane.value("select 2")).result() == 2


def test_after_a_file_was_opened_anew_every_thread_gets_a_lane_to_it(lanes):
    """What was given of the old one is taken back."""
    lanes.lane()
    lanes.close()
    with open_warehouse(threads=1) as again:
        again.execute("create table here (x integer)")
        lanes.renew(again.lane())
        assert lanes.lane().columns("here") == {"x": "INTEGER"}
        assert lanes.meanwhile(lambda lane: lane.columns("here")).result() == {"x": "INTEGER"}
        lanes.close()
