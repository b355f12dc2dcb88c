"""Pages are asked for as the API is: the same fixtures as the server's tests, and a whole world to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.console.world import World, open_world
from tests.server.conftest import app, client, core, form_token, local, signed_in, wall

__all__ = ["app", "client", "core", "form_token", "local", "signed_in", "wall"]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A whole workspace, shared by all tests of a worker: look, and change nothing others look at."""
    with open_world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def fresh_world(tmp_path) -> Iterator[World]:
    """A whole workspace of a test's own, to change as it likes."""
    with open_world(tmp_path) as made:
        yield made


@pytest.fixture
def english(world: World) -> Callable[[str], str]:
    """A page of the world as text, in English."""
    return lambda path: world.get(path, headers={"cookie": "spira_language=en"}).text
