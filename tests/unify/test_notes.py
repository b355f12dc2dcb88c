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


def test_an_edited_note_keeps_what_it_said_sealed_and_only_its_author_edits_it(shop, tmp_path):
    """Each version comes back with until when it was said; the same text again makes none; others are refused."""
    number = write(shop, GUIDE, "likes the harbour seat")
    about = {"profile_id": 1, "note_id": number}
    asked = (shop.state, shop.keys, shop.house.warehouse)
    assert notes.edit(*asked, GUIDE, text="likes tea", at=at(1), **about)
    assert not notes.edit(*asked, GUIDE, text=" likes tea ", at=at(2), **about)
    assert notes.edit(*asked, GUIDE, text="likes coffee", at=at(3), **about)
    (now,) = read(shop)
    assert (now.text, now.at, now.edited_at) == ("likes coffee", at(0), at(3))
    before = notes.versions(*asked, ROOT, **about)
    assert [(each.text, each.at) for each in before] == [("likes tea", at(3)), ("likes the harbour seat", at(1))]
    with pytest.raises(NotAllowed):
        notes.edit(*asked, ROOT, text="mine", at=at(4), **about)
    shop.state.settle()
    for path in tmp_path.glob("state.db*"):
        assert b"harbour seat" not in path.read_bytes()


def test_a_pinned_note_stays_on_top_until_it_is_unpinned(shop):
    """The older one leads while it is pinned."""
    first = write(shop, GUIDE, "one")
    write(shop, GUIDE, "two", hours=1)
    pin = {"profile_id": 1, "note_id": first}
    notes.pin(shop.state, shop.house.warehouse, ROOT, at=at(2), **pin)
    assert [(each.text, each.pinned) for each in read(shop)] == [("one", True), ("two", False)]
    notes.pin(shop.state, shop.house.warehouse, ROOT, at=None, **pin)
    assert [each.text for each in read(shop)] == ["two", "one"]


def test_colleagues_are_called_once_and_see_it_once(shop):
    """Whom a note calls has it waiting until they saw it; editing calls only the new; nobody calls themselves."""
    asked = (shop.state, shop.keys, shop.house.warehouse)
    called = {"profile_id": 1, "text": "look", "at": at(0)}
    number = notes.write(*asked, GUIDE, calls=["r1", "g1"], **called)
    assert [notes.waiting(shop.state, each) for each in ("r1", "g1")] == [1, 0]
    (call,) = notes.calls_of(shop.state, shop.keys, "r1", unseen=True)
    assert notes.owners(shop.house.warehouse, [call.subject_key]) == {call.subject_key: 1}
    assert notes.seen(shop.state, "r1", [number], at=at(1)) == 1
    notes.edit(*asked, GUIDE, profile_id=1, note_id=number, text="look again", at=at(2), calls=["r1", "r2"])
    assert [notes.waiting(shop.state, each) for each in ("r1", "r2")] == [0, 1]


def test_a_privacy_officer_deletes_any_note_with_all_it_ever_said(shop):
    """Neither version nor call is left."""
    officer = Viewer(staff_id="p1", name="Officer", roles=frozenset({"privacy_officer"}), units=None)
    asked = (shop.state, shop.keys, shop.house.warehouse)
    number = notes.write(*asked, GUIDE, profile_id=1, text="one", at=at(0), calls=["r1"])
    notes.edit(*asked, GUIDE, profile_id=1, note_id=number, text="two", at=at(1))
    notes.take_back(shop.state, shop.house.warehouse, officer, profile_id=1, note_id=number)
    with shop.state.read() as connection:
        for table in (notes.NOTES, notes.NOTE_VERSIONS, notes.NOTE_MENTIONS):
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
