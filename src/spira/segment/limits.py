"""A question may take so long and no longer: the lane's statement is stopped from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

import duckdb

from spira.kernel.errors import Retryable
from spira.storage.warehouse import Warehouse

LATER = "try again when less is going on"


class TooSlow(Retryable):
    """A question took longer than its limit and was stopped."""

    code = "E203"


@contextmanager
def limited(warehouse: Warehouse, seconds: float, *, said: str, help: str = LATER) -> Iterator[None]:
    """Stop the lane's statement after `seconds`; TooSlow begins with `said`, as in "the tag was not done"."""
    timer = Timer(seconds, warehouse.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException:
        raise TooSlow(f"{said} within {seconds:g} seconds", help=help) from None
    finally:
        timer.cancel()
        timer.join()
