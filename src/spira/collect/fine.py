"""Fine: whether nothing at all is wrong with the calls of a request, told for all of them together.

`calls.inspect` says what is wrong with a call, and looks at each by itself; nearly all requests have nothing
wrong with them, which is told here in a third of the time. "No" only means that they have to be looked at.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from spira.collect.calls import NOTHING, identity, wrong_parts
from spira.collect.chunk import PlainBatch, PlainCall, deep
from spira.collect.instants import micros, occurred
from spira.kernel.settings import CollectSettings

_OBJECT = frozenset({b"{"})


def is_fine(batch: PlainBatch, *, size: int, received_at: datetime, limits: CollectSettings) -> bool:
    """Whether `calls.inspect` has nothing to say of any call; `size` is that of the whole body."""
    calls = batch.batch
    if size > limits.max_event_bytes and any(wrong_parts(call, limits.max_event_bytes) for call in calls):
        return False
    return all(map(_is_whole, calls)) and _are_objects(calls) and _happened(batch, received_at, limits)


def _is_whole(call: PlainCall) -> bool:
    """Whether the call says what it is, and who it is about."""
    if call.type is None or (call.type == "track" and not (call.event and call.event.strip())):
        return False
    return identity(call.anonymous_id) is not None or identity(call.user_id) is not None


def _are_objects(calls: list[PlainCall]) -> bool:
    """Whether each part is an object, or nothing, and none is too deep."""
    parts = [call.properties for call in calls] + [call.context for call in calls] + [call.traits for call in calls]
    texts = [bytes(part) for part in parts if part is not NOTHING]
    if {text[:1] for text in texts} <= _OBJECT:
        return not deep(texts)
    return all(text[:1] == b"{" or text == b"null" for text in texts) and not deep(texts)


def _happened(batch: PlainBatch, received_at: datetime, limits: CollectSettings) -> bool:
    """Whether every instant is one, and none too far in the future."""
    odd: set[int] = set()
    occurred(
        [call.original_timestamp or call.timestamp or None for call in batch.batch],
        [call.sent_at or batch.sent_at or None for call in batch.batch],
        np.full(len(batch.batch), micros(received_at), np.int64),
        tolerance=timedelta(seconds=limits.future_tolerance_seconds),
        odd=odd,
    )
    return not odd
