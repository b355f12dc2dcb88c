"""The tracking plan's page: what comes in undeclared, and declaring it by the definitions' own plan."""

from __future__ import annotations

import html
import re


def test_what_is_undeclared_is_declared_in_one_click(fresh_world):
    """The proposal of the page leads to the plan; applied, the property has its column and the values kept so far."""
    page = fresh_world.get("/tracking?days=90", headers={"cookie": "spira_language=en"}).text
    assert "Shelf Visited" in page
    assert "Declare: to the plan" in page
    text = html.unescape(re.search(r"<textarea[^>]*>(tracking: shelf_visited.*?)</textarea>", page, re.DOTALL)[1])
    draft = {"way": "write", "kind": "tracking", "name": "shelf_visited", "text": text, "goal": "/tracking"}
    plan = fresh_world.post("/definitions/draft", data=draft)
    assert plan.status_code == 200
    seen = re.search(r'name="fingerprint" value="(\w+)"', plan.text)[1]
    answer = fresh_world.post("/definitions/apply", data={**draft, "fingerprint": seen}, follow_redirects=False)
    assert answer.status_code == 303
    assert fresh_world.core.lane().query("select distinct shelf from events where shelf is not null") == [("tea",)]
    left = fresh_world.get("/api/tracking/proposals?days=90").json()["proposals"]
    assert "Shelf Visited" not in {each["event"] for each in left}


def test_proposals_are_for_who_connects_sources(signed_in):
    """An analyst sees neither the page nor the answer."""
    client = signed_in("ann", "analyst")
    assert client.get("/tracking").status_code == 403
    assert client.get("/api/tracking/proposals").status_code == 403
