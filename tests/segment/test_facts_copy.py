"""The copy of the facts says what the warehouse says, whatever has happened to both."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.examples import examples

import spira.segment.kinds
import spira.unify.restrictions  # noqa: F401  (registers its table)
from spira.kernel.errors import NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.segment import facts_copy
from spira.server.wire import plain
from spira.storage.keys import new_keys
from spira.testing.houses import House, at
from spira.unify import consent, facts, profiles
from spira.unify.facts import Scope
from spira.unify.facts_store import FactsStore

ROOT = Viewer(staff_id="s1", name="Root", roles=frozenset({"analyst"}), units=None)
GUIDE = Viewer(staff_id="s2", name="Guide", roles=frozenset({"guide"}), units=frozenset({10}))
PEOPLE = range(1, 6)


class Shop:
    """Five visitors, tags of every type, and the copy beside them."""

    def __init__(self, path):
        self.keys, self.house, self.hours = new_keys(), House(), 0
        self.path = path
        for column in ("orders bigint", "spent decimal(18, 4)", "share double", "last timestamp", "vip boolean",
                       "city varchar", "secret bigint"):  # fmt: skip
            self.house.warehouse.execute(f"alter table tags add column {column}")
        self.begin()

    def begin(self):
        """Nothing has happened yet, and there is no copy."""
        self.house.clear()
        self.hours = 0
        for path in self.path.parent.glob("facts.sqlite*"):
            path.unlink()
        for subject in PEOPLE:
            self.house.subject(subject, "user_id", self.keys.subject_key("user_id", f"u{subject}"))
        self.store = facts_copy.opened(self.house.warehouse, self.path)

    def refresh(self, *, full=False):
        self.hours += 1
        self.house.load()
        profiles.compute(self.house.warehouse, as_of=at(self.hours), units=[(10, "A"), (20, "B")])
        consent.compute(self.house.warehouse, as_of=at(self.hours))
        return facts_copy.compute(self.house.warehouse, self.store, at(self.hours), leave_out=["secret"], full=full)

    def tag(self, subject, orders):
        """A tag changes, as the stage of tags leaves it."""
        warehouse, profile = self.house.warehouse, self.house.profile_of(subject)
        values = [profile, orders, f"{orders}.25", orders / 4, at(orders), orders > 2, "青岛", 9, at(99)]
        warehouse.execute("delete from tags where profile_id = ?", [profile])
        warehouse.execute(
            "insert into tags (profile_id, orders, spent, share, last, vip, city, secret, next_edge_at) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)  # fmt: skip
        warehouse.execute(
            "insert into tag_changes select ?, 1 + greatest((select coalesce(max(change), 0) from tag_changes), "
            "(select coalesce(max(batch), 0) from progress where stage = 'segment.facts.tags'))",
            [profile],
        )

    def told(self, text, viewer=ROOT, scope=facts.EVERYTHING):
        """The answer of the warehouse, and that of the copy, each as JSON has it."""

        def asked(find):
            try:
                return plain(find())
            except NotFound:
                return None

        more = {"keys": self.keys, "leave_out": ["secret"], "scope": scope}
        slow = asked(lambda: facts.facts(self.house.warehouse, viewer, text, as_of=at(self.hours), **more))
        return slow, asked(lambda: facts.quick(self.store, viewer, text, **more))

    def close(self):
        """The end."""
        self.store.close()
        self.house.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    made = Shop(tmp_path_factory.mktemp("facts") / "facts.sqlite")
    yield made
    made.close()


@pytest.fixture
def shop(shared):
    shared.store.close()
    shared.begin()
    return shared


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.sampled_from(PEOPLE), st.sampled_from("AB")),
        st.tuples(st.just("trait"), st.sampled_from(PEOPLE), st.sampled_from(["Jinan", "Qingdao"])),
        st.tuples(st.just("tag"), st.sampled_from(PEOPLE), st.integers(0, 5)),
        st.tuples(st.just("link"), st.sampled_from([1, 2, 3, 4]), st.just(5)),
        st.tuples(st.just("yes"), st.sampled_from(PEOPLE), st.sampled_from(["marketing", "personalisation"])),
        st.tuples(st.just("no"), st.sampled_from(PEOPLE), st.sampled_from(["marketing", "personalisation"])),
        st.tuples(st.just("refresh"), st.just(0), st.just(0)),
    ),
    max_size=12,
)


def do(shop, what, who, value):
    """One thing happens."""
    if what == "order":
        shop.house.say(who, "Order Completed", hours=shop.hours, store_id=value, revenue=3)
    elif what == "trait":
        shop.house.tell(who, "city", value, hours=shop.hours)
    elif what == "tag":
        shop.tag(who, value)
    elif what == "link":
        shop.house.say(who, "Signed In", hours=shop.hours)
        shop.house.link(who, value, hours=shop.hours)
    elif what == "refresh":
        shop.refresh()
    else:
        word = "Consent Given" if what == "yes" else "Consent Withdrawn"
        shop.house.say(who, word, hours=shop.hours, purpose=value, channel="email")


@settings(max_examples=examples(5), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES)
def test_the_copy_says_what_the_warehouse_says(shop, moves):
    """After any orders, traits, tags, merges and consents, each id and identifier answers the same from both."""
    shop.store.close()
    shop.begin()
    for move in moves:
        do(shop, *move)
    shop.refresh()
    for subject in (*PEOPLE, 99):
        for text in (f"user_id:u{subject}", show_profile(subject)):
            slow, quick = shop.told(text)
            assert slow == quick


def test_what_a_token_may_not_read_and_whom_its_maker_may_not_see_is_left_out(shop):
    """A scope leaves what it names; a guide finds the people of their own store; nobody reads a sensitive tag."""
    shop.house.say(1, "Order Completed", hours=0, store_id="A", revenue=3)
    shop.house.say(2, "Order Completed", hours=0, store_id="B", revenue=3)
    shop.house.tell(1, "city", "Jinan", hours=0)
    shop.house.tell(1, "language", "en", hours=0)
    shop.tag(1, 3)
    shop.refresh()
    scope = Scope(traits=("language",), tags=("orders", "secret"), audiences=(), consents=False)
    slow, quick = shop.told("user_id:u1", GUIDE, scope)
    assert slow == quick
    assert (quick["traits"], quick["tags"]) == ({"language": "en"}, {"orders": 3})
    assert shop.told("user_id:u2", GUIDE) == (None, None)


def test_who_refused_personal_content_or_is_restricted_is_greeted_as_anybody(shop):
    """Of both only the language is told and what they allow, and the answer says so."""
    for subject in (1, 2):
        shop.house.tell(subject, "city", "Jinan", hours=0)
        shop.house.tell(subject, "language", "en", hours=0)
        shop.tag(subject, 3)
        shop.house.say(subject, "Consent Given", hours=0, purpose="marketing", channel="email")
    shop.house.say(1, "Consent Withdrawn", hours=0, purpose="personalisation", channel="all")
    shop.house.warehouse.execute("insert into restricted values (2, ?, false)", [at(0)])
    shop.refresh()
    for text, restricted in (("user_id:u1", False), ("user_id:u2", True)):
        slow, quick = shop.told(text)
        assert slow == quick
        assert (quick["personal"], quick["restricted"]) == (False, restricted)
        assert (quick["traits"], quick["tags"], quick["audiences"]) == ({"language": "en"}, {}, [])
        assert {"purpose": "marketing", "channel": "email", "granted": True} in quick["consents"]


def test_a_copy_that_is_missing_damaged_or_of_another_time_is_made_anew(shop):
    """Without one, with a torn one and with one from before a restore no answer comes from it until it is whole."""
    shop.house.tell(1, "city", "Jinan", hours=0)
    shop.refresh()
    assert shop.refresh() == 0  # nothing happened
    older = shop.path.read_bytes()
    shop.house.tell(1, "city", "Qingdao", hours=1)
    assert shop.refresh() == 1
    for broken in (None, b"torn", older):
        shop.store.close()
        for path in shop.path.parent.glob("facts.sqlite*"):
            path.unlink()
        if broken is not None:
            shop.path.write_bytes(broken)
        if broken is older:  # two writings have come since
            shop.house.warehouse.execute("update facts_copied set stamp = 'another'")
        shop.store = facts_copy.opened(shop.house.warehouse, shop.path)
        assert not shop.store.usable
        shop.refresh()
        assert shop.store.usable
        slow, quick = shop.told("user_id:u1")
        assert slow == quick
        assert quick["traits"] == {"city": "Qingdao"}


def test_a_copy_that_was_killed_before_the_warehouse_knew_is_followed_from_where_that_stood(shop):
    """The writing that the warehouse does not know yet is made again; answers go on coming meanwhile."""
    shop.house.tell(1, "city", "Jinan", hours=0)
    shop.refresh()
    shop.house.tell(1, "city", "Qingdao", hours=1)
    warehouse = shop.house.warehouse
    before = warehouse.rows("select * from facts_copied"), warehouse.rows("select * from progress")
    shop.refresh()
    warehouse.execute("update facts_copied set stamp = ?", [before[0][0]["stamp"]])
    for mark in before[1]:
        warehouse.execute("update progress set batch = ? where stage = ?", [mark["batch"], mark["stage"]])
    shop.store.close()
    shop.store = facts_copy.opened(warehouse, shop.path)
    assert shop.store.usable
    assert shop.refresh() == 1
    slow, quick = shop.told("user_id:u1")
    assert slow == quick


def test_an_erased_person_is_gone_from_the_copy_at_once(shop):
    """Forgetting takes the person out of the answers and of the file, before any refresh, and leaves others alone."""
    for subject in (1, 2):
        shop.house.tell(subject, "city", f"Jinan-{subject}", hours=0)
    shop.refresh()
    assert shop.store.forget([shop.keys.subject_key("user_id", "u1")], [1]) == 2
    assert shop.told("user_id:u1")[1] is None
    assert shop.told("user_id:u2")[1]["traits"] == {"city": "Jinan-2"}
    for path in shop.path.parent.glob("facts.sqlite*"):
        assert b"Jinan-1" not in path.read_bytes()
    with closing(sqlite3.connect(shop.path)) as connection:
        assert connection.execute("select count(*) from people where profile = 1").fetchone() == (0,)


def test_a_store_opened_twice_is_the_same(shop):
    """What was written is found by another opening of the file."""
    shop.house.tell(1, "city", "Jinan", hours=0)
    shop.refresh()
    with FactsStore(shop.path) as again:
        assert again.standing == shop.store.standing
