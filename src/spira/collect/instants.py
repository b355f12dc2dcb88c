"""Instants: when many calls happened, as `calls.occurred` and `calls.inspect` say of one, in microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spira.kernel.clock import parse_instant

Micros = npt.NDArray[np.int64]
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST, _LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999  # of the years 1 and 9999
_UNTOLD = int(np.iinfo(np.int64).min)
_INSTANT = pa.timestamp("us", "UTC")
_FEW = 24  # texts that are read sooner one by one


def micros(instant: datetime) -> int:
    """An instant as Arrow keeps it: microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def occurred(
    told: Sequence[str | None], sent: Sequence[str | None], received: Micros, *, tolerance: timedelta, odd: set[int]
) -> Micros:
    """When each happened: what the client says, less the error of its clock where it says when it sent it.

    The places of what is no instant, or lies further in the future than tolerated, are added to `odd`.
    """
    at, left = _read(told, odd), _read(sent, odd)
    skewed = np.where(left == _UNTOLD, at, received - (left - at))
    ts: Micros = np.where(at == _UNTOLD, received, skewed)
    latest = received + tolerance // _MICROSECOND
    odd.update(np.flatnonzero((ts > latest) | (ts < _EARLIEST) | (ts > _LATEST)).tolist())
    return ts


def _read(texts: Sequence[str | None], odd: set[int]) -> Micros:
    """Instants from how they are written, `_UNTOLD` for None; those that are none are odd."""
    different = set(texts)  # calls that were sent together say so in the same text
    if len(different) >= _FEW:
        try:
            read = pa.array(texts, pa.string()).cast(_INSTANT).cast(pa.int64())
        except pa.ArrowInvalid:
            pass  # one of them is written in a way that Arrow does not know
        else:
            every: Micros = read.fill_null(_UNTOLD).to_numpy()
            return every
    known = {text: _read_one(text) for text in different}
    if None in known.values():
        odd.update(place for place, text in enumerate(texts) if known[text] is None)
        known = {text: at or 0 for text, at in known.items()}
    return np.fromiter(map(known.__getitem__, texts), np.int64, len(texts))


def _read_one(text: str | None) -> int | None:
    """One of them, in any form that is allowed; None for what is no instant."""
    if text is None:
        return _UNTOLD
    try:
        return micros(parse_instant(text))
    except (ValueError, OverflowError):
        return None
