from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from spira.kernel.clock import FrozenClock
from spira.testing.apps import lent_app
from spira.testing.cores import PASSWORD, StandInCore, fill, staff
from spira.testing.houses import NOON


@pytest.fixture
def core(tmp_path) -> Iterator[StandInCore]:
    made = StandInCore(tmp_path)
    made.units = fill(made)
    yield made
    made.close()


@pytest.fixture
def wall() -> FrozenClock:
    return FrozenClock(NOON)


@pytest.fixture
def app(core, wall) -> Iterator[Litestar]:
    with lent_app(core, wall=wall) as made:
        yield made


@pytest.fixture
def client(app) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def local(client, app) -> TestClient:
    client.headers["authorization"] = f"Bearer {app.state.local_token}"
    return client


@pytest.fixture
def signed_in(client, core) -> Callable[..., TestClient]:
    def sign_in(name: str, *roles: str, unit_id: int | None = None) -> TestClient:
        staff(core, name, *roles, unit_id=unit_id)
        client.get("/sign-in")
        form = {"email": f"{name}@example.com", "password": PASSWORD, "csrf": form_token_of(client, "/sign-in")}
        answer = client.post("/sign-in", data=form, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return client

    return sign_in


def form_token_of(client: TestClient, path: str) -> str:
    page = client.get(path).text
    return page.split('name="csrf" value="')[1].split('"')[0]


@pytest.fixture
def form_token(client) -> Callable[[str], str]:
    return lambda path: form_token_of(client, path)
