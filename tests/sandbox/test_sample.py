"""The sample is the same on every run, belongs to nobody, and says so."""

import json
from datetime import datetime, timedelta

from spira.definitions.check import check
from spira.definitions.editing import text_of
from spira.definitions.files import admitted, write
from spira.definitions.workspace import read_workspace
from spira.kernel.clock import parse_instant
from spira.sandbox.sample import CALLS_A_BATCH, DAYS, PEOPLE, batches, calls, definitions, size
from spira.testing.workspaces import make_workspace

NOON = datetime(2026, 6, 1, 12)


def made(**more):
    """All calls."""
    return list(calls(NOON, **{"currency": "CNY", **more}))


def test_the_sample_is_the_same_every_time():
    """The same instant gives the same calls; another instant the same ones at other times, none twice."""
    assert made() == made()
    later = list(calls(NOON + timedelta(days=3), currency="CNY"))
    assert [each["messageId"] for each in later] == [each["messageId"] for each in made()]
    assert len({each["messageId"] for each in later}) == len(later) == size()


def test_nobody_in_the_sample_exists():
    """Every id says that it is a sample's, and every address lies in a domain that takes no mail."""
    found = made()
    assert len({each["userId"] for each in found}) == PEOPLE
    assert all(each["userId"].startswith("sample-") for each in found)
    traits = [each["traits"] for each in found if each["type"] == "identify"]
    assert len(traits) == PEOPLE
    assert all(each["email"].endswith("@example.com") for each in traits)
    assert any("\u4e00" <= each["name"][0] <= "\u9fff" for each in _traits("zh-CN"))


def _traits(language):
    return [each["traits"] for each in made(language=language) if each["type"] == "identify"]


def test_the_sample_lies_in_the_days_before():
    """Nothing happened in the future, or before anybody was there; orders are paid in the workspace's currency."""
    times = [parse_instant(each["timestamp"]) for each in made()]
    assert max(times) < NOON
    assert min(times) >= NOON - timedelta(days=DAYS, hours=2)
    orders = [each["properties"] for each in made(currency="EUR") if each.get("event") == "Order Completed"]
    assert len(orders) > PEOPLE
    assert {each["currency"] for each in orders} == {"EUR"}
    assert all(abs(each["revenue"] - sum(line["value"] for line in each["products"])) < 0.01 for each in orders)


def test_people_differ():
    """Some never order, some once, some no more; most allow to be written to, and a few take it back."""
    orders = dict.fromkeys((each["userId"] for each in made()), 0)
    events = [(each["userId"], each.get("event")) for each in made()]
    for person, event in events:
        orders[person] += event == "Order Completed"
    assert min(orders.values()) == 0
    assert 1 in orders.values()
    assert max(orders.values()) >= 10
    given = {person for person, event in events if event == "Consent Given"}
    withdrawn = {person for person, event in events if event == "Consent Withdrawn"}
    assert PEOPLE // 2 < len(given) < PEOPLE
    assert 0 < len(withdrawn) < 30


def test_a_batch_is_what_a_request_may_carry():
    """Batches together are the calls, in order, and none is larger than the limit."""
    found = list(batches(NOON, currency="CNY"))
    assert [call for batch in found for call in batch] == made()
    assert max(len(batch) for batch in found) <= CALLS_A_BATCH
    assert max(len(json.dumps(batch)) for batch in found) < 1_000_000


def test_the_definitions_are_those_of_the_example(tmp_path):
    """They may all be written by the console, and have no faults in a workspace of their own."""
    make_workspace(tmp_path, {})
    edits = definitions()
    admitted(tmp_path, edits)
    write(tmp_path, edits)
    assert check(read_workspace(tmp_path)) == ()
    assert text_of(tmp_path, "audience", "lapsed").startswith("audience: lapsed\n")


def test_two_of_the_sample_contradict_each_other_and_consents_name_their_notice():
    """One number and one tablet are told by two people; each consent says which version of which notice it was to."""
    found = made()
    told = [each["userId"] for each in found if each.get("traits", {}).get("phone") == "+12025550143"]
    assert len(told) == 2
    assert sorted(told) == sorted(each["userId"] for each in found if each.get("anonymousId") == "sample-tablet")
    given = [each["properties"] for each in found if each.get("event") == "Consent Given"]
    assert {each["notice"] for each in given} == {"offers"}
    assert {each["notice_version"] for each in given} == {1, 2}
