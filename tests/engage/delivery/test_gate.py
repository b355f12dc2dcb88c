from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spira.engage.delivery.gate import Decided, decide
from spira.testing.houses import House, at
from spira.testing.walks import SHOP, Outside, applied

CAPPED = SHOP.replace("port: 2525\n", 'port: 2525\nquiet_hours: "22:00-08:00"\ncaps: {marketing: 2 per 7 days}\n')


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with House() as house, Outside(house, tmp_path, applied(CAPPED)) as made:
        yield made


def gate(outside: Outside) -> Decided:
    templates = [each.name for each in outside.applied.definitions_of("template")]
    return decide(outside.warehouse, outside.applied.of("channel"), templates, outside.as_of, zone="UTC")


def test_every_message_withheld_has_its_reason(outside: Outside) -> None:
    """
    Each of these is stopped for one reason, and the one that may go goes.
    """
    good = outside.ask(outside.reachable(1, "one@example.com"))
    refused = outside.ask(outside.reachable(2, "two@example.com", consents=False))
    silent = outside.ask(outside.reachable(3, "three@example.com", consents=None))
    struck = outside.ask(outside.reachable(4, "four@example.com"))
    outside.warehouse.execute(
        "insert into suppressions select subject_key, 'email', 'hard_bounce', ? from identifiers"
        " where subject_id = 1004",
        [outside.as_of],
    )
    nowhere = outside.ask(99)
    held_out = outside.ask(outside.reachable(5, "five@example.com"), held_out=True)
    lost = outside.ask(outside.reachable(6, "six@example.com"), template="gone")
    other = outside.ask(outside.reachable(7, "seven@example.com"), channel="sms")
    restricted = outside.ask(outside.reachable(8, "eight@example.com"))
    outside.warehouse.execute("insert into restricted values (8, ?, false)", [outside.as_of])

    assert gate(outside) == Decided(queued=1, withheld=8)
    assert outside.states() == {
        good: ("queued", None),
        refused: ("withheld", "no_consent"),
        silent: ("withheld", "no_consent"),
        struck: ("withheld", "suppressed"),
        nowhere: ("withheld", "unreachable"),
        held_out: ("withheld", "holdout"),
        lost: ("withheld", "no_template"),
        other: ("withheld", "no_channel"),
        restricted: ("withheld", "restricted"),
    }
    assert gate(outside) == Decided()


def test_purposes_other_than_marketing_need_no_word_but_heed_a_refusal(outside: Outside) -> None:
    """
    A service message goes to whoever said nothing, not to whoever refused; a transactional one goes anyway.
    """
    outside.reachable(1, "one@example.com", consents=None)
    outside.reachable(2, "two@example.com", consents=None)
    outside.allow(2, False, purpose="service")
    asked = [outside.ask(profile, purpose=purpose) for profile in (1, 2) for purpose in ("service", "transactional")]
    gate(outside)
    assert [outside.states()[each][0] for each in asked] == ["queued", "queued", "withheld", "queued"]


def test_the_same_message_goes_to_an_address_once_a_day(outside: Outside) -> None:
    """
    A second one is a duplicate, in the same run or a later one; after a day it is not.
    """
    outside.reachable(1, "one@example.com")
    first, second = outside.ask(1), outside.ask(1)
    gate(outside)
    outside.clock.step(timedelta(hours=3))
    third = outside.ask(1)
    gate(outside)
    outside.clock.step(timedelta(hours=24))
    fourth = outside.ask(1)
    gate(outside)
    found = outside.states()
    assert [found[each][1] for each in (first, second, third, fourth)] == [None, "duplicate", "duplicate", None]


def test_caps_count_what_is_decided_in_the_same_run(outside: Outside) -> None:
    """
    Of three different marketing messages at once two go; a week later there is room again.
    """
    world = CAPPED + "---\ntemplate: third\nchannel: email\nsubject: Three\nbody: gift.txt\n"
    outside.applied = applied(world)
    outside.reachable(1, "one@example.com")
    asked = [outside.ask(1, template=template) for template in ("hello", "gift", "third")]
    gate(outside)
    assert [outside.states()[each][1] for each in asked] == [None, None, "frequency_cap"]
    outside.clock.step(timedelta(days=6))
    late = outside.ask(1, template="third")
    outside.clock.step(timedelta(days=1))
    later = outside.ask(1, template="gift")
    gate(outside)
    assert outside.states()[later][1] is None
    assert late in outside.states()


def test_a_cap_of_the_household_counts_all_its_people_together(outside: Outside) -> None:
    """
    Of three people of one household two get the message, and whoever lives elsewhere does; next week again.
    """
    world = CAPPED.replace("caps: {marketing: 2", "household_caps: {marketing: 2")
    outside.applied = applied(world)
    asked = [outside.ask(outside.reachable(who, f"p{who}@example.com")) for who in (1, 2, 3, 4)]
    for who, home, holds in ((1, "h_a", True), (2, "h_a", True), (3, "h_a", True), (4, "h_b", False)):
        row = (who, home, "address", None, outside.as_of, 3, holds)
        outside.warehouse.execute("insert into households values (?, ?, ?, ?, ?, ?, ?)", list(row))
    gate(outside)
    assert [outside.states()[each][1] for each in asked] == [None, None, "household_cap", None]
    again = outside.ask(3, template="gift")
    gate(outside)
    assert outside.states()[again][1] == "household_cap"
    outside.clock.step(timedelta(days=7))
    later = outside.ask(3)
    gate(outside)
    assert outside.states()[later][1] is None


def test_quiet_hours_hold_a_message_until_morning(outside: Outside) -> None:
    """
    At eleven at night it is held with the hour it may go; then it goes, unless the person said no meanwhile.
    """
    outside.clock.step(timedelta(hours=11))
    kept, lost = (
        outside.ask(outside.reachable(1, "one@example.com")),
        outside.ask(outside.reachable(2, "two@example.com")),
    )
    assert gate(outside) == Decided(held=2)
    assert outside.warehouse.query("select distinct due_at from deliveries") == [(at(20),)]
    outside.clock.step(timedelta(hours=8))
    assert gate(outside) == Decided()
    outside.allow(2, False)
    outside.clock.step(timedelta(hours=1))
    gate(outside)
    assert outside.states() == {kept: ("queued", None), lost: ("withheld", "no_consent")}


def test_a_no_between_two_tries_is_heard(outside: Outside) -> None:
    """
    What waits to be tried again is withheld when its person withdraws, and when it grows stale.
    """
    outside.ask(outside.reachable(1, "one@example.com"))
    outside.ask(outside.reachable(2, "two@example.com"))
    gate(outside)
    outside.allow(1, False)
    assert gate(outside).withheld == 1
    outside.clock.step(timedelta(days=4))
    gate(outside)
    assert outside.states() == {1: ("withheld", "no_consent"), 2: ("withheld", "stale")}


def test_caps_follow_a_person_to_the_merged_profile(outside: Outside) -> None:
    """
    Two profiles that were each written to twice have no more room as one.
    """
    for profile in (1, 2):
        outside.reachable(profile, f"p{profile}@example.com")
        outside.ask(profile, template="hello")
        outside.ask(profile, template="gift")
    gate(outside)
    outside.warehouse.execute("insert into moved values (2, 1, 1)")
    outside.warehouse.execute("insert into overlay values (2, 1)")
    outside.warehouse.execute("update moved set profile_id = 1 where subject_id = 1002")
    gate(outside)
    assert outside.warehouse.query("select profile_id, sent from cap_counters") == [(1, 4)]
    assert outside.warehouse.query("select distinct profile_id from deliveries") == [(1,)]


happenings = st.lists(
    st.one_of(
        st.tuples(st.just("allow"), st.integers(1, 3), st.booleans()),
        st.tuples(st.just("suppress"), st.integers(1, 3), st.booleans()),
        st.tuples(st.just("ask"), st.integers(1, 4), st.booleans()),
        st.tuples(st.just("hours"), st.integers(1, 14), st.booleans()),
        st.tuples(st.just("merge"), st.integers(2, 3), st.booleans()),
        st.tuples(st.just("gate"), st.integers(0, 0), st.booleans()),
    ),
    max_size=25,
)


@settings(max_examples=20, deadline=None)
@given(happenings)
def test_nothing_is_let_through_without_permission(told: list[tuple[str, int, bool]]) -> None:
    """
    After any sequence of consents, suppressions, merges and messages, whoever has a message queued once the
    gate has run allows it at that moment, and is not suppressed.
    """
    with (
        TemporaryDirectory() as directory,
        House() as house,
        Outside(house, Path(directory), applied(CAPPED)) as outside,
    ):
        for profile in (1, 2, 3):
            outside.reachable(profile, f"p{profile}@example.com", consents=None)
        query = house.warehouse.query
        for what, number, flag in [*told, ("gate", 0, True)]:
            if what == "allow":
                outside.allow(number, flag)
            elif what == "suppress":
                house.warehouse.execute(
                    "insert into suppressions select subject_key, 'email', 'complaint', ? from identifiers"
                    " where subject_id = ?",
                    [outside.as_of, 1000 + number],
                )
            elif what == "ask":
                outside.ask(number, template="hello" if flag else "gift")
            elif what == "hours":
                outside.clock.step(timedelta(hours=number))
            elif what == "merge" and not query("select 1 from moved where subject_id = ?", [number]):
                house.warehouse.execute("insert into moved values (?, 1, 1)", [number])
                house.warehouse.execute("insert into overlay values (?, 1)", [number])
                house.warehouse.execute("update moved set profile_id = 1 where subject_id = ?", [1000 + number])
            elif what == "gate":
                gate(outside)
                unwelcome = """
                    select count(*) from deliveries d where state = 'queued' and (
                      not exists (select 1 from permissions p where p.profile_id = d.profile_id and p.granted
                                  and p.purpose = d.purpose and p.channel = 'email')
                      or d.address_key in (select address_key from suppressions))
                """
                assert query(unwelcome) == [(0,)]
                assert query("select count(*) from outbox anti join deliveries on delivery_id = outbox_id") == [(0,)]
                assert query("select delivery_id from deliveries group by 1 having count(*) > 1") == []
        keyed = "select 1 from cap_counters group by profile_id, channel, purpose, day having count(*) > 1"
        assert query(keyed) == []
