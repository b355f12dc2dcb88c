from __future__ import annotations

import pytest
import sqlalchemy as sa

from spira.kernel.clock import FrozenClock
from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.viewer import Viewer
from spira.storage import log
from spira.testing.houses import NOON, at
from spira.unify import erase, notes, profiles

GUIDE = Viewer(staff_id="g1", name="Guide", roles=frozenset({"guide"}), units=frozenset({10}))
OTHER = Viewer(staff_id="g2", name="Other", roles=frozenset({"guide"}), units=frozenset({20}))
ROOT = Viewer(staff_id="r1", name="Root", roles=frozenset({"analyst"}), units=None)
READER = Viewer(staff_id="r2", name="Reader", roles=frozenset({"reader"}), units=None)


@pytest.fixture
def shop(desk):
    """Ann of store A with a user id (1), and a browser (2) that is nobody's yet."""
    desk.subject(1, "user_id", "h-1")
    desk.subject(2, "anonymous_id", "browser-2")
    desk.house.say(1, "Order Completed", hours=-2, store_id="A", revenue=5)
    desk.house.say(2, "Page Viewed", hours=-1)
    desk.house.load()
    profiles.compute(desk.house.warehouse, as_of=at(9), units=[(10, "A"), (20, "B")])
    return desk


def write(desk, viewer, text, profile=1, hours=0):
    return notes.write(desk.state, desk.keys, desk.house.warehouse, viewer, profile_id=profile, text=text, at=at(hours))


def read(desk, viewer=ROOT, profile=1):
    return notes.about(desk.state, desk.keys, desk.house.warehouse, viewer, profile_id=profile)


def test_notes_are_read_newest_first_as_they_were_written(shop):
    """Two notes come back with author, instant and text, the newer first."""
    write(shop, GUIDE, "likes <b>tea</b>")
    write(shop, ROOT, "  called\r\nback ", hours=1)
    assert [(each.author, each.at, each.text) for each in read(shop)] == [
        ("r1", at(1), "called\nback"),
        ("g1", at(0), "likes <b>tea</b>"),
    ]


def test_a_note_is_sealed_at_rest(shop, tmp_path):
    """No file of the state has a word of it."""
    write(shop, GUIDE, "prefers the window seat")
    shop.state.settle()
    for path in tmp_path.glob("state.db*"):
        assert b"window seat" not in path.read_bytes()


def test_a_note_moved_to_another_person_can_not_be_read(shop):
    """A row under another key does not open."""
    write(shop, GUIDE, "hers")
    other = shop.keys.subject_key("anonymous_id", "browser-2")
    with shop.state.write() as connection:
        connection.execute(sa.update(notes.NOTES).values(subject_key=other))
    with pytest.raises(Exception, match="can't be opened"):
        read(shop, profile=2)


def test_a_note_follows_a_merge(shop):
    """What was written about the browser is read with the person that it turned out to be."""
    write(shop, ROOT, "asked about shoes", profile=2)
    shop.house.link(1, 2)
    shop.house.load()
    profiles.compute(shop.house.warehouse, as_of=at(9), units=[(10, "A"), (20, "B")])
    assert [each.text for each in read(shop, profile=1)] == ["asked about shoes"]


def test_erasing_a_person_erases_their_notes_and_no_others(shop, tmp_path):
    """After an erasure nothing is left of the notes, and the receipt counts them; another's note stays."""
    write(shop, GUIDE, "one")
    write(shop, ROOT, "two")
    write(shop, ROOT, "of the browser", profile=2)
    with log.Log.open(tmp_path / "log", shop.keys) as opened:
        stores = erase.Stores(
            warehouse=shop.house.warehouse,
            state=shop.state,
            vault=shop.vault,
            keys=shop.keys,
            log=opened,
            log_directory=tmp_path / "log",
            clock=FrozenClock(NOON),
            load=lambda: None,
        )
        receipt = erase.erase(stores, "user_id:h-1", actor="s1")
    assert {each.table: each.rows for each in receipt.rows}["notes"] == 2
    assert [each.text for each in read(shop, profile=2)] == ["of the browser"]


def test_people_of_other_units_have_no_notes_to_read_or_write(shop):
    """A guide of another store finds no such person; a reader is refused."""
    write(shop, GUIDE, "hers")
    with pytest.raises(NotFound):
        read(shop, OTHER)
    with pytest.raises(NotFound):
        write(shop, OTHER, "mine")
    with pytest.raises(NotAllowed):
        read(shop, READER)


def test_only_its_author_takes_a_note_back(shop):
    """Another is refused, the author is not; a note of another person is not found under this one."""
    number = write(shop, GUIDE, "wrong")
    warehouse = shop.house.warehouse
    with pytest.raises(NotAllowed):
        notes.take_back(shop.state, warehouse, ROOT, profile_id=1, note_id=number)
    with pytest.raises(NotFound):
        notes.take_back(shop.state, warehouse, ROOT, profile_id=2, note_id=number)
    notes.take_back(shop.state, warehouse, GUIDE, profile_id=1, note_id=number)
    assert read(shop) == ()


@pytest.mark.parametrize("text", ["", " \n ", "x" * (notes.LONGEST + 1)])
def test_a_note_has_a_text_of_some_length(shop, text):
    """Nothing, and more than two thousand characters, are refused."""
    with pytest.raises(notes.BadNote, match="between 1 and 2,000"):
        write(shop, GUIDE, text)
