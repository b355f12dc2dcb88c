from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.testing.houses import House, at
from spira.unify import consent


def given_at(house: House, subject: int, hours: float, channel: str = "email") -> None:
    house.say(subject, "Consent Given", hours=hours, purpose="marketing", channel=channel)


def withdrawn_at(house: House, subject: int, hours: float, channel: str | None = "email") -> None:
    house.say(subject, "Consent Withdrawn", hours=hours, purpose="marketing", channel=channel)


def allowed(house: House, *, full: bool = False) -> dict[tuple[int, str], bool]:
    consent.compute(house.warehouse, as_of=at(100), full=full)
    return {
        (profile, channel): granted
        for profile, channel, granted in house.warehouse.query("select profile_id, channel, granted from permissions")
    }


def one_person(house: House) -> None:
    house.subject(1, "user_id")
    house.subject(2)


def test_the_latest_word_counts_and_a_withdrawal_at_the_same_instant_wins():
    """Two taps that reach us with one timestamp leave the person unreachable, never the other way."""
    with House() as house:
        one_person(house)
        given_at(house, 1, 1)
        withdrawn_at(house, 1, 1)
        withdrawn_at(house, 2, 1)
        given_at(house, 2, 2)
        house.load()
        assert allowed(house) == {(1, "email"): False, (2, "email"): True}


def test_merged_subjects_keep_the_stricter_word_until_one_speaks_again():
    """A merge never opens what one of the two had closed; a consent after the merge does."""
    with House() as house:
        one_person(house)
        withdrawn_at(house, 2, 1)
        given_at(house, 1, 2)
        house.load()
        assert allowed(house) == {(1, "email"): True, (2, "email"): False}
        house.link(1, 2, hours=3)
        house.load()
        assert allowed(house) == {(1, "email"): False}
        given_at(house, 2, 4)
        house.load()
        assert allowed(house) == {(1, "email"): True}


def test_a_new_device_does_not_bring_an_overruled_withdrawal_back():
    """What a consent after a merge settled stays settled when a third, silent subject joins later."""
    with House() as house:
        one_person(house)
        house.subject(3)
        withdrawn_at(house, 2, 1)
        house.link(1, 2, hours=2)
        given_at(house, 1, 3)
        house.link(1, 3, hours=4)
        house.load()
        assert allowed(house) == {(1, "email"): True}


def test_a_withdrawal_without_a_channel_closes_all_that_were_asked():
    """Someone who just says no is written to on no channel."""
    with House() as house:
        one_person(house)
        given_at(house, 1, 1, "email")
        given_at(house, 1, 1, "sms")
        withdrawn_at(house, 1, 2, None)
        house.load()
        assert allowed(house) == {(1, "email"): False, (1, "sms"): False}


def test_unsubscribing_is_a_withdrawal_of_marketing_by_email():
    """One click of the link in a message closes marketing by e-mail and nothing else."""
    with House() as house:
        one_person(house)
        given_at(house, 1, 1)
        given_at(house, 1, 1, "sms")
        house.say(1, "Unsubscribed", hours=2)
        house.load()
        assert allowed(house) == {(1, "email"): False, (1, "sms"): True}


def test_what_changed_is_counted_once():
    """The first run says what it opened and closed; the same again says nothing."""
    with House() as house:
        one_person(house)
        given_at(house, 1, 1)
        withdrawn_at(house, 2, 1)
        house.load()
        said = consent.compute(house.warehouse, as_of=at(9))
        again = consent.compute(house.warehouse, as_of=at(9), full=True)
        assert (said.granted, said.withdrawn) == (1, 1)
        assert (again.granted, again.withdrawn) == (0, 0)


def test_a_hard_bounce_or_complaint_suppresses_the_address_it_was_sent_to_for_good():
    """The address is the delivery's, else the subject itself, else the person's only one; a soft bounce is none."""
    with House() as house:
        house.subject(1, "user_id")
        house.subject(2, "email", key="e" * 32)
        house.subject(3, "user_id")
        house.subject(4, "email", key="f" * 32)
        house.warehouse.execute(
            "insert into deliveries by name select 7 as delivery_id, 3 as profile_id, repeat('d', 32) as address_key,"
            " 'email' as channel, '' as template, '' as journey, 1 as version, '' as step, '' as purpose,"
            " 'sent' as state, ?::timestamp as created_at, 1 as tries",
            [at(0)],
        )
        house.link(1, 2)
        house.say(3, "Email Bounced", hours=1, bounce_type="hard", delivery_id=7)
        house.say(1, "Email Marked as Spam", hours=2)
        house.say(4, "Email Bounced", hours=3, bounce_type="soft")
        house.load()
        consent.compute(house.warehouse, as_of=at(9))
        house.say(4, "Email Bounced", hours=4, bounce_type="hard")
        house.say(1, "Email Bounced", hours=5, bounce_type="hard")
        house.load()
        assert consent.compute(house.warehouse, as_of=at(9)).suppressed == 1
        assert house.warehouse.query("from suppressions order by since") == [
            ("d" * 32, "email", "hard_bounce", at(1)),
            ("e" * 32, "email", "complaint", at(2)),
            ("f" * 32, "email", "hard_bounce", at(4)),
        ]


Words = list[tuple[int, int, bool]]
Links = list[tuple[int, int, int]]


def naive(words: Words, links: Links) -> dict[int, bool]:
    """The rule lived through hour by hour: a word settles all who are one by then, a merge settles nothing."""
    person = {subject: {subject} for subject in range(1, 6)}
    standing: dict[int, bool] = {}
    for hour in range(12):
        spoken = [(subject, granted) for subject, when, granted in words if when == hour]
        for subject, _ in spoken:
            for other in person[subject]:
                standing.pop(other, None)
        for subject, granted in sorted(spoken, key=lambda word: not word[1]):
            standing[subject] = granted and standing.get(subject, True)
        for one, two, when in links:
            if when == hour:
                together = person[one] | person[two]
                for subject in together:
                    person[subject] = together
    return {
        min(together): all(standing[subject] for subject in together if subject in standing)
        for together in person.values()
        if any(subject in standing for subject in together)
    }


@settings(max_examples=examples(25), deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 11), st.booleans()), max_size=12),
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 11)), max_size=5),
    st.integers(0, 12),
)
def test_the_query_agrees_with_living_through_it(shared, words, links, cut):
    """The query and a hand-kept ledger name the same permissions, in one load or two, and changed-only or in full."""
    house = shared.clear()
    for subject in range(1, 6):
        house.subject(subject)
    for number, (subject, hour, granted) in enumerate(words):
        if number == cut:
            house.load()
            allowed(house)
        house.say(
            subject,
            "Consent Given" if granted else "Consent Withdrawn",
            hours=hour,
            purpose="marketing",
            channel="email",
        )
    for one, two, hour in links:
        house.link(one, two, hours=hour)
    house.load()
    found = {profile: granted for (profile, _), granted in allowed(house).items()}
    assert found == naive(words, links)
    assert {profile: granted for (profile, _), granted in allowed(house, full=True).items()} == found
