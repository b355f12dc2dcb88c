"""Applications for tests: one is built once and lent to one core after another, as building takes a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from litestar import Litestar

from spira.console.app import create_app
from spira.kernel.clock import Clock
from spira.server.core import AnyCore

_FREE: list[Litestar] = []


@contextmanager
def lent_app(core: AnyCore, *, local_token: str = "", wall: Clock | None = None) -> Iterator[Litestar]:
    """An application that answers for this core, until it is given back; nobody else has it meanwhile."""
    app = create_app(core, local_token=local_token, wall=wall, built=_FREE.pop() if _FREE else None)
    try:
        yield app
    finally:
        _FREE.append(app)
