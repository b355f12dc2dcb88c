"""Carriers: messages that are carried abroad ask for a consent to that, and whose data a carrier gets is counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spira.definitions.apply import Applied
from spira.definitions.check import check
from spira.engage.delivery import carriers, gate, stage
from spira.kernel.settings import RightsSettings
from spira.testing.houses import House
from spira.testing.walks import SETTINGS, SHOP, Outside, workspace
from spira.unify import personal, recipients

RIGHTS = RightsSettings(processors=["Post; letters; CN", "Mailer; mail; US"])
ABROAD = SETTINGS.model_copy(update={"rights": RIGHTS})
CARRIED = SHOP.replace("port: 2525", "port: 2525\nrecipient: Mailer")


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    world = workspace(CARRIED, settings=ABROAD)
    assert not check(world)
    made = Applied(generation=1, definitions=world.definitions)
    with House() as house, Outside(house, tmp_path, made, settings=ABROAD) as found:
        yield found


def says(outside: Outside, profile: int, granted: bool) -> None:
    """A word on data that goes abroad."""
    row = [profile, personal.ABROAD, granted, outside.as_of]
    outside.warehouse.execute("insert into permissions values (?, ?, 'all', ?, ?)", row)


def test_marketing_that_is_carried_abroad_needs_a_consent_to_that_and_service_stops_at_a_refusal(
    outside: Outside,
) -> None:
    """Of one who agreed, one who refused and one who is silent; what a contract needs goes; a refusal takes back."""
    for profile, word in ((1, True), (2, False), (3, None)):
        outside.reachable(profile, f"p{profile}@example.com")
        if word is not None:
            says(outside, profile, word)
    asked = [
        outside.ask(profile, purpose=purpose)
        for profile in (1, 2, 3)
        for purpose in ("marketing", "service", "transactional")
    ]
    outside.runner = None  # nothing is sent
    with pytest.raises(AttributeError):
        stage.run(outside)
    found = outside.states()
    assert [found[each][1] for each in asked] == [
        *(None, None, None),
        *("abroad", "abroad", None),
        *("abroad", None, None),
    ]


def test_whose_data_a_carrier_gets_is_counted_once_and_owes_no_duty(outside: Outside) -> None:
    """Two messages are one person of the year; a list's mark stays; an erasure makes no duty of messages alone."""
    (channel,) = outside.applied.of("channel")
    for profile in (1, 2):
        outside.reachable(profile, f"p{profile}@example.com")
    told = {"at": outside.as_of, "zone": "UTC"}
    for people in ([1], [1, 2], []):
        carriers.note(outside.state, outside.warehouse, channel, RIGHTS, people, **told)
    (given,) = recipients.given(outside.state)
    assert (given.recipient, given.country, given.people, given.sensitive) == ("Mailer", "US", 2, 0)
    keys = [key for (key,) in outside.warehouse.query("select subject_key from identifiers where subject_id = 1")]
    assert recipients.owe(outside.state, outside.warehouse, outside.clock, keys, what="correction") == []
    to = recipients.get(RIGHTS, "Mailer")
    with outside.state.write() as connection:
        recipients.note(connection, to, keys, year=outside.as_of.year, export_id="exp_1", sensitive=False)
    carriers.note(outside.state, outside.warehouse, channel, RIGHTS, [1], **told)
    (duty,) = recipients.owe(outside.state, outside.warehouse, outside.clock, keys, what="correction")
    assert duty.export_id == "exp_1"


def test_messages_stop_when_as_many_people_as_may_were_written_to_from_abroad_in_a_year(outside: Outside) -> None:
    """Whoever is counted is written to still, others as far as there is room; what waits keeps its place or goes."""
    channels = outside.applied.of("channel")
    at = outside.as_of

    def decide(most: int) -> list[tuple[str, str | None]]:
        beyond = carriers.year_of(outside.state, RIGHTS.model_copy(update={"abroad_people": most}), at=at, zone="UTC")
        gate.decide(outside.warehouse, channels, ["hello"], at, zone="UTC", abroad={"email"}, beyond=beyond)
        return [outside.states()[each] for each in asked]

    for profile in (1, 2, 3, 4):
        outside.reachable(profile, f"p{profile}@example.com")
        says(outside, profile, True)
    carriers.note(outside.state, outside.warehouse, channels[0], RIGHTS, [3], at=at, zone="UTC")
    asked = [outside.ask(1), outside.ask(2), outside.ask(3), outside.ask(2, purpose="transactional")]
    goes, stays = ("queued", None), ("withheld", "abroad_limit")
    assert decide(2) == [goes, stays, goes, goes]
    asked.append(outside.ask(4))  # the first one waits, and keeps the last place
    assert decide(2) == [goes, stays, goes, goes, stays]
    assert decide(1) == [stays, stays, goes, goes, stays]  # a list took that place meanwhile


def test_nobody_is_asked_where_the_carrier_is_at_home_or_data_is_kept_elsewhere(outside: Outside) -> None:
    """A consent to go abroad is asked for where data leaves China; and a carrier stands in the record."""
    channels = outside.applied.of("channel")
    assert carriers.abroad(channels, RIGHTS) == {"email"}
    assert carriers.abroad(channels, RIGHTS.model_copy(update={"country": "DE"})) == frozenset()
    assert carriers.abroad([each.model_copy(update={"recipient": "Post"}) for each in channels], RIGHTS) == frozenset()
    (fault,) = check(workspace(CARRIED))
    assert (fault.code, fault.message) == ("D436", "`Mailer` stands in no record of processing")
