"""The rail and the phone's bar: what stands where for whom."""

import re

import pytest

from spira.console.rail import IN_BAR, RAIL, bar_for, rail_for
from spira.kernel.viewer import ROLES, Viewer


def viewer(*roles, units=None):
    """Somebody with roles."""
    return Viewer(staff_id="x", name="X", roles=frozenset(roles), units=units)


def bar(*roles, units=None):
    """What the phone's bar says to somebody, by the keys of its words."""
    who = viewer(*roles, units=units)
    return [each.words for each in bar_for(who, rail_for(who))]


def test_a_privacy_officer_has_guard_in_the_bar():
    """Requests and consent are one touch away, whatever else the officer is."""
    assert "rail.guard" in bar("privacy_officer")
    assert "rail.guard" in bar("privacy_officer", "operator")
    assert "rail.guard" in bar("privacy_officer", units=frozenset({1}))
    assert "rail.guard" not in bar("operator")


def test_a_guide_goes_straight_to_people():
    """Who serves people finds a person in one touch; whoever is more than that has the group."""
    assert "rail.item.people" in bar("guide", units=frozenset({1}))
    assert "rail.item.people" in bar("guide", "service")
    assert "rail.know" in bar("guide", "operator")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("units", [None, frozenset({1})])
def test_the_bar_has_what_fits_and_nothing_closed(role, units):
    """Four groups at most, in the rail's order, each leading to a page that the role is offered."""
    who = viewer(role, units=units)
    rail = rail_for(who)
    shown = bar_for(who, rail)
    order = [group.name for group in RAIL]
    places = [order.index(each.group.name) for each in shown]
    assert 0 < len(shown) <= IN_BAR
    assert places == sorted(places)
    assert {each.href for each in shown} <= {item.href for group in rail for item in group.items}


def test_the_page_draws_the_bar_of_who_looks(signed_in):
    """A privacy officer's page has Guard between the others and More."""
    page = signed_in("pia", "privacy_officer").get("/cockpit").text
    (drawn,) = re.findall(r'<nav class="bottom".*?</nav>', page, re.DOTALL)
    assert re.findall(r'<a href="([^"]+)"', drawn)[-2:] == ["/consent", "/more"]
