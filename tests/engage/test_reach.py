"""Reach: what is counted for many is what is told of each."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from spira.definitions.apply import Applied
from spira.engage.reach import bound, kinds_of, reach_of, reachable
from spira.kernel.viewer import Viewer
from spira.testing.cores import ROOT, StandInCore, fill
from spira.testing.houses import NOON
from spira.unify.people import person

EVERYONE = exp.select("profile_id").from_("profiles")
PERSON = st.fixed_dictionaries(
    {
        "addresses": st.integers(0, 2),
        "told": st.sampled_from((None, 0, 1)),
        "suppressed": st.sampled_from((None, 0, 1)),
        "granted": st.sampled_from((None, True, False)),
        "unit_id": st.sampled_from((None, 1, 2)),
    }
)


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    core = StandInCore(tmp_path_factory.mktemp("reach"))
    yield core
    core.close()


def _populate(house, drawn):
    house.clear()
    for number, each in enumerate(drawn, 1):
        house.put("profiles", profile_id=number, unit_id=each["unit_id"], first_seen=NOON, last_seen=NOON)
        house.put("identifiers", subject_id=number, kind="user_id", subject_key=f"u{number}", value=f"u{number}")
        for place in range(each["addresses"]):
            subject, key = number * 100 + place, f"{number}-{place}"
            seen = NOON + timedelta(hours=place)
            house.put("identifiers", subject_id=subject, kind="email", subject_key=key, first_seen=seen)
            house.put("moved", subject_id=subject, profile_id=number)
            if each["suppressed"] == place:
                house.put("suppressions", address_key=key, channel="email", reason="bounced")
            if each["told"] == place:
                house.put("traits", profile_id=number, name="email", vault_key=key, source="web")
        if each["granted"] is not None:
            said = {"purpose": "marketing", "channel": "email", "granted": each["granted"]}
            house.put("permissions", profile_id=number, **said)


@settings(max_examples=40)
@given(st.lists(PERSON, max_size=8))
def test_the_count_is_the_sum_of_what_is_told_of_each_person(core, drawn):
    """For any people, the reachable and every reason are as many as the persons whose own page says so."""
    _populate(core.house, drawn)
    (found,) = reach_of(core.lane(), ROOT, EVERYONE, kinds=("email",))
    reasons = Counter(
        each.reason
        for number in range(1, len(drawn) + 1)
        for each in person(core.lane(), core.vault, ROOT, number).reach
        if (each.channel, each.purpose) == ("email", "marketing")
    )
    assert found.people == len(drawn)
    assert found.reachable == reasons[None]
    assert found.withheld == {name: reasons[name] for name in ("unreachable", "suppressed", "no_consent")}
    assert found.reachable + sum(found.withheld.values()) == found.people
    chosen = core.lane().query(reachable(EVERYONE).sql("duckdb"), bound(ROOT, "email", "marketing"))
    assert len(chosen) == found.reachable


def test_people_of_other_units_are_not_counted(tmp_path):
    """A store counts its own people; staff without people count nobody."""
    core = StandInCore(tmp_path)
    units = fill(core)
    chosen = exp.select("profile_id").from_("members").where("audience = $audience", dialect="duckdb")
    asked = {"kinds": ("email", "sms"), "params": {"audience": "waverers"}}
    whole = reach_of(core.lane(), ROOT, chosen, **asked)
    store = Viewer(staff_id="s", name="S", roles=frozenset({"guide"}), units=frozenset({units["B"]}))
    part = reach_of(core.lane(), store, chosen, **asked)
    nobody = Viewer(staff_id="n", name="N", roles=frozenset({"guide"}), units=frozenset())
    assert [each.channel for each in whole] == ["email", "sms"]
    assert 0 < part[0].people < whole[0].people == 60
    assert [each.people for each in reach_of(core.lane(), nobody, chosen, **asked)] == [0, 0]
    core.close()


def test_e_mail_is_asked_about_before_there_is_a_channel():
    """A workspace without channels still says whom it could write to by e-mail."""
    assert kinds_of(Applied(generation=0)) == ("email",)
