from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from spira.engage.delivery.gate import decide
from spira.testing.houses import House
from spira.testing.walks import SHOP, Outside, applied
from spira.unify import personal


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with House() as house, Outside(house, tmp_path, applied(SHOP)) as made:
        yield made


def gate(outside: Outside) -> None:
    templates = [each.name for each in outside.applied.definitions_of("template")]
    decide(
        outside.warehouse, outside.applied.of("channel"), templates, outside.as_of, zone="UTC", personal=["win_back"]
    )


def told(outside: Outside, profile: int, name: str, value: str) -> int:
    """A trait of somebody who can be written to."""
    outside.reachable(profile, f"p{profile}@example.com")
    row = [profile, name, value, outside.as_of]
    outside.warehouse.execute("insert into traits values (?, ?, ?, null, ?, 'spira', 0)", row)
    return profile


def says(outside: Outside, profile: int, purpose: str, granted: bool) -> None:
    """A word that is about no single channel."""
    row = [profile, purpose, granted, outside.as_of]
    outside.warehouse.execute("insert into permissions values (?, ?, 'all', ?, ?)", row)


def test_a_child_is_written_to_only_with_a_guardians_consent_and_gets_no_marketing(outside: Outside) -> None:
    """Of age 13, 13 with a guardian's consent, 17, and 18 today; an order's news always goes."""
    for profile, born in enumerate(("2012-03-02", "2012-03-02", "2009-01-01", "2008-03-01"), start=1):
        told(outside, profile, personal.BORN, born)
    says(outside, 2, personal.GUARDIAN, True)
    asked = [
        outside.ask(profile, purpose=purpose)
        for profile in (1, 2, 3, 4)
        for purpose in ("marketing", "service", "transactional")
    ]
    gate(outside)
    found = outside.states()
    assert [found[each][1] or found[each][0] for each in asked] == [
        *("minor", "minor", "queued"),
        *("minor", "queued", "queued"),
        *("minor", "queued", "queued"),
        *("queued", "queued", "queued"),
    ]


def test_a_cap_of_ones_own_counts_marketing_by_every_channel_in_seven_days(outside: Outside) -> None:
    """Two a week: the third is withheld, a service message is not counted, and after a week it may go."""
    told(outside, 1, personal.MOST_A_WEEK, "2")
    first = [outside.ask(1, template=each) for each in ("hello", "gift")]
    third, service = outside.ask(1, template="third"), outside.ask(1, purpose="service")
    outside.applied = applied(SHOP + "---\ntemplate: third\nchannel: email\nsubject: Third\nbody: gift.txt\n")
    gate(outside)
    found = outside.states()
    assert [found[each][0] for each in first] == ["queued", "queued"]
    assert (found[third], found[service][0]) == (("withheld", "own_cap"), "queued")
    outside.clock.step(timedelta(days=7))
    again = outside.ask(1, template="third")
    gate(outside)
    assert outside.states()[again][0] == "queued"


def test_quiet_hours_of_ones_own_hold_a_message_until_they_are_over(outside: Outside) -> None:
    """At noon, with quiet from 12 to 14, it waits until 14; what is urgent goes; a wish taken back is none."""
    told(outside, 1, personal.QUIET, "12:00-14:00")
    told(outside, 2, personal.QUIET, personal.ANY)
    held, urgent, free = outside.ask(1), outside.ask(1, purpose="transactional"), outside.ask(2)
    gate(outside)
    found = outside.states()
    assert (found[held], found[urgent][0], found[free][0]) == (("held", "quiet_hours"), "queued", "queued")
    due = outside.warehouse.value("select due_at from deliveries where delivery_id = ?", [held])
    assert due == outside.as_of + timedelta(hours=2)


def test_whoever_refused_personal_content_is_not_chosen_by_what_is_known_of_them(outside: Outside) -> None:
    """A journey that chooses people withholds, one that does not lets pass; a refusal later takes back what waits."""
    for profile in (1, 2):
        outside.reachable(profile, f"p{profile}@example.com")
    says(outside, 1, personal.PERSONALISATION, False)
    chosen, open_to_all, service = outside.ask(1), outside.ask(1, journey="letter", template="gift"), outside.ask(2)
    gate(outside)
    found = outside.states()
    assert (found[chosen], found[open_to_all][0]) == (("withheld", "personal_off"), "queued")
    assert found[service][0] == "queued"
    says(outside, 2, personal.PERSONALISATION, False)
    gate(outside)
    assert outside.states()[service] == ("withheld", "personal_off")


def test_quiet_hours_are_those_of_the_zone_a_person_lives_in(outside: Outside) -> None:
    """At noon UTC it is night in Tokyo and Shanghai by the channel's hours, and no afternoon rest of one's own."""
    outside.applied = applied(SHOP.replace("kind: email\n", 'kind: email\nquiet_hours: "20:00-08:00"\n', 1))
    lives = [("time_zone", "Asia/Tokyo"), ("country", "cn"), ("time_zone", "no/where"), ("country", "US")]
    for profile, (name, value) in enumerate(lives, start=1):
        told(outside, profile, name, value)
    told(outside, 5, "timezone", "Asia/Tokyo")
    told_own = [5, personal.QUIET, "12:00-14:00", outside.as_of]
    outside.warehouse.execute("insert into traits values (?, ?, ?, null, ?, 'spira', 0)", told_own)
    asked = [outside.ask(profile) for profile in range(1, 6)]
    gate(outside)
    found = outside.states()
    due = dict(outside.warehouse.query("select delivery_id, due_at from deliveries"))
    assert [found[each][0] for each in asked] == ["held", "held", "queued", "queued", "held"]
    assert [due[each] for each in asked[:2]] == [
        outside.as_of + timedelta(hours=11),
        outside.as_of + timedelta(hours=12),
    ]
    assert due[asked[4]] == outside.as_of + timedelta(hours=11)
