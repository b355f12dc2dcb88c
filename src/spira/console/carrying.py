"""Carrying a form out: where it leads, or its page again with what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from litestar import Response

from spira.console.telling import Told, told
from spira.kernel.errors import SpiraError
from spira.kernel.viewer import Viewer


async def carried(
    viewer: Viewer, act: Callable[[], Response[Any]], otherwise: Callable[[Told], Response[Any]]
) -> Response[Any]:
    """The answer of `act`, on a thread of its own; of what was refused on purpose, the page that `otherwise` draws."""

    def attempt() -> Response[Any]:
        try:
            return act()
        except SpiraError as error:
            return otherwise(told(error, viewer.language))

    return await anyio.to_thread.run_sync(attempt)
