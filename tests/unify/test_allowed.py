"""What people allow, as the one who asks may be told."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from spira.kernel.viewer import Viewer
from spira.testing.houses import NOON, House
from spira.unify.allowed import Consents, Permission, consents

ROOT = Viewer(staff_id="root", name="Root", roles=frozenset({"operator"}))
READER = Viewer(staff_id="rae", name="Rae", roles=frozenset({"reader"}))


@pytest.fixture(scope="module")
def house():
    with House() as made:
        yield made


@pytest.fixture
def filled(house):
    """Thirty people of two units: 20 allow e-mail, 6 refuse it; 3 were asked about SMS."""
    house.clear()
    for person in range(1, 31):
        house.put("profiles", profile_id=person, unit_id=1 if person <= 10 else 2)
        if person <= 26:
            house.put("permissions", profile_id=person, purpose="marketing", channel="email", granted=person <= 20)
        if person <= 3:
            house.put("permissions", profile_id=person, purpose="marketing", channel="sms", granted=True)
    for person, hours in ((1, -1), (2, -2), (3, -30)):
        house.subject(person)
        house.say(person, "Consent Given", hours=hours)
    house.say(2, "Unsubscribed", hours=-1, source="spira")
    house.load()
    return house


def ask(house, viewer, zone="UTC") -> Consents:
    return consents(house.warehouse, viewer, as_of=NOON, zone=zone)


def test_everybody_is_in_one_of_three_groups(filled):
    """Granted, withdrawn and never asked add up to all people, for every purpose and channel."""
    shown = ask(filled, ROOT)
    assert shown.people == 30
    assert [(each.channel, each.granted, each.withdrawn, each.never) for each in shown.permissions] == [
        ("email", 20, 6, 4),
        ("sms", 3, 0, 27),
    ]


def test_a_viewer_is_told_of_their_own_people_only(filled):
    """Counts, days and sources are of the units that the viewer sees; nobody's units hold nobody."""
    shown = ask(filled, Viewer(staff_id="b", name="B", roles=frozenset({"guide"}), units=frozenset({2})))
    assert shown.people == 20
    assert [(each.channel, each.granted, each.withdrawn, each.never) for each in shown.permissions] == [
        ("email", 10, 6, 4)
    ]
    assert sum(each.given or 0 for each in shown.days) == 0
    none = ask(filled, Viewer(staff_id="c", name="C", roles=frozenset({"guide"}), units=frozenset()))
    assert (none.people, none.permissions, none.sources) == (0, (), ())


def test_words_are_counted_by_local_day_and_by_source(filled):
    """A day without a word is there; unsubscribing is a withdrawal, and says that it came from us."""
    days = {each.day: (each.given, each.withdrawn) for each in ask(filled, ROOT).days}
    assert len(days) == 30
    assert days[date(2026, 3, 1)] == (2, 1)
    assert days[date(2026, 2, 28)] == (1, 0)
    assert days[date(2026, 2, 20)] == (0, 0)
    assert [(each.source, each.given, each.withdrawn) for each in ask(filled, ROOT).sources] == [
        ("web", 3, 0),
        ("spira", 0, 1),
    ]


def test_suppressed_addresses_are_told_by_reason(filled):
    """An address of somebody is told to who sees them; an address of nobody to the whole brand alone."""
    filled.subject(40, "email", "k40")
    filled.put("moved", subject_id=40, profile_id=15, batch=1)
    filled.put("suppressions", address_key="k40", channel="email", reason="hard_bounce", since=NOON)
    filled.put("suppressions", address_key="nobody", channel="email", reason="hard_bounce", since=NOON)
    assert [(each.reason, each.addresses) for each in ask(filled, ROOT).suppressed] == [("hard_bounce", 2)]
    own = Viewer(staff_id="b", name="B", roles=frozenset({"guide"}), units=frozenset({2}))
    assert [each.addresses for each in ask(filled, own).suppressed] == [1]


def test_who_sees_figures_only_is_told_of_no_group_below_five(filled):
    """Small groups are merged or left out, together with what they could be worked out from."""
    shown = ask(filled, READER)
    assert shown.coarse
    assert shown.permissions == (
        Permission(purpose="marketing", channel="email", granted=None, withdrawn=None, never=None),
        Permission(purpose="", channel="", granted=None, withdrawn=None, never=None),
    )
    assert {each.given for each in shown.days} == {0, None}
    assert shown.sources == ()
    told = [count for row in shown.permissions for count in (row.granted, row.withdrawn, row.never)]
    assert all(count is None or count == 0 or count >= 5 for count in told)


def test_groups_that_are_large_enough_are_told_to_everybody(filled):
    """With five in every part the figures are exact."""
    filled.put("profiles", profile_id=31, unit_id=1)
    filled.put("profiles", profile_id=32, unit_id=1)
    (email, _) = ask(filled, READER).permissions
    assert (email.granted, email.withdrawn, email.never) == (20, 6, 6)


def test_old_words_are_not_in_the_days(filled):
    """Days are the last thirty."""
    filled.say(3, "Consent Given", hours=-24 * 40)
    filled.load()
    assert sum(each.given or 0 for each in ask(filled, ROOT).days) == 3
    assert min(each.day for each in ask(filled, ROOT).days) == NOON.date() - timedelta(days=29)
