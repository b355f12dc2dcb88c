"""Reach: what is counted for many is what is told of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from spira.definitions.apply import Applied
from spira.engage.channels.definition import ChannelDefinition
from spira.engage.delivery.gate import decide
from spira.engage.person import standings
from spira.engage.reach import REASONS, Rules, bound, kinds_of, reach_of, reachable
from spira.kernel.viewer import Viewer
from spira.testing.cores import ROOT, StandInCore, fill
from spira.testing.houses import NOON
from spira.unify import dossier, personal
from spira.unify.people import Judged, person
from spira.unify.personal import BORN, GUARDIAN, MOST_A_WEEK, PERSONALISATION, QUIET

EVERYONE = exp.select("profile_id").from_("profiles")
CAPS = ("frequency_cap", "own_cap", "household_cap")
BEFORE_CHOOSING = ("unreachable", "suppressed", "deceased", "no_consent", "abroad", "restricted", "minor")
CHANNEL = ChannelDefinition.model_validate(
    {
        "channel": "email",
        "kind": "email",
        "host": "localhost",
        "caps": {"marketing": "2 per 7 days"},
        "household_caps": {"marketing": "3 per 7 days"},
        "quiet_hours": "22:00-11:00",
    }
)
ABROAD = Rules(as_of=NOON, channels=(CHANNEL,), abroad=frozenset({"email"}))
RULES = replace(ABROAD, abroad=frozenset())
LEAVING = Rules(as_of=NOON)
PERSON = st.fixed_dictionaries(
    {
        "addresses": st.integers(0, 2),
        "told": st.sampled_from((None, 0, 1)),
        "suppressed": st.sampled_from((None, None, 0, 1)),
        "granted": st.sampled_from((None, True, True, True, False)),
        "unit_id": st.sampled_from((None, 1, 2)),
        "restricted": st.sampled_from((None, None, None, "asked", "died")),
        "born": st.sampled_from((None, None, "2012-03-02", "2009-01-01", "2008-02-29", "2008-03-02", "soon")),
        "guardian": st.booleans(),
        "generic": st.sampled_from((False, False, True)),
        "abroad": st.sampled_from((None, True, True, False)),
        "most": st.sampled_from((None, "1", "3", "any")),
        "hours": st.sampled_from((None, None, "12:00-14:00", "22:00-09:00", "any")),
        "lives": st.sampled_from((None, None, "Asia/Shanghai", "America/New_York", "nowhere")),
        "sent": st.sampled_from((0, 0, 1, 2)),
        "household": st.sampled_from((None, "one", "two")),
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
        words = {"marketing": each["granted"], GUARDIAN: each["guardian"] or None, PERSONALISATION: not each["generic"]}
        words[personal.ABROAD] = each["abroad"]
        for purpose, granted in words.items():
            if granted is not None:
                channel = "email" if purpose == "marketing" else "all"
                house.put("permissions", profile_id=number, purpose=purpose, channel=channel, granted=granted)
        wishes = {BORN: each["born"], MOST_A_WEEK: each["most"], QUIET: each["hours"], "time_zone": each["lives"]}
        for name, value in wishes.items():
            if value is not None:
                house.put("traits", profile_id=number, name=name, value=value, source="web")
        if each["restricted"]:
            house.put("restricted", profile_id=number, since=NOON, deceased=each["restricted"] == "died")
        if each["household"]:
            house.put("households", profile_id=number, household=each["household"], holds=True, size=2)
        if each["sent"]:
            counted = {"channel": "email", "purpose": "marketing", "day": NOON.date(), "sent": each["sent"]}
            house.put("cap_counters", profile_id=number, **counted)


def _asked(house, numbers, purpose="marketing", abroad=()):
    """What the gate says of a message to each of some people, asked all at once: the reason, or none."""
    about = {"journey": "j", "step": "0", "channel": "email", "template": "t", "purpose": purpose, "created_at": NOON}
    for number in numbers:
        house.put("outbox", outbox_id=number, enrolment_id=number, profile_id=number, visit=1, version=1, **about)
    decide(
        house.warehouse, RULES.channels, ["t"], NOON, zone=RULES.zone, personal=["j"], abroad=abroad, ages=RULES.ages
    )
    return dict(house.warehouse.query("select delivery_id, reason from deliveries"))


@settings(max_examples=8)
@given(st.lists(PERSON, max_size=8), st.sampled_from((RULES, ABROAD)))
def test_the_count_is_what_the_gate_says_of_them(core, drawn, rules):
    """For any people, the reachable and every reason are as many as the gate lets pass and withholds if asked now."""
    _populate(core.house, drawn)
    (found,) = reach_of(core.lane(), ROOT, EVERYONE, kinds=("email",), rules=rules)
    chosen = core.lane().query(reachable(EVERYONE).sql("duckdb"), bound(ROOT, "email", "marketing", LEAVING))
    said = Counter(_asked(core.house, range(1, len(drawn) + 1), abroad=rules.abroad).values())
    waiting = said.pop("quiet_hours", 0)
    assert found.people == len(drawn) == found.reachable + sum(found.withheld.values())
    capped = sum(count for name, count in found.withheld.items() if name.endswith("_cap"))
    if not waiting:  # in quiet hours the gate has not come to the caps
        assert (found.reachable, found.withheld) == (said[None], {name: said[name] for name in REASONS})
    kept_home = found.withheld["abroad"]
    if not kept_home:  # a list that stays in the house goes by no channel
        assert found.reachable + capped == len(chosen)
    assert found.reachable + capped == said[None] + waiting + sum(said[each] for each in CAPS)


@settings(max_examples=15)
@given(
    st.lists(PERSON, min_size=1, max_size=4),
    st.sampled_from(("marketing", "service", "transactional")),
    st.sampled_from((RULES, ABROAD)),
)
def test_what_is_told_of_a_person_is_what_the_gate_says_of_them(core, drawn, purpose, rules):
    """For any person, the page's answer for a purpose is the gate's, quiet hours in their own zone included."""
    _populate(core.house, drawn)
    held = dossier.read(core.lane(), dossier.find(core.lane(), ROOT, 1))
    (told,) = (each for each in standings(core.lane(), held, rules) if each.purpose == purpose)
    judged = Judged(today=NOON.date(), ages=rules.ages, abroad=rules.kinds_abroad)
    (shown,) = (
        each
        for each in person(core.lane(), core.vault, ROOT, 1, judged=judged).reach
        if (each.channel, each.purpose) == ("email", "marketing")
    )
    said = _asked(core.house, [1], purpose, rules.abroad)[1]
    assert said == (told.reason if told.chosen or told.reason in BEFORE_CHOOSING else "personal_off")
    if purpose == "marketing":
        assert shown.reason == (said if said in BEFORE_CHOOSING else None)


def test_people_of_other_units_are_not_counted(tmp_path):
    """A store counts its own people; staff without people count nobody."""
    core = StandInCore(tmp_path)
    units = fill(core)
    chosen = exp.select("profile_id").from_("members").where("audience = $audience", dialect="duckdb")
    asked = {"kinds": ("email", "sms"), "rules": RULES, "params": {"audience": "waverers"}}
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
