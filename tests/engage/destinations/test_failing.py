"""Failing destinations: an alert when they fail too often or for too long, that ends by itself."""

from datetime import datetime, timedelta

import pytest

from spira.engage.alerts import finding, letters
from spira.engage.alerts.kept import Alert, Notice
from spira.engage.destinations import kept
from spira.engage.destinations.definition import DestinationDefinition
from spira.engage.destinations.failing import failing
from spira.engage.destinations.kept import Run, Sent
from spira.kernel.i18n import LANGUAGES
from spira.kernel.settings import AlertsSettings
from spira.testing.states import empty_state

NOON = datetime(2026, 6, 1, 12)
CRM = DestinationDefinition(
    destination="crm",
    kind="webhook",
    audience="loyal",
    purpose="analysis",
    fields={"id": "id"},
    url="https://crm.example",
    secret="env:CRM",
)
SETTINGS = AlertsSettings(destination_tries=3, destination_minutes=30)


def at(minutes):
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


@pytest.fixture
def state(tmp_path):
    """A state in which the destination was started."""
    with empty_state(tmp_path) as opened:
        kept.start(opened, "crm", print=CRM.print, by="pia", reason="our news", most=100, at=NOON)
        yield opened


def begun(state, minutes, *, name="run_1"):
    """A look that begins a run of two batches."""
    counts = dict.fromkeys(("changed", "removed", "taken", "refused", "withheld", "done", "tries"), 0)
    run = Run(
        run_id=name, destination="crm", print=CRM.print, begun_at=at(minutes), ended_at=None, status="running",
        everyone=False, added=2, batches=2, due_at=None, mark="", fault=None, **counts,
    )  # fmt: skip
    looked(state, minutes)
    kept.begin(state, run)
    return run


def looked(state, minutes, fault=None):
    """A look, of whatever came of it."""
    kept.looked(state, "crm", heard="run", at=at(minutes), next_at=at(minutes + 15), fault=fault)


def given(state, run, minutes):
    """One batch is taken."""
    sent = Sent(number=run.done, at=at(minutes), tries=run.tries + 1, taken=1, refused=0, withheld=0, said="")
    return kept.advance(state, run, sent)


def troubles(state, minutes):
    """What is told of it."""
    return [dict(each.detail) for each in finding.destinations(state, [CRM], SETTINGS, as_of=at(minutes))]


def test_a_destination_that_does_not_answer_is_an_alert_after_some_tries_until_it_does(state):
    """
    Counted from the first failed try, not from the batch that was taken an hour before it.
    """
    run = given(state, begun(state, -60), -59)
    for minutes in (0, 1, 3):
        assert troubles(state, minutes) == []
        run = kept.put_off(state, run, at=at(minutes), fault="503")
    assert troubles(state, 3) == [{"since": "2026-06-01T12:00:00.000Z", "tries": 3, "stopped": False}]
    run = given(state, run, 8)
    assert troubles(state, 8) == []
    kept.end(state, run, at=at(8))
    assert failing(state, [CRM]) == ()


def test_one_that_fails_for_long_is_an_alert_however_seldom_it_is_tried(state):
    """
    Two refused runs, half an hour apart; the run in hand says nothing before it has come through.
    """
    for minutes in (0, 15):
        run = begun(state, minutes, name=f"run_{minutes}")
        kept.end(state, run, at=at(minutes + 1), fault="401")
    assert troubles(state, 29) == []
    assert troubles(state, 31) == [{"since": "2026-06-01T12:01:00.000Z", "tries": 2, "stopped": False}]
    run = begun(state, 32, name="run_32")
    assert len(troubles(state, 33)) == 1
    kept.end(state, run, at=at(34))
    assert troubles(state, 90) == []


def test_one_that_has_nothing_to_tell_any_more_does_not_fail(state):
    """
    Whoever was to be told left the audience again: the failed run is history.
    """
    kept.end(state, begun(state, 0), at=at(1), fault="401")
    assert len(troubles(state, 40)) == 1
    looked(state, 41)
    assert troubles(state, 42) == []


def test_one_that_waits_for_a_person_is_an_alert_at_once_and_a_paused_one_is_none(state):
    """
    More people than it may give is mended by nobody else; a pause and a change of the file are somebody's wish.
    """
    looked(state, 0, fault="4 people would leave")
    assert troubles(state, 0) == [{"since": "2026-06-01T12:00:00.000Z", "tries": 0, "stopped": True}]
    other = CRM.model_copy(update={"audience": "new"})
    assert finding.destinations(state, [other], SETTINGS, as_of=NOON) == []
    assert finding.destinations(state, [CRM.model_copy(update={"paused": True})], SETTINGS, as_of=NOON) == []
    kept.pause(state, "crm", paused=True)
    assert troubles(state, 0) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("phase", ["began", "ended"])
@pytest.mark.parametrize("stopped", [True, False])
def test_a_letter_names_the_destination_and_leads_to_its_page(language, phase, stopped):
    """
    In the workspace's language, with no word of what the destination said.
    """
    detail = {"since": "2026-06-01T12:00:00.000Z", "tries": 3, "stopped": stopped}
    alert = Alert(
        alert_id="a", kind="destination", subject="crm", detail=detail, began_at=NOON, ended_at=at(9), told=()
    )
    house = letters.House(brand="Shop", language=language, zone="Asia/Shanghai", base_url="https://cdp.example")
    (told,) = letters.letter(house, [Notice(alert=alert, phase=phase, tries=0)], at=NOON).body["alerts"]
    assert told["url"] == "https://cdp.example/destinations/crm"
    assert "crm" in told["text"]
    assert ("2026-06-01 20:00" in told["text"]) == (phase == "began" and not stopped)
