"""A question may take so long and no longer: the lane's statement is stopped from outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

import duckdb

from spira.segment.preview import TooSlow
from spira.storage.warehouse import Warehouse


@contextmanager
def limited(warehouse: Warehouse, seconds: float, *, what: str) -> Iterator[None]:
    """Stop the lane's statement after `seconds`; TooSlow says that `what` was not done."""
    timer = Timer(seconds, warehouse.interrupt)
    timer.start()
    try:
        yield
    except duckdb.InterruptException:
        raise TooSlow(
            f"{what} was not done within {seconds:g} seconds", help="try again when less is going on"
        ) from None
    finally:
        timer.cancel()
        timer.join()
