"""Pages are asked for as the API is: the same fixtures as the server's tests, and a whole world to look at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack

import pytest
from litestar import Litestar
from tests.console.world import World, lived_once, open_copy
from tests.server.conftest import app, client, core, form_token, local, signed_in, wall

from spira.testing.apps import lent_app

__all__ = ["app", "client", "core", "form_token", "local", "signed_in", "wall"]
OpenWorld = Callable[[str], AbstractContextManager[World]]


@pytest.fixture(scope="session")
def open_world(tmp_path_factory: pytest.TempPathFactory) -> OpenWorld:
    """How to open a world of one's own, in a folder of a name: `with open_world("links") as world`."""
    own = tmp_path_factory.getbasetemp()
    lived = lived_once(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
    return lambda name: open_copy(lived, tmp_path_factory.mktemp(name))


@pytest.fixture(scope="session")
def world(open_world: OpenWorld) -> Iterator[World]:
    """A whole workspace, shared by all tests of a worker: look, and change nothing others look at."""
    with open_world("world") as made:
        yield made


@pytest.fixture
def fresh_world(open_world: OpenWorld) -> Iterator[World]:
    """A whole workspace of a test's own, to change as it likes."""
    with open_world("fresh") as made:
        yield made


@pytest.fixture
def lent() -> Iterator[Callable[..., Litestar]]:
    """One more application over a core, for this test: `lent(core, wall=core.clock)`."""
    with ExitStack() as borrowed:
        yield lambda core, **more: borrowed.enter_context(lent_app(core, **more))


@pytest.fixture
def english(world: World) -> Callable[[str], str]:
    """A page of the world as text, in English."""
    return lambda path: world.get(path, headers={"cookie": "spira_language=en"}).text
