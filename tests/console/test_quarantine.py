"""Quarantine: the list of refused calls, and one of them."""

from __future__ import annotations

import re

from spira.storage import audit
from spira.testing.workspaces import send


def test_refused_calls_are_counted_by_reason_and_found_by_filters(english, world):
    """The three orders with a wrong amount are there, with what is wrong, and go with another filter."""
    page = english("/quarantine?reason=wrong_type")
    assert len(re.findall(r'href="/quarantine/\d', page)) == 3
    assert "`revenue` is not an amount of money" in page
    assert "Send it as declared" in page
    assert "No refused call is like this" in english("/quarantine?day=2020-01-01")
    assert world.get("/quarantine?day=tomorrow").status_code == 422
    assert world.get("/quarantine/9-9").status_code == 404


def test_a_call_is_shown_in_another_language_by_what_it_quotes(world):
    """In Chinese the reason has its own words, and the detail says what it is about and what came in its place."""
    page = world.get("/quarantine?reason=wrong_type", headers={"cookie": "spira_language=zh-CN"}).text
    assert "类型不符" in page
    assert "`revenue` 收到的是文本" in page
    assert "is not an amount" not in page


def test_one_call_is_shown_masked_with_what_to_do_next(fresh_world):
    """No contact value of the call is on its page; the next step and a plan that would take it are."""
    call = {"type": "track", "event": "Order Completed", "userId": "u1", "messageId": "bad-mail",
            "properties": {"revenue": "<b>much</b>", "note": "u1@example.com"},
            "context": {"traits": {"email": "u1@example.com", "phone": "13800138000"}}}  # fmt: skip
    send(fresh_world.core, [call])
    fresh_world.core.load()
    newest = fresh_world.get("/api/quarantine").json()["calls"][0]["id"]
    page = fresh_world.get(f"/quarantine/{newest}", headers={"cookie": "spira_language=en"}).text
    assert not any(secret in page for secret in ("u1@example.com", "13800138000", "<b>much</b>"))
    assert "&lt;b&gt;much&lt;/b&gt;" in page
    assert "revenue: text  # declared as money; change it there" in page
    assert re.search(r'href="/sources/shop"', page)


def test_a_quarantine_without_calls_says_so(local):
    """An empty quarantine teaches what comes into it."""
    page = local.get("/quarantine", headers={"cookie": "spira_language=en"}).text
    assert "Nothing is in quarantine" in page


def test_the_quarantine_is_for_who_connects_sources(signed_in):
    """An analyst sees neither the list nor a call."""
    client = signed_in("ann", "analyst")
    for path in ("/quarantine", "/quarantine/1-1", "/quarantine/replay", "/api/quarantine", "/api/quarantine/1-1"):
        assert client.get(path).status_code == 403


def test_calls_are_looked_at_and_then_replayed(fresh_world):
    """The page says what would become of the wrong amounts, how a correction helps, and replays them on its button."""
    ask = "/quarantine/replay?reason=wrong_type"
    english = {"cookie": "spira_language=en"}
    page = fresh_world.get(ask, headers=english).text
    assert "Replay 3 calls" in page
    assert "is not an amount of money" in page
    assert fresh_world.get(f"/api{ask}").json()["loads"] == 0
    corrected = fresh_world.get(f"/api{ask}&rename=revenue%3Dnote").json()
    assert (corrected["loads"], corrected["refused"]) == (3, [])

    form = {"reason": "wrong_type", "rename": "revenue=note"}
    done = fresh_world.post("/quarantine/replay", data=form, headers=english).text
    assert "3 calls are on the log again" in done
    fresh_world.core.load()
    assert fresh_world.get("/api/quarantine").json()["total"] == 0
    listed = fresh_world.get("/quarantine?show=done", headers=english).text
    assert listed.count("Loaded") == 3
    newest = fresh_world.get("/api/quarantine?show=done").json()["calls"][0]["id"]
    assert "Replayed once" in fresh_world.get(f"/quarantine/{newest}", headers=english).text
    row = audit.latest(fresh_world.core.state, limit=1)[0]
    assert (row.action, row.detail["calls"], row.detail["rename"]) == ("quarantine.replay", 3, "revenue=note")


def test_some_calls_are_chosen_from_the_list(fresh_world):
    """What is ticked goes to the look, and only that is replayed."""
    ids = [each["id"] for each in fresh_world.get("/api/quarantine").json()["calls"]]
    page = fresh_world.get(f"/quarantine/replay?call={ids[0]}&call={ids[2]}").text
    assert page.count('name="call"') >= 2
    assert fresh_world.get(f"/api/quarantine/replay?call={ids[0]}&call={ids[2]}").json()["total"] == 2
    answer = fresh_world.post("/api/quarantine/replay", json={"calls": ids[:1]})
    assert answer.json() == {"replayed": 1, "left": 0, "next": None}


def test_a_correction_that_is_none_is_said_and_kept(world):
    """What was typed stays in its field beside the fault."""
    answer = world.get("/quarantine/replay?read=revenue%3Dmuch", headers={"cookie": "spira_language=en"})
    assert answer.status_code >= 400
    assert 'value="revenue=much"' in answer.text
    assert "`much` is no type" in answer.text
    assert world.get("/quarantine/replay?call=x").status_code == 404
