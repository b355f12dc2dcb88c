"""The reasons for a score, on a page and unfolded."""

from __future__ import annotations

from spira.kernel.ids import show_profile


def person_with_score(world):
    """Somebody who has a score."""
    return show_profile(world.core.lane().value("select min(profile_id) from scores"))


def test_the_page_says_what_made_the_score(world, english):
    """Own rhythm beside everyone's, where the person stands, and what the model doesn't know."""
    person = person_with_score(world)
    page = english(f"/people/{person}/scores/next_order_date")
    assert "Own mean wait" in page
    assert "This person" in page
    assert "Does not know" in page
    told = world.get(f"/api/profiles/{person}/scores/next_order_date").json()
    assert {each["name"] for each in told["reason"]["inputs"]} == {"last_at", "waits", "own", "weight", "wait"}


def test_it_unfolds_beside_the_score(world, english):
    """The person's page offers it, and htmx gets the part without the frame around."""
    person = person_with_score(world)
    assert f'hx-get="/people/{person}/scores/next_order_date"' in english(f"/people/{person}")
    part = world.get(f"/people/{person}/scores/next_order_date", headers={"hx-request": "true"}).text
    assert "<html" not in part
    assert "<table" in part


def test_it_is_told_in_chinese(world):
    """The kind's own words have both languages."""
    person = person_with_score(world)
    page = world.get(f"/people/{person}/scores/next_order_date", headers={"cookie": "spira_language=zh-CN"}).text
    assert "自己的平均间隔" in page
    assert "不了解" in page


def test_a_model_that_is_not_applied_is_not_found(world):
    """In both renderings."""
    person = person_with_score(world)
    assert world.get(f"/people/{person}/scores/nothing").status_code == 404
    assert world.get(f"/api/profiles/{person}/scores/nothing").status_code == 404
