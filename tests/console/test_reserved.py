"""No definition may be called as a page or an API route beside its own is, whatever routes there are."""

from __future__ import annotations

from collections import defaultdict

import pytest
from litestar.routes import HTTPRoute
from tests.console.world import World

import spira.worker.builtin  # noqa: F401  (registers every kind)
from spira.console.app import create_app
from spira.definitions.kinds import KINDS
from spira.testing.cores import StandInCore


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    """For each place whose pages are found by name: the names that are pages of the console's own."""
    core = StandInCore(tmp_path_factory.mktemp("core"))
    paths = [route.path for route in create_app(core).routes if isinstance(route, HTTPRoute)]
    core.close()
    named, own = set(), defaultdict(set)
    for path in paths:
        place, _, rest = path.removeprefix("/api").removeprefix("/").partition("/")
        name = rest.partition("/")[0]
        if name.startswith("{"):
            named.add(place)
        elif name:
            own[place].add(name)
    return {place: own[place] for place in named}


@pytest.mark.parametrize("kind", [name for name, _ in KINDS.items()])
def test_every_page_beside_the_pages_of_a_kind_is_a_reserved_name(beside, kind):
    """What the routes have at the address of a definition, `spira check` refuses as its name."""
    declared = KINDS.get(kind)
    assert beside.get(declared.folder, set()) <= declared.reserved


def test_the_walk_over_the_routes_sees_something(beside):
    """It finds the kinds' pages and the pages beside them."""
    assert {"tags", "audiences", "journeys", "templates", "metrics"} <= set(beside)
    assert {"new", "compare", "preview", "offers"} <= beside["audiences"]


def test_the_console_refuses_such_a_name_and_says_why(world: World):
    """The plan of an audience called `new` is a fault at the name, in the builder's form as well."""
    for path, form in (
        ("/definitions/draft", {"way": "write", "text": "audience: compare\nwho: orders_90d >= 1\n"}),
        ("/audiences/save", {"name": "new", "condition": "orders_90d >= 1"}),
    ):
        answer = world.post(path, data=form)
        assert answer.status_code == 422
        assert "D105" in answer.text
        assert "the console has its own page at" in answer.text
