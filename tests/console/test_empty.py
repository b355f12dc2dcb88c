"""An empty workspace teaches: every page opens, says that nothing is there, and leads on to where it begins."""

from datetime import datetime

import pytest
from litestar.testing import TestClient

from spira.console.app import create_app
from spira.console.rail import RAIL, offered
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import Viewer
from spira.server.sessions import open_session
from spira.server.staff import NewStaff, add_staff
from spira.testing.workspaces import make_workspace
from spira.worker.core import Core

PAGES = [item.href for group in RAIL for item in group.items]
# What an empty page says, and the next thing to do.
TAUGHT = {
    "/people": ("Nobody yet", "/sources"),
    "/tags": ("No tag yet", "/definitions/new?kind=tag"),
    "/audiences": ("No audience yet", "/audiences/new?condition="),
    "/journeys": ("No journey yet", "/definitions/new?kind=journey"),
    "/broadcasts": ("No broadcast yet", "/definitions/new?kind=journey"),
    "/templates": ("No template yet", "/definitions/new?kind=template"),
    "/deliveries": ("No delivery yet", "/journeys"),
    "/live": ("No event yet", "/sources"),
    "/sources": ("No source yet", "/sources/new"),
    "/consent": ("Nobody was asked yet", "/sources"),
    "/metrics": ("No metric yet", "/definitions/new?kind=metric"),
    "/definitions": ("Nothing here", "/definitions/new"),
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A workspace as `spira init` leaves it: no definitions, no source, nobody."""
    directory = make_workspace(tmp_path_factory.mktemp("empty"), {})
    with Core.open(directory, runner=InlineRunner()) as core:
        core.step_clock(datetime(2026, 6, 1, 12))
        yield core


@pytest.fixture(scope="module")
def administrator(empty):
    """A client of the administrator on the machine."""
    client = TestClient(create_app(empty, local_token="local"), raise_server_exceptions=False)
    client.headers["authorization"] = "Bearer local"
    return client


@pytest.fixture(scope="module")
def reader(empty):
    """A client of somebody who reads figures and nothing else."""
    made = add_staff(empty.state, NewStaff(email="r@example.org", name="R", roles=("reader",)), at=empty.clock.now())
    client = TestClient(create_app(empty, wall=empty.clock), raise_server_exceptions=False)
    client.cookies.set("spira_session", open_session(empty.state, made.staff_id, at=empty.clock.now(), hours=8))
    client.cookies.set("spira_language", "en")
    return client


def content(answer):
    """What stands between the rail and the end."""
    return answer.text.split("<main", 1)[1].split("</main>", 1)[0]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("path", ["/start", *PAGES])
def test_every_page_opens_when_there_is_nothing(administrator, path, language):
    """No page needs anything to be there."""
    answer = administrator.get(path, headers={"cookie": f"spira_language={language}"})
    assert answer.status_code == 200
    assert "<h1" in content(answer)


@pytest.mark.parametrize("path", TAUGHT)
def test_an_empty_page_leads_on(administrator, path):
    """It says what is missing, and its link leads to a page that opens."""
    said, link = TAUGHT[path]
    text = content(administrator.get(path))
    assert said in text
    href = text.split(f'href="{link}', 1)[1].split('"', 1)[0]
    assert administrator.get(f"{link}{href}").status_code == 200


def test_a_reader_is_led_nowhere_they_may_not_go(reader):
    """Every page a reader may open opens; none links to a page that is closed to them."""
    viewer = Viewer(staff_id="r", name="R", roles=frozenset({"reader"}), units=None, language="en")
    items = [item for group in RAIL for item in group.items]
    closed = [item.href for item in items if not offered(viewer, item)]
    assert "/definitions" in closed
    for item in items:
        if offered(viewer, item):
            answer = reader.get(item.href)
            assert answer.status_code == 200
            assert [each for each in closed if f'href="{each}' in content(answer)] == []


def test_nothing_is_drawn_of_nothing(administrator):
    """Without people or consents there is no chart with bars of no height."""
    assert "data-chart" not in content(administrator.get("/consent"))
    assert "data-chart" not in content(administrator.get("/cockpit"))


def test_a_chart_is_drawn_once_there_is_something(world):
    """Where people and consents are, their days are drawn."""
    assert "data-chart" in content(world.get("/consent"))
    assert "data-chart" in content(world.get("/cockpit"))
