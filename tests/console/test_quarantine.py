"""Quarantine: the list of refused calls, and one of them."""

from __future__ import annotations

import re

from spira.testing.workspaces import send


def test_refused_calls_are_counted_by_reason_and_found_by_filters(english, world):
    """The three orders with a wrong amount are there, with what is wrong, and go with another filter."""
    page = english("/quarantine?reason=wrong_type")
    assert page.count('href="/quarantine/') == 3
    assert "`revenue` is not an amount of money" in page
    assert "Send it as declared" in page
    assert "No refused call is like this" in english("/quarantine?day=2020-01-01")
    assert world.get("/quarantine?day=tomorrow").status_code == 422
    assert world.get("/quarantine/9-9").status_code == 404


def test_a_call_is_shown_in_another_language_by_what_it_quotes(world):
    """In Chinese the reason has its own words, and the detail is what it is about."""
    page = world.get("/quarantine?reason=wrong_type", headers={"cookie": "spira_language=zh-CN"}).text
    assert "类型不符" in page
    assert "`revenue`" in page
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
    for path in ("/quarantine", "/quarantine/1-1", "/api/quarantine", "/api/quarantine/1-1"):
        assert client.get(path).status_code == 403
