"""The reference of the console tells of every page, its JSON and who may open it, as the routes say."""

import re
from pathlib import Path

import pytest

from spira.console.app import ROUTES
from spira.console.rail import KEYS, RAIL
from spira.kernel.viewer import ROLES
from spira.server import roles

TEXT = (Path(__file__).parents[2] / "docs" / "reference" / "console.md").read_text(encoding="utf-8")
GROUPS = {
    "everybody": roles.ALL,
    "people": roles.PEOPLE,
    "define": roles.DEFINE,
    "give": roles.GIVE,
    "run": roles.RUN,
    "link": roles.LINK,
    "connect": roles.CONNECT,
    "decide": roles.DECIDE,
    "erase": roles.ERASE,
    "administer": roles.ADMINISTER,
}
ROWS = {
    page: (twin, group, bool(whole))
    for page, twin, group, whole in re.findall(
        r"^\| `(/[^`]*)` \| (?:`([^`]+)`|–) \| (\w+)(, whole brand)? \|$", TEXT, re.MULTILINE
    )
}


def plainly(path):
    """A route's path without the types of its parameters and its query."""
    return re.sub(r":\w+}", "}", path).partition("?")[0]


PAGES = {
    plainly(path): route.opt
    for route in ROUTES
    for path in route.paths
    if "GET" in route.http_methods and "data" in route.opt
}


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_page_is_documented_as_it_is(page):
    """
    A page's row names its JSON and the roles that its route names.
    """
    twin, group, whole = ROWS[page]
    assert twin == plainly(PAGES[page]["data"] or "")
    assert set(GROUPS[group]) == set(PAGES[page].get("roles", roles.ALL))
    assert whole == bool(PAGES[page].get("whole"))


def test_no_page_is_told_of_that_is_not_there():
    """
    Every row is of a page that the application has.
    """
    assert set(ROWS) <= set(PAGES)


def test_groups_have_the_roles_they_are_said_to_have():
    """
    The table of groups says what `server/roles.py` says, and names only roles that exist.
    """
    told = {
        name: re.findall(r"`(\w+)`", named)
        for name, named in re.findall(r"^\| (\w+) \| (`.*`) \|$", TEXT, re.MULTILINE)
    }
    assert {name: set(named) for name, named in told.items()} == {name: set(each) for name, each in GROUPS.items()}
    assert {role for named in told.values() for role in named} == set(ROLES)


def test_pages_stand_in_the_order_of_the_rail():
    """
    The first page of each item of the rail comes after that of the item before.
    """
    places = [TEXT.index(f"| `{item.href}` |") for group in RAIL for item in group.items]
    assert places == sorted(places)


def test_every_key_is_told():
    """
    Each letter that goes somewhere after `g` stands in the table of keys.
    """
    line = next(each for each in TEXT.splitlines() if each.startswith("| `g` then"))
    assert set(re.findall(r"`(\w)` \w+", line.partition("go:")[2])) == set(KEYS.values())
