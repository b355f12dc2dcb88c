"""Journeys and broadcasts: the list, the tree, the report, the people and the versions."""

from __future__ import annotations

from spira.engage.journeys.tree import every
from spira.kernel.viewer import Viewer
from spira.measure.experiments import Arm, difference
from spira.measure.journey_report import more_needed
from spira.server.api import journeys as api


def test_the_list_says_who_enters_and_what_it_was_worth(english):
    """Every applied journey is there with who enters it in words, and a broadcast says that it is one."""
    page = english("/journeys")
    assert 'href="/journeys/win_back"' in page
    assert "and whoever joins" in page
    assert "again after 90 days" in page
    assert "Broadcast</span>" in page


def test_a_list_is_narrowed_by_campaign(english):
    """Only the journeys of the campaign are left; of an unknown one there are none, with the way back."""
    page = english("/journeys?campaign=win_back")
    assert 'href="/journeys/win_back"' in page
    assert 'href="/journeys/produce_week"' not in page
    assert "No journey is like that" in english("/journeys?campaign=nothing")


def test_the_tree_adds_up_for_each_journey(world):
    """Those at the steps and those who ended are those who entered; the page shows them."""
    viewer = Viewer(staff_id="root", name="Root", roles=frozenset({"administrator"}), units=None, language="en")
    shown = api.one(world.core, viewer, "win_back")
    assert shown.tree.entered > 0
    assert sum(step.here for step in every(shown.tree.steps)) + shown.tree.ended == shown.tree.entered
    page = world.get("/journeys/win_back", headers={"cookie": "spira_language=en"}).text
    assert page.count('<li class="step ') == sum(1 for _ in every(shown.tree.steps))
    assert "Everyone else" in page
    assert 'href="/definitions/journey/win_back"' in page


def test_people_are_masked_and_narrowed_by_step(world, english):
    """The walks of one step are listed under the masked names of their people."""
    page = english("/journeys/win_back/people?step=1&state=active")
    assert 'href="/people/p_' in page
    assert "Person " not in page
    assert "@example.com" not in page
    told = world.get("/api/journeys/win_back/people", params={"step": "1"}).json()
    assert told["walks"]
    assert {each["step"] for each in told["walks"]} == {"1"}


def test_a_reader_sees_figures_and_no_people(signed_in):
    """The tab of people is neither offered to nor open for whoever sees figures only."""
    client = signed_in("rae", "reader")
    assert client.get("/journeys").status_code == 200
    assert client.get("/api/journeys/win_back/people").status_code == 403


def test_too_little_evidence_is_said_plainly(english):
    """With few people held out the report says so instead of a number."""
    assert "Not enough evidence" in english("/journeys/win_back/report")


def test_how_many_more_people_would_tell():
    """A small difference needs many; one that is sure already, or that nobody was held out for, needs none."""
    small = difference(Arm(profiles=900, reached=90), Arm(profiles=100, reached=9))
    assert more_needed(small) > 10_000
    assert more_needed(difference(Arm(profiles=900, reached=450), Arm(profiles=100, reached=9))) is None
    assert more_needed(difference(Arm(profiles=9, reached=4), Arm(profiles=0, reached=0))) is None


def test_the_first_version_says_what_it_said(english):
    """A version names its steps in words and how many are on it."""
    page = english("/journeys/win_back/versions")
    assert "Version 1" in page
    assert "Wait 3 days" in page


def test_an_unknown_journey_is_not_found(world):
    """On every page and address of it."""
    for part in ("", "/report", "/people", "/versions"):
        assert world.get(f"/journeys/nothing{part}").status_code == 404
        assert world.get(f"/api/journeys/nothing{part}").status_code == 404


def test_the_report_tells_what_it_brought_in(world, english):
    """Page and JSON say what both groups spent per person, and no amount where there is too little to say one."""
    found = world.get("/api/journeys/win_back/report").json()["money"]
    assert (found["amount"], found["currency"]) == ("revenue", "USD")
    assert found["difference"]["treated"]["people"] > found["difference"]["held_out"]["people"]
    page = english("/journeys/win_back/report")
    assert "What it brought in" in page
    assert "revenue of each: Order completed" in page
