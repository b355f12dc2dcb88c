"""Consent: the page of what people allow."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit


def test_what_people_allow_is_told_with_shares_and_leads_to_the_people(english, world):
    """Of sixty people forty-five were asked; the figure leads to a condition that chooses exactly them."""
    page = english("/consent")
    (link,) = re.findall(r'href="(/audiences/new\?condition=[^"]+)">45</a>', page)
    assert "75.0%" in page
    condition = parse_qs(urlsplit(html.unescape(link)).query)["condition"][0]
    assert condition == "consented('marketing', 'email')"
    answer = world.post("/api/audiences/preview", json={"condition": condition}).json()
    assert answer["count"] == 45


def test_a_reader_is_told_figures_of_large_groups_and_has_no_way_to_people(signed_in):
    """Who sees figures only gets the page, says that small groups are merged, and links to nobody."""
    page = signed_in("rae", "reader").get("/consent").text
    assert "fewer than five" in page
    assert "/audiences/new?condition" not in page
    assert signed_in("ann", "analyst").get("/consent").status_code == 200


def test_the_staff_of_a_unit_are_told_of_their_own_people(signed_in, core):
    """A guide's figures are those of the guide's store."""
    client = signed_in("gus", "guide", unit_id=core.units["A"])
    shown = client.get("/api/consent").json()
    mine = core.lane().value("select count(*) from profiles where unit_id = ?", [core.units["A"]])
    assert shown["people"] == mine
    (email,) = shown["permissions"]
    assert email["granted"] + email["withdrawn"] + email["never"] == mine


def test_days_have_their_chart_and_a_table_that_says_the_same(english):
    """The chart's numbers stand in a table for who can't see it."""
    page = english("/consent")
    assert 'id="days-table"' in page
    assert page.split('id="days-table"')[1].split("</table>")[0].count("<tr>") == 31
