"""Components: which numbers are connected, by arrays alone.

Every round hooks the larger root of each edge to the smaller one and then looks along the edges between
what are roots now. Edges within one component fall away, so the rounds get shorter; most of the work is
inside numpy. A component's label is its smallest number, whatever the order of the edges.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Indexes = npt.NDArray[np.int32]
Scalar = TypeVar("Scalar", bound=np.generic)


def components(size: int, one: Indexes, two: Indexes) -> Indexes:
    """The smallest number that is connected with each of 0 … size - 1, by edges from `one` to `two`."""
    parent = np.arange(size, dtype=np.int32)
    few = one.size * 4 < size
    hooked = []
    while one.size:
        low, high = np.minimum(one, two), np.maximum(one, two)
        parent[high] = low  # of several edges any one may win: each leads to a smaller root
        _shorten(parent, high)
        if few:
            hooked.append(high)
        one, two = at(parent, low), at(parent, high)
        apart = np.flatnonzero(one != two)
        one, two = one[apart], two[apart]
    if few:
        for each in hooked:
            _shorten(parent, each)
        return parent
    return _flattened(parent)


def at(values: npt.NDArray[Scalar], places: npt.NDArray[np.integer]) -> npt.NDArray[Scalar]:
    """`values[places]` in half the time, for places that are known to be there."""
    found: npt.NDArray[Scalar] = np.take(values, places, mode="clip")
    return found


def once(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Each value once, in order: what `np.unique` says, in a third of the time."""
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if ordered.size else ordered


def _flattened(parent: Indexes) -> Indexes:
    """The root that each number leads to."""
    while True:
        grand = at(parent, parent)
        if np.array_equal(grand, parent):
            return grand
        parent = grand


def _shorten(parent: Indexes, which: Indexes) -> None:
    """Let each of `which` point at its root, by jumping twice as far each time."""
    while which.size:
        near = at(parent, which)
        far = at(parent, near)
        moved = np.flatnonzero(near != far)
        which = which[moved]
        parent[which] = far[moved]
