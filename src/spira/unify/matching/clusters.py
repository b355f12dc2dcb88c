"""People made of pairs: groups whose records belong together on the whole, not by one chain of links.

Two groups are joined while the mean weight between their records stays above the threshold, the surest first
(average linkage). So one wrong link does not pull two people together when their other records disagree. Records that
no link holds stay alone. Where each source lists a person once, two records of one source are never joined.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import Any

import numpy as np

LEAST, MOST = -5.0, 10.0  # what one pair may say for or against, so that none outvotes all others
SLACK = 1.5  # what the mean of several pairs may lie under the threshold of one: they can't all be wrong in one way
UNSEEN = -3.0  # what a pair says that nothing brought together
Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def components(left: Ints, right: Ints, rows: int) -> Ints:
    """The lowest row number that each row is linked with, however far."""
    root = np.arange(rows)
    if not len(left):
        return root
    while True:
        low = np.minimum(root[left], root[right])
        moved = root.copy()
        np.minimum.at(moved, root[left], low)
        np.minimum.at(moved, root[right], low)
        np.minimum.at(moved, left, low)
        np.minimum.at(moved, right, low)
        moved = moved[moved]
        if np.array_equal(moved, root):
            return root
        root = moved


def sizes(group: Ints) -> Ints:
    """How many rows the group of each row has."""
    return np.bincount(group, minlength=len(group))[group]


def people(
    left: Ints, right: Ints, weight: Floats, rows: int, *, threshold: float, source: Sequence[str | None] | None = None
) -> Ints:
    """The person of each row, named by the person's lowest row.

    `weight` is log2 of odds; pairs that are missing count as `UNSEEN`. With `source`, each person has at most one
    record of each source.
    """
    sure = weight >= threshold
    person = components(left[sure], right[sure], rows)
    count = np.bincount(person, minlength=rows)
    inside = person[left] == person[right]
    links = np.bincount(person[left[inside & sure]], minlength=rows)
    whole = links * 2 == count * (count - 1)  # every pair is sure: nothing to weigh
    if source is not None:
        whole &= count < 2
    open_rows = np.flatnonzero(~whole[person])
    if not len(open_rows):
        return person
    wanted = inside & ~whole[person[left]]
    order = np.argsort(person[left[wanted]], kind="stable")
    pieces = (each[wanted][order] for each in (left, right, np.clip(weight, LEAST, MOST)))
    for some_left, some_right, some_weight in _split(person, *pieces):
        for group in _agglomerated(some_left, some_right, some_weight, threshold, source):
            person[group] = min(group)
    return person


def _split(person: Ints, left: Ints, right: Ints, weight: Floats) -> Iterator[tuple[list[int], list[int], list[float]]]:
    owner = person[left]
    bounds = [0, *(np.flatnonzero(np.diff(owner)) + 1).tolist(), len(owner)]
    for start, end in pairwise(bounds):
        if end > start:
            yield left[start:end].tolist(), right[start:end].tolist(), weight[start:end].tolist()


def _agglomerated(
    left: list[int], right: list[int], weight: list[float], threshold: float, source: Sequence[str | None] | None
) -> list[list[int]]:
    """The groups of one component."""
    members: dict[int, list[int]] = {row: [row] for row in {*left, *right}}
    sources = {row: {source[row]} - {None} for row in members} if source is not None else {}
    near: dict[int, dict[int, tuple[float, int]]] = defaultdict(dict)  # group -> other group -> (sum, pairs seen)
    for a, b, each in zip(left, right, weight, strict=True):
        near[a][b] = near[b][a] = (each, 1)
    heap = [(-each, min(a, b), max(a, b)) for a, b, each in zip(left, right, weight, strict=True) if each >= threshold]
    heapify(heap)
    while heap:
        score, a, b = heappop(heap)
        if a not in members or b not in members or b not in near[a]:
            continue
        if abs(_mean(near[a][b], len(members[a]) * len(members[b])) + score) > 1e-9:
            continue  # one of the two has grown since
        if source is not None and sources[a] & sources[b]:
            continue
        members[a] += members.pop(b)
        if source is not None:
            sources[a] |= sources.pop(b)
        for other, (total, seen) in near.pop(b).items():
            del near[other][b]
            if other == a:
                continue
            known, pairs = near[a].get(other, (0.0, 0))
            near[a][other] = near[other][a] = (total + known, seen + pairs)
        for other, entry in near[a].items():
            mean = _mean(entry, len(members[a]) * len(members[other]))
            if mean >= threshold - SLACK:
                heappush(heap, (-mean, min(a, other), max(a, other)))
    return list(members.values())


def _mean(entry: tuple[float, int], pairs: int) -> float:
    total, seen = entry
    return (total + (pairs - seen) * UNSEEN) / pairs
