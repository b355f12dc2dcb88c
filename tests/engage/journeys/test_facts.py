"""A journey as staff read it: what it says, where its people are, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.engage.delivery.stage import run
from spira.engage.journeys.advance import advance
from spira.engage.journeys.facts import journey, journeys, model_of
from spira.engage.journeys.history import history
from spira.engage.journeys.marks import marks
from spira.engage.journeys.tree import every, tree
from spira.engage.journeys.walkers import WalkFilter, walks
from spira.kernel.viewer import SYSTEM, Viewer
from spira.sandbox.inbox import Inbox
from spira.segment.catalog import catalog_of
from spira.testing.houses import NOON, House, at
from spira.testing.walks import SETTINGS, SHOP, Outside, applied, member, person

LONG = """
journey: win_back
label: Win back
enter: {audience: lapsed, again: after 90 days}
goal: {did: Order Completed, within: 14 days}
exit: did('Product Added', within => '1 day')
holdout: 20%
steps:
  - send: {channel: email, template: hello}
  - wait: 1 day
  - branch:
      - when: did('Order Completed', within => '10 days')
        steps: [exit]
      - else:
          - until: {event: Order Completed, timeout: 2 days}
          - send: {channel: email, template: gift}
  - wait: 1 day
"""
BROADCAST = """
journey: news
label: News
enter: {audience: lapsed}
steps: [{send: {channel: email, template: hello}}]
"""
OFFICER = Viewer(staff_id="s", name="S", roles=frozenset({"operator"}), units=None, language="en")


@settings(max_examples=examples(12))
@given(days=st.lists(st.integers(0, 5), max_size=6), orders=st.lists(st.tuples(st.integers(1, 8), st.integers(0, 5))))
def test_every_walk_is_at_exactly_one_step_or_has_ended(days, orders):
    """Whatever people do and whenever one looks, the numbers of the tree add up to those who entered."""
    world = applied(SHOP, LONG)
    catalog = catalog_of(world, SETTINGS)
    with House() as house:
        for profile in range(1, 9):
            person(house, profile, at(-1))
            member(house, profile, "lapsed", at(-1))
        for hour in sorted({day * 24 for day in days} | {0}):
            for profile, day in orders:
                if day * 24 == hour:
                    house.say(profile, "Order Completed" if profile % 2 else "Product Added", hours=hour)
            house.load()
            advance(house.warehouse, world, catalog, at(hour + 1))
            model = model_of(house.warehouse, world, "win_back", 1)
            laid = tree(house.warehouse, SYSTEM, model, 1)
            assert laid.entered == 8
            assert sum(step.here for step in every(laid.steps)) + laid.ended == 8
            for step in every(laid.steps):
                assert step.reached == step.here + step.passed + step.left
                assert min(step.here, step.passed, step.left) >= 0
                for way in step.ways:
                    assert way.people is not None
                if step.ways:
                    assert sum(way.people for way in step.ways) == step.passed
            facts = journey(house.warehouse, world, SYSTEM, "win_back", as_of=at(hour + 1))
            assert facts.walks.active == 8 - laid.ended


def test_who_waits_is_told_at_the_wait_with_when_they_go_on():
    """In the tables one stands at what comes next; in the tree at the wait, with the instant it ends."""
    world = applied(SHOP, LONG)
    with House() as house:
        person(house, 1, at(-1))
        member(house, 1, "lapsed", at(-1))
        advance(house.warehouse, world, catalog_of(world, SETTINGS), NOON)
        laid = tree(house.warehouse, SYSTEM, model_of(house.warehouse, world, "win_back", 1), 1)
        send, wait, branch, last = laid.steps
        assert (send.here, send.passed) == (0, 1)
        assert (wait.here, wait.next_due) == (1, at(24))
        assert (branch.reached, last.reached) == (0, 0)


def test_a_tree_tells_what_became_of_its_messages(tmp_path: Path) -> None:
    """Sent and withheld, each with its reason, add up to those who passed the step."""
    with House() as house, Outside(house, tmp_path, applied(SHOP, LONG)) as outside, Inbox(keys=outside.keys) as inbox:
        world = applied(SHOP.replace("port: 2525", f"port: {inbox.port}"), LONG)
        outside.applied = world
        for profile in range(1, 13):
            outside.reachable(profile, f"p{profile}@example.com", consents=profile % 3 > 0)
            member(house, profile, "lapsed", at(-1))
        advance(house.warehouse, world, catalog_of(world, SETTINGS), NOON)
        run(outside)
        sends = tree(house.warehouse, SYSTEM, model_of(house.warehouse, world, "win_back", 1), 1).steps[0].sends
        assert sends is not None
        assert sends.sent == len(inbox.messages)
        assert sends.withheld["no_consent"] == 4
        assert sends.sent + sum(sends.withheld.values()) == sends.asked == 12
        page = walks(house.warehouse, outside.vault, OFFICER, world.get("journey", "win_back").model,
                     asked=WalkFilter(step="1", limit=5))  # fmt: skip
        assert len(page.walks) == 5
        more = WalkFilter(step="1", limit=50, before=int(page.next or 0))
        rest = walks(house.warehouse, outside.vault, OFFICER, world.get("journey", "win_back").model, asked=more)
        assert {each.enrolment_id for each in page.walks}.isdisjoint(each.enrolment_id for each in rest.walks)
        assert len(rest.walks) == 7
        assert all(each.step == "1" and "@" not in each.name for each in rest.walks)


def test_nobody_of_another_unit_is_counted():
    """A viewer with units sees the walks of those units' people; nobody belongs to none of them."""
    world = applied(SHOP, LONG)
    with House() as house:
        person(house, 1, at(-1))
        member(house, 1, "lapsed", at(-1))
        advance(house.warehouse, world, catalog_of(world, SETTINGS), NOON)
        stranger = Viewer(staff_id="s", name="S", roles=frozenset({"operator"}), units=frozenset({7}), language="en")
        assert journey(house.warehouse, world, stranger, "win_back", as_of=NOON).walks.entered == 0
        assert tree(house.warehouse, stranger, model_of(house.warehouse, world, "win_back", 1), 1).entered == 0


def test_a_journey_that_nobody_entered_is_there_and_one_send_is_a_broadcast():
    """The list holds every applied journey; a journey whose only step is a send is a broadcast."""
    world = applied(SHOP, LONG, BROADCAST)
    with House() as house:
        told = journeys(house.warehouse, world, SYSTEM, as_of=NOON)
    assert [(each.journey, each.is_broadcast, each.walks.entered) for each in told] == [
        ("win_back", False, 0),
        ("news", True, 0),
    ]


def test_versions_say_what_changed_and_who_walks_them():
    """Who began on the first version is there; the second says that its steps differ."""
    first, second = (
        applied(SHOP, LONG),
        applied(SHOP, LONG.replace("wait: 1 day\n  - branch", "wait: 5 days\n  - branch")),
    )
    with House() as house:
        person(house, 1, at(-1))
        member(house, 1, "lapsed", at(-1))
        advance(house.warehouse, first, catalog_of(first, SETTINGS), NOON)
        advance(house.warehouse, second, catalog_of(second, SETTINGS), at(1))
        told = history(house.warehouse, SYSTEM, "win_back")
        facts = journey(house.warehouse, second, SYSTEM, "win_back", as_of=at(1))
    assert [(each.version, each.active, each.changed) for each in told.versions] == [(2, 0, ("steps",)), (1, 1, ())]
    assert [(each.version, each.active, each.newest) for each in facts.versions] == [(2, 0, True), (1, 1, False)]


def test_what_is_wrong_with_a_step_is_marked_at_it():
    """A condition that is no longer understood, a channel that is gone, and a language that a template lacks."""
    world = applied(SHOP, LONG)
    model = world.get("journey", "win_back").model
    with House() as house:
        laid = tree(house.warehouse, SYSTEM, model, 1)
    later = applied(SHOP.replace("Product Added: {properties: {store_id: text}}", "Other: {properties: {x: text}}"))
    later = type(later)(generation=2, definitions=tuple(each for each in later.definitions if each.kind != "channel"))
    told = {(each.position, each.name) for each in marks(model, laid, later, catalog_of(later, SETTINGS))}
    assert ("", "not_understood") in told
    assert ("0", "no_channel") in told
    lacking = applied(SHOP.replace('{zh-CN: "{{ name }}，你好", en: "Hello {{ name }}"}', '{en: "Hello"}'))
    told = {(each.name, each.about) for each in marks(model, laid, lacking, catalog_of(lacking, SETTINGS))}
    assert ("missing_language", "zh-CN") in told
