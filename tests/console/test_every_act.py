"""Every change that the console or the API can carry out is carried out, and stands in the audit under who did it.

`tests/server/test_every_change.py` looks at the code of each route; here each is really used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from litestar import Litestar
from tests.console.acting import actor
from tests.console.acts import ACTS, ELSEWHERE, NEW
from tests.console.conftest import OpenWorld
from tests.console.world import World
from tests.server.test_every_change import UNWRITTEN, changing

from spira.console.app import create_app
from spira.testing.cores import PASSWORD, StandInCore


@pytest.fixture(scope="module")
def lived(open_world: OpenWorld) -> Iterator[tuple[World, Litestar]]:
    """A world of this module's own, since everything is done to it, and its application by the world's clock."""
    with open_world("lived") as made:
        yield made, create_app(made.core, wall=made.core.clock)


@pytest.mark.parametrize("path", sorted(ACTS))
def test_what_somebody_does_stands_in_the_audit(lived, path):
    """The route carries the change out, and a row names who did it and what it was."""
    who = actor(*lived)
    ACTS[path](who)
    assert who.answer is not None
    pattern = re.sub(r"{\w+:\w+}", "[^/]+", path)
    assert re.fullmatch(pattern, who.answer.request.url.path)
    assert who.answer.status_code < 400, who.answer.text[:600]
    assert [row.action for row in who.written if row.actor == who.me], f"{path} left no row"
    assert all(PASSWORD not in str(row) and NEW not in str(row) for row in who.written)


def test_every_route_that_changes_something_is_driven_or_has_a_reason(tmp_path):
    """None is forgotten, and none is excused that is driven."""
    core = StandInCore(tmp_path)
    paths = {path for path, _, _ in changing(create_app(core))}
    core.close()
    known = {*ACTS, *UNWRITTEN, *ELSEWHERE}
    assert paths - known == set()
    assert not ELSEWHERE.keys() & ACTS.keys()


def test_a_change_that_is_refused_leaves_no_row_of_having_been_made(lived):
    """What is not carried out is not written down as done: a wrong confirmation of each destructive act."""
    who = actor(*lived)
    other = who.colleague()
    who.send("/api/units", json={"code": who.fresh("unit"), "name": "Unit"})
    for path, form in (
        (f"/staff/{other.staff_id}/end", {"confirm": "nobody"}),
        (f"/staff/units/{who.fresh('unit')}/remove", {"confirm": "nothing"}),
        ("/sources/shop/end", {"confirm": "shpo"}),
        ("/requests/erase", {"identifier": "email:u12@example.com", "confirm": "p_nobody"}),
        ("/account/password", {"present": "no", "new": NEW}),
    ):
        who.act(path, form)
        assert who.answer.status_code >= 400, path
        assert who.written == [], path
