"""Matching in a running workspace: who is joined, who waits for staff, what a decision does, and what stays on disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path, PurePath

import pytest

from spira.kernel.errors import Conflict, NotFound
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM, Viewer
from spira.server.api import identity as deciding
from spira.server.api import matching as reviewing
from spira.server.api.identity import Pair
from spira.server.api.matching import Wanted, Word
from spira.storage.audit import latest
from spira.storage.warehouse import Warehouse
from spira.testing.workspaces import send, workspace
from spira.unify import erase
from spira.unify.explain import explain
from spira.unify.matching.definition import MatchingDefinition
from spira.unify.matching.forms import FILE
from spira.worker import matching
from spira.worker.core import Core
from spira.worker.matching import Matching, match

pytest.importorskip("splink")
MARCH = datetime(2026, 3, 1)
ANN = Viewer(staff_id="ann", name="Ann", roles=frozenset({"service"}), units=None, language="en")
BO = replace(ANN, staff_id="bo", name="Bo")
SHI = {"name": "石海峰", "birthday": "1987-04-12", "address": "山东省青岛市市南区香港中路18号"}
TWINS = {"name": "欧阳晨曦", "birthday": "1990-11-03", "address": "浙江省杭州市西湖区文三路9号"}
LU = {"name": "陆梓涵", "birthday": "2001-06-30"}
OLD, NEW = "+8613912345678", "+8613912345679"
_PROFILE = """
select coalesce(moved.profile_id, subject_id) from identifiers left join moved using (subject_id) where subject_key = ?
"""
OTHERS = (
    ("王伟", "1970-01-09"), ("李娜", "1982-02-18"), ("张敏", "1993-03-27"), ("赵磊", "1965-04-05"),
    ("陈静", "1978-05-14"), ("杨洋", "1989-06-23"), ("黄艳", "1996-07-01"), ("周杰", "1959-08-11"),
)  # fmt: skip


def told(at: int, *, anonymous: str = "", user: str = "", **traits: str) -> dict[str, object]:
    ids = {"anonymousId": anonymous, "userId": user}
    return {
        "type": "identify", "messageId": f"m{at}", "timestamp": "2026-02-20T10:00:00Z", "traits": traits,
        **{name: value for name, value in ids.items() if value},
    }  # fmt: skip


def run(core: Core, **how: bool) -> matching.MatchRun | None:
    return match(core, runner=InlineRunner(), **how)


def forms_of(core: Core) -> Path:
    """Where the sealed forms of the last run lie."""
    return core.directory / "data" / FILE


def profile_of(core: Core, kind: str, value: str) -> int:
    key = core.keys.subject_key(kind, value)
    return int(core.lane().value(_PROFILE, [key]))


def people(lane: Warehouse) -> list[tuple[object, ...]]:
    return lane.query("select subject_id, profile_id from moved order by all")


def pairs(lane: Warehouse) -> list[tuple[object, ...]]:
    return lane.query("select subject_id, other_id, weight, fields from match_candidates order by all")


def waiting(core: Core, viewer: Viewer = ANN) -> dict[str, reviewing.ReviewView]:
    """The pairs that wait, each in full, by the name of the reason that they are not joined."""
    found = {}
    for row in reviewing.view(core, viewer).rows:
        shown = reviewing.view(core, viewer, pair=row.pair)
        found["apart" if row.kept_apart else "sensitive" if row.sensitive else "faint"] = shown
    return found


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """A workspace of people who told the same twice: surely one (石), two accounts (欧阳), faintly (陆), and others."""
    directory = tmp_path_factory.mktemp("matching")
    calls = [
        told(1, anonymous="shi-1", phone="+8613800001111", **SHI),
        told(2, anonymous="shi-2", email="shi@example.com", **SHI),
        told(3, user="u-1", **TWINS),
        told(4, user="u-2", **TWINS),
        told(5, anonymous="lu-1", phone=OLD, name=LU["name"]),
        told(6, anonymous="lu-2", phone=NEW, name="陆雨涵", id_card="11010519491231002X"),
        *(told(10 + at, anonymous=f"x-{at}", name=name, birthday=day) for at, (name, day) in enumerate(OTHERS)),
    ]
    with workspace(directory, {"matching/people.yaml": "matching: people\njoin: 0.999\n"}, at=MARCH) as core:
        send(core, calls)
        core.refresh()
        run(core)
        core.refresh()
        yield core


def test_who_is_surely_one_is_joined_and_the_link_says_why(core):
    """
    Two without a common identifier become one profile by a link that names its rule, its weight, and each field's part.
    """
    one = profile_of(core, "anonymous_id", "shi-1")
    assert one == profile_of(core, "anonymous_id", "shi-2")
    link = explain(core.lane(), core.vault, ANN, one).weakest
    assert link is not None
    assert (link.rule, link.strength, link.joins) == ("matching:people", "likely", True)
    said = {each.about: (each.level, each.bits) for each in link.fields}
    assert said["birth_date"][0] == "equal"
    assert said["birth_date"][1] > 5
    assert link.weight > 10


def test_a_run_without_news_does_nothing(core):
    """
    When nobody has changed since the last run, the next one returns at once and says so.
    """
    assert run(core) is None


def test_who_asks_for_a_run_is_written_down(core):
    """
    A run that one of the staff asks for stands in the audit, even one that found no news.
    """
    assert reviewing.run(core, ANN, Wanted()) is None
    assert [(row.actor, row.action) for row in latest(core.state, limit=1)] == [("ann", "identity.match")]


def test_two_accounts_are_a_conflict_and_wait_for_staff(core):
    """
    However alike two are, two user ids keep them apart; that is a conflict, and staff are asked.
    """
    assert profile_of(core, "user_id", "u-1") != profile_of(core, "user_id", "u-2")
    assert core.lane().query("select kind from identity_conflicts where reason = 'likely'") == [("user_id",)]
    found = waiting(core)["apart"]
    assert found.pair.row.probability > 0.999


def test_the_queue_shows_both_field_by_field_and_masked(core):
    """
    A faint pair waits with what each told side by side; contact values are masked, and the fields add up to the weight.
    """
    pair = waiting(core)["sensitive"].pair
    phone = next(each for each in pair.fields if each.name == "phone")
    assert {phone.one, phone.two} == {"***5678", "***5679"}
    assert phone.parts[0].level == "one_character_differs"
    assert pair.start + sum(each.bits for each in pair.fields) == pytest.approx(pair.row.weight, abs=0.1)
    clear = reviewing.view(core, ANN, pair=pair.row.pair, clear=True, reason="a call from the person").pair
    assert OLD in {each.one for each in clear.fields} | {each.two for each in clear.fields}


def test_new_people_alone_are_matched_as_if_everyone_were(core):
    """
    Matching only those who are new finds the pairs, the weights and the people that matching everyone finds.
    """
    send(core, [told(30, anonymous="shi-3", **SHI), told(31, anonymous="x-9", name="王伟", birthday="1970-01-09")])
    core.refresh()
    done = run(core)
    assert (done.everyone, done.changed < done.records) == (False, True)
    found = pairs(core.lane()), people(core.lane())
    whole = run(core, full=True, keep_model=True)
    assert whole.everyone
    assert (pairs(core.lane()), people(core.lane())) == found
    forms_of(core).unlink()
    assert run(core, full=True, keep_model=True).cleaned == done.records
    assert (pairs(core.lane()), people(core.lane())) == found
    assert profile_of(core, "anonymous_id", "shi-3") == profile_of(core, "anonymous_id", "shi-1")


def test_what_was_cleaned_once_is_not_opened_again(core):
    """
    A run opens whoever is new or was told something else, and nobody else; what it finds is what cleaning all finds.
    """
    assert forms_of(core).is_file()
    send(core, [told(32, anonymous="x-1", name="李娜", birthday="1982-02-19"), told(33, anonymous="x-10", name="吴芳")])
    core.refresh()
    assert run(core).cleaned == 2
    assert run(core, full=True, keep_model=True).cleaned == 0
    found = pairs(core.lane()), people(core.lane())
    forms_of(core).write_bytes(forms_of(core).read_bytes()[:-7])  # one that is cut short is none
    done = run(core, full=True, keep_model=True)
    assert (done.cleaned, (pairs(core.lane()), people(core.lane()))) == (done.records, found)


def test_a_link_that_staff_cut_stays_cut(core):
    """
    Cutting a probable match takes the two apart, and no later run over the same evidence joins them again.
    """
    send(core, [told(31, anonymous="x-9", name="王伟", birthday="1970-01-09")])  # who is there if tests came in order
    core.refresh()
    run(core)
    core.refresh()
    one = profile_of(core, "anonymous_id", "x-0")
    assert one == profile_of(core, "anonymous_id", "x-9")
    made = deciding.decide(core, ANN, "cut", Pair(one="anonymous_id:x-0", two="anonymous_id:x-9"))
    assert profile_of(core, "anonymous_id", "x-9") != one
    run(core, full=True, keep_model=True)
    assert profile_of(core, "anonymous_id", "x-9") != one
    deciding.take_back(core, ANN, made.decisions[0])
    assert profile_of(core, "anonymous_id", "x-9") == one


def test_the_sensitive_need_two_who_say_the_same(core):
    """
    Where one has an identity card, one reviewer decides nothing; unsure counts for nothing; the second one does.
    """
    pair = waiting(core)["sensitive"].pair.row
    assert pair.needed == 2
    assert reviewing.say(core, ANN, Word(pair=pair.pair, verdict="same")).decided is None
    assert reviewing.view(core, ANN).rows[-1].mine == "same"
    assert reviewing.say(core, ANN, Word(pair=pair.pair, verdict="unsure")).decided is None
    assert reviewing.say(core, BO, Word(pair=pair.pair, verdict="same")).decided is None
    assert reviewing.say(core, ANN, Word(pair=pair.pair, verdict="same")).decided == "same"
    assert profile_of(core, "anonymous_id", "lu-1") == profile_of(core, "anonymous_id", "lu-2")
    with pytest.raises(NotFound):
        reviewing.say(core, ANN, Word(pair=pair.pair, verdict="same"))


def test_who_are_different_never_come_again(core):
    """
    A pair that somebody called different leaves the queue and the conflicts, also after everyone was matched again.
    """
    pair = waiting(core)["apart"].pair.row
    assert reviewing.say(core, ANN, Word(pair=pair.pair, verdict="different")).decided == "different"
    run(core, full=True, keep_model=True)
    assert "apart" not in waiting(core)
    assert core.lane().query("select * from identity_conflicts where reason = 'likely' and not settled") == []


def test_no_value_of_anybody_is_in_a_file(core):
    """
    After runs and reviews no name, number or address of those who were matched stands in any file of the workspace.
    """
    core.worker_lane.checkpoint()
    planted = [SHI["name"], SHI["address"], TWINS["name"], OLD[3:], NEW[3:], "shi@example.com", "陆雨涵"]
    words = [each.encode() for each in planted]
    files = [each for each in core.directory.rglob("*") if each.is_file()]
    assert [each.name for each in files if any(word in each.read_bytes() for word in words)] == []


def test_only_one_run_at_a_time(core):
    """
    Who asks for a run while one goes on is told so.
    """
    with matching._running, pytest.raises(Conflict):
        run(core)


def test_a_manual_clock_begins_no_run_and_old_models_are_learned_anew(core):
    """
    By itself nothing is matched on a manual clock; else a model has its time, and is too old for twice as many people.
    """
    assert Matching(core, runner=InlineRunner()).look() is None
    learned, model = matching.candidates.learned(core.lane()), MatchingDefinition(matching="people")
    assert not matching.is_old(learned, model, now=MARCH, records=20)
    assert matching.is_old(learned, model, now=MARCH + timedelta(days=31), records=20)
    assert matching.is_old(learned, model, now=MARCH, records=2_001)


def test_an_erased_person_is_in_no_pair(core):
    """
    Erasing one of two leaves neither a candidate nor a review of them.
    """
    mine = profile_of(core, "user_id", "u-1")
    with core.exclusive():
        erase.erase(core.stores(), "user_id:u-1", actor="ann")
    left = core.lane().query("select subject_id from match_candidates union select other_id from match_candidates")
    assert (mine,) not in left
    assert not forms_of(core).exists()


def test_taking_the_definition_away_takes_the_joins_away(core):
    """
    Without a definition all that probable matches had joined is as evidence alone makes it; staff's word stays.
    """
    if profile_of(core, "anonymous_id", "lu-1") != profile_of(core, "anonymous_id", "lu-2"):
        deciding.decide(core, ANN, "same", Pair(one="anonymous_id:lu-1", two="anonymous_id:lu-2"))
    core.apply(SYSTEM, edits={PurePath("matching/people.yaml"): None})
    with pytest.raises(NotFound, match="matches nobody"):
        run(core)
    assert profile_of(core, "anonymous_id", "shi-1") != profile_of(core, "anonymous_id", "shi-2")
    assert profile_of(core, "anonymous_id", "lu-1") == profile_of(core, "anonymous_id", "lu-2")
