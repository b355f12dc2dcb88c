from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.engage.journeys.advance import Advanced
from spira.engage.journeys.advance import tick as ticked
from spira.kernel.ids import stable_share
from spira.segment.catalog import catalog_of
from spira.testing.houses import NOON, House, at
from spira.testing.walks import SETTINGS, SHOP, applied, member, person

WIN_BACK = """
journey: win_back
label: Win back
enter: {audience: lapsed, again: after 90 days}
goal: {did: Order Completed, within: 14 days}
holdout: 0%
steps:
  - send: {channel: email, template: hello}
  - wait: 3 days
  - branch:
      - when: did('Order Completed', within => '3 days')
        steps: [exit]
      - else: [{send: {channel: email, template: gift}}]
"""
DAY = 24.0


@pytest.fixture
def house() -> Iterator[House]:
    with House() as made:
        yield made


def tick(house: House, world: object, hours: float = 0) -> Advanced:
    catalog = catalog_of(world, SETTINGS)
    return ticked(house.warehouse, world, catalog, at(hours))


def where(house: House) -> dict[int, tuple[str, str]]:
    return {
        profile: (state, step)
        for profile, state, step in house.warehouse.query("select profile_id, state, step from enrolments")
    }


def sent(house: House) -> list[tuple[int, str]]:
    return house.warehouse.query("select profile_id, template from outbox order by created_at, profile_id")


def test_members_are_written_to_wait_and_go_their_ways(house: House) -> None:
    """
    Two lapsed people get the first message; after three days the buyer leaves and the other gets the second.
    """
    world = applied(SHOP, WIN_BACK)
    for profile in (1, 2):
        person(house, profile, at(-1))
        member(house, profile, "lapsed", at(-1))

    assert tick(house, world).entered == 2
    assert sent(house) == [(1, "hello"), (2, "hello")]
    house.say(1, "Order Completed", hours=DAY)
    house.load()
    assert tick(house, world, DAY).messages == 0
    tick(house, world, 3 * DAY)

    assert sent(house) == [(1, "hello"), (2, "hello"), (2, "gift")]
    assert where(house) == {1: ("left", "2.when0.0"), 2: ("finished", "2.else.0")}
    assert house.warehouse.query("select profile_id, goal_at from enrolments where goal_at is not null") == [
        (1, at(DAY))
    ]


def test_a_second_tick_at_the_same_instant_changes_nothing(house: House) -> None:
    """
    What a tick did is not done again, by a rerun or by a person who stays in the audience.
    """
    world = applied(SHOP, WIN_BACK)
    person(house, 1, at(-1))
    member(house, 1, "lapsed", at(-1))
    tick(house, world)
    assert tick(house, world) == Advanced()
    assert tick(house, world, 1) == Advanced()


def test_a_person_enters_again_only_after_the_time_stated(house: House) -> None:
    """
    Falling back into the audience within 90 days of entering enrols nobody; after that it does, under a new key.
    """
    world = applied(SHOP, WIN_BACK)
    person(house, 1, at(-1))
    member(house, 1, "lapsed", at(-1))
    tick(house, world)
    tick(house, world, 3 * DAY)
    for days, entered in ((40, 0), (91, 1)):
        house.warehouse.execute("delete from members")
        member(house, 1, "lapsed", at(days * DAY))
        assert tick(house, world, days * DAY).entered == entered
    assert house.warehouse.query("select key from enrolments order by entered_at") == [("1",), ("2",)]


def test_those_in_the_audience_may_be_left_out_at_first(house: House) -> None:
    """
    With `existing: false` only people who enter the audience after the journey began are enrolled.
    """
    world = applied(SHOP, WIN_BACK.replace("audience: lapsed,", "audience: lapsed, existing: false,"))
    person(house, 1, at(-1))
    person(house, 2, at(-1))
    member(house, 1, "lapsed", at(-1))
    tick(house, world)
    member(house, 2, "lapsed", at(1))
    tick(house, world, 1)
    assert set(where(house)) == {2}


def test_an_event_enrols_once_for_each_value_of_its_key(house: House) -> None:
    """
    Two orders of one shop are one enrolment, an order of another shop a second; history starts nothing.
    """
    journey = """
    journey: thanks
    label: Thanks
    enter: {event: Order Completed, key: store_id}
    holdout: 0%
    purpose: service
    steps: [{send: {channel: email, template: hello}}]
    """
    world = applied(SHOP, journey)
    person(house, 1, at(-1))
    house.say(1, "Order Completed", hours=-1, store_id="before the journey was there")
    house.load()
    tick(house, world)
    for store, hours in (("a", 1), ("a", 1.5), ("b", 1), ("old", -50)):
        house.say(1, "Order Completed", hours=hours, store_id=store)
    house.load()
    tick(house, world, 2)
    assert house.warehouse.query("select key from enrolments order by key") == [("a",), ("b",)]


def test_a_schedule_enrols_the_audience_each_time(house: House) -> None:
    """
    A broadcast at ten on every day reaches the members of that moment, once a day.
    """
    journey = """
    journey: daily
    label: Daily
    enter: {audience: lapsed, schedule: "0 10 * * *"}
    holdout: 0
    steps: [{send: {channel: email, template: hello}}]
    """
    world = applied(SHOP, journey)
    person(house, 1, at(-1))
    member(house, 1, "lapsed", at(-1))
    counts = [tick(house, world, hours).messages for hours in (0, 1, 22, 23, 46)]
    assert counts == [0, 0, 1, 0, 1]


def test_the_exit_rule_ends_a_walk_before_its_next_message(house: House) -> None:
    """
    Whoever meets the exit condition leaves at the next tick, wherever they are.
    """
    world = applied(SHOP, WIN_BACK + "exit: did('Product Added', within => '1 day')\n")
    person(house, 1, at(-1))
    member(house, 1, "lapsed", at(-1))
    tick(house, world)
    house.say(1, "Product Added", hours=70)
    house.load()
    assert tick(house, world, 3 * DAY).left == 1
    assert sent(house) == [(1, "hello")]
    assert house.warehouse.query("select state, reason from enrolments") == [("left", "exit_rule")]


def test_waiting_for_an_event_ends_with_it_or_with_the_timeout(house: House) -> None:
    """
    The one who adds a product goes on at once, the other when the time is up.
    """
    journey = """
    journey: cart
    label: Cart
    enter: {audience: lapsed}
    holdout: 0%
    steps:
      - until: {event: Product Added, timeout: 2 days}
      - send: {channel: email, template: hello}
    """
    world = applied(SHOP, journey)
    for profile in (1, 2):
        person(house, profile, at(-1))
        member(house, profile, "lapsed", at(-1))
    tick(house, world)
    house.say(1, "Product Added", hours=1)
    house.load()
    tick(house, world, 2)
    assert sent(house) == [(1, "hello")]
    tick(house, world, 48)
    assert sent(house) == [(1, "hello"), (2, "hello")]


def test_a_wait_for_an_hour_ends_at_that_hour_of_the_workspace(house: House) -> None:
    """
    From noon, ten o'clock is tomorrow's.
    """
    journey = """
    journey: morning
    label: Morning
    enter: {audience: lapsed}
    holdout: 0%
    steps: [{until: "10:00"}, {send: {channel: email, template: hello}}]
    """
    world = applied(SHOP, journey)
    person(house, 1, at(-1))
    member(house, 1, "lapsed", at(-1))
    assert [tick(house, world, hours).messages for hours in (0, 21.9, 22)] == [0, 0, 1]


def test_the_held_out_walk_without_being_written_to(house: House) -> None:
    """
    Who is held out is a hash of journey and person; their outbox rows say so.
    """
    world = applied(SHOP, WIN_BACK.replace("holdout: 0%", "holdout: 50%"))
    for profile in range(1, 41):
        person(house, profile, at(-1))
        member(house, profile, "lapsed", at(-1))
    tick(house, world)
    expected = {profile: stable_share("win_back", profile) < 0.5 for profile in range(1, 41)}
    assert dict(house.warehouse.query("select profile_id, held_out from outbox")) == expected
    assert 0 < sum(expected.values()) < 40


def test_people_finish_on_the_version_they_began(house: House) -> None:
    """
    After a change of the second message those inside still get the old one, those who enter the new one.
    """
    before = applied(SHOP, WIN_BACK)
    after = applied(SHOP, WIN_BACK.replace("template: gift", "template: hello"), generation=2)
    person(house, 1, at(-1))
    person(house, 2, at(-1))
    member(house, 1, "lapsed", at(-1))
    tick(house, before)
    member(house, 2, "lapsed", at(1))
    tick(house, after, 1)
    tick(house, after, 4 * DAY)
    assert sent(house) == [(1, "hello"), (2, "hello"), (1, "gift"), (2, "hello")]
    assert house.warehouse.query("select profile_id, version from enrolments order by 1") == [(1, 1), (2, 2)]


def test_a_new_label_makes_no_new_version(house: House) -> None:
    """
    Only what a journey does counts.
    """
    tick(house, applied(SHOP, WIN_BACK))
    tick(house, applied(SHOP, WIN_BACK.replace("label: Win back", "label: {en: Come back, zh-CN: 回来}")), 1)
    assert house.warehouse.value("select count(*) from journey_versions") == 1


def test_a_journey_taken_away_lets_its_people_go(house: House) -> None:
    """
    Whoever removes a journey wants it to stop.
    """
    person(house, 1, at(-1))
    member(house, 1, "lapsed", at(-1))
    tick(house, applied(SHOP, WIN_BACK))
    assert tick(house, applied(SHOP), 1).left == 1
    assert house.warehouse.query("select state, reason, due_at from enrolments") == [("left", "retired", None)]


def test_of_two_walks_of_one_person_the_earlier_goes_on(house: House) -> None:
    """
    When two profiles turn out to be one, their rows go along and nobody walks a journey twice at once.
    """
    world = applied(SHOP, WIN_BACK)
    for profile in (1, 2):
        person(house, profile, at(-1))
    member(house, 2, "lapsed", at(-1))
    tick(house, world)
    member(house, 1, "lapsed", at(1))
    tick(house, world, 2)
    house.warehouse.execute("insert into moved values (2, 1, 1)")
    house.warehouse.execute("insert into overlay values (2, 1)")
    tick(house, world, 3)
    walks = house.warehouse.query("select profile_id, entered_at, state, reason from enrolments order by entered_at")
    assert walks == [(1, at(0), "active", None), (1, at(2), "left", "merged")]


steps = st.recursive(
    st.sampled_from(["{wait: 2 hours}", "exit", "{send: {channel: email, template: hello}}", "{until: '10:00'}"]),
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(
        lambda chosen: (
            "{branch: [{when: \"did('Order Completed', within => '5 hours')\", steps: ["
            + ", ".join(chosen)
            + "]}, {else: ["
            + ", ".join(reversed(chosen))
            + "]}]}"
        )
    ),
    max_leaves=6,
)


@settings(max_examples=examples(12), deadline=None)
@given(
    st.lists(steps, min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["order", "enter", "tick"])), max_size=12),
)
def test_nobody_is_in_two_steps_and_no_step_is_left_out(written: list[str], happenings: list[tuple[int, str]]) -> None:
    """
    Through any journey and any order of events: one position an enrolment, each visit once, and what was
    visited is a way through the steps that ends where the enrolment stands.
    """
    journey = "journey: any\nlabel: Any\nenter: {audience: lapsed, again: always}\nholdout: 0%\nsteps:\n"
    world = applied(SHOP, journey + "".join(f"  - {each}\n" for each in written))
    with House() as house:
        for profile in range(1, 5):
            person(house, profile, at(-1))
        for hour, (profile, what) in enumerate(happenings):
            if what == "order":
                house.say(profile, "Order Completed", hours=hour)
                house.load()
            elif what == "enter":
                house.warehouse.execute("delete from members where profile_id = ?", [profile])
                member(house, profile, "lapsed", at(hour))
            tick(house, world, hour)
        tick(house, world, 400)
        tick(house, world, 800)
        query = house.warehouse.query
        assert query("select enrolment_id from enrolments group by 1 having count(*) > 1") == []
        assert query("select enrolment_id, step from enrolment_steps group by all having count(*) > 1") == []
        assert query("select outbox_id from outbox group by 1 having count(*) > 1") == []
        assert query("select profile_id from enrolments where state = 'active' group by 1 having count(*) > 1") == []
        unwritten = """
            select count(*) from enrolment_steps s anti join outbox o
            on o.enrolment_id = s.enrolment_id and o.step = s.step
            where s.step in (select step from outbox)
        """
        assert query(unwritten) == [(0,)]
        last = """
            select count(*) from enrolments e where e.state <> 'active' and not exists (
              select 1 from enrolment_steps s where s.enrolment_id = e.enrolment_id and s.step = e.step)
        """
        assert query(last) == [(0,)]


def test_a_tick_that_dies_leaves_nothing_half_done(house: House) -> None:
    """
    Whatever statement fails, the next tick ends in the same state as one that was never disturbed.
    """
    world = applied(SHOP, WIN_BACK)
    for profile in (1, 2, 3):
        person(house, profile, at(-1))
        member(house, profile, "lapsed", at(-1))
    catalog = catalog_of(world, SETTINGS)
    whole = house.warehouse.execute
    for fatal in range(2, 80, 3):
        count = 0

        def fails(sql: str, params: object = None, *, fatal: int = fatal) -> int:
            nonlocal count
            count += 1
            if count == fatal and not sql.strip().startswith(("rollback", "begin", "commit")):
                raise RuntimeError("killed")
            return whole(sql, params)

        house.warehouse.execute = fails  # type: ignore[method-assign]
        try:
            ticked(house.warehouse, world, catalog, NOON)
            break
        except RuntimeError:
            house.warehouse.execute = whole  # type: ignore[method-assign]
            assert house.warehouse.value("select count(*) from enrolments") == 0
        finally:
            house.warehouse.execute = whole  # type: ignore[method-assign]
    assert fatal > 20
    tick(house, world)
    assert sent(house) == [(1, "hello"), (2, "hello"), (3, "hello")]
    assert timedelta(days=3) == house.warehouse.value("select max(due_at) from enrolments") - NOON
