"""A table in, people out: the whole way from columns to clusters, and what each step took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from spira.unify.matching import clusters
from spira.unify.matching.clean import Cleaned, clean
from spira.unify.matching.model import Matcher, Pairs, settle

LINK = 0.0  # log2 of odds from which records are joined, unless the workspace says otherwise
_FILL = 400  # records of a component within which every pair is weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """Who is who: `person` has for each row the lowest row of the same person; `pairs` what it was made of,
    `prior` the share of all pairs that are of one person, `keys` what pairs were brought together by."""

    cleaned: Cleaned
    person: np.ndarray[Any, np.dtype[np.int64]]
    pairs: Pairs
    prior: float
    keys: tuple[str, ...]


def resolve(
    table: pa.Table,
    kinds: Mapping[str, str],
    *,
    threshold: float = LINK,
    one_per_source: bool = False,
    seed: int = 1,
    memory: str = "4GB",
) -> Resolved:
    """Match the records of one table with one another.

    `kinds` is what `columns.guess` gives. With `one_per_source` a column of the kind `source` must be among them, and
    no two records of one source are of one person.
    """
    cleaned = clean(table, kinds)
    rows = table.num_rows
    matcher = Matcher(cleaned, seed=seed, memory=memory)
    try:
        matcher.train()
        pairs, prior = settle(matcher.pairs(), matcher.prior, rows * (rows - 1) / 2)
        pairs = _filled(matcher, pairs, prior, rows)
        keys = tuple(" + ".join(part.name.removeprefix("f_") for part in key.parts) for key in matcher.keys)
    finally:
        matcher.close()
    source = cleaned.table.column("source").to_pylist() if one_per_source and cleaned.source else None
    person = clusters.people(pairs.left, pairs.right, pairs.weight, rows, threshold=threshold, source=source)
    return Resolved(cleaned=cleaned, person=person, pairs=pairs, prior=prior, keys=keys)


def _filled(matcher: Matcher, pairs: Pairs, prior: float, rows: int) -> Pairs:
    """The pairs, and with them those inside a component that no key had brought together."""
    likely = pairs.weight >= 0
    group = clusters.components(pairs.left[likely], pairs.right[likely], rows)
    many = clusters.sizes(group)
    group = np.where((many > 2) & (many <= _FILL), group, -1)
    if not (group >= 0).any():
        return pairs
    more = matcher.within(group)
    shift = np.log2(prior / (1 - prior)) - np.log2(matcher.prior / (1 - matcher.prior))
    known = pairs.left * rows + pairs.right
    fresh = ~np.isin(more.left * rows + more.right, known)
    return Pairs(
        left=np.concatenate([pairs.left, more.left[fresh]]),
        right=np.concatenate([pairs.right, more.right[fresh]]),
        weight=np.concatenate([pairs.weight, more.weight[fresh] + shift]),
        levels={name: np.concatenate([each, more.levels[name][fresh]]) for name, each in pairs.levels.items()},
    )
