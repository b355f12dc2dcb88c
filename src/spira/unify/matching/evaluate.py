"""How good the matching is on a table whose truth is known: pairwise precision and recall, and the worst mistakes.

Reads a CSV or Parquet file, nothing else; writes nothing. The truth is left out of everything but the counting. Values
in the mistakes are masked unless they are asked for.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from spira.kernel.jobs import job
from spira.unify.matching import columns
from spira.unify.matching.model import probability
from spira.unify.matching.needs import need
from spira.unify.matching.resolve import LINK, Resolved, resolve

_Array = np.ndarray[Any, Any]


class EvaluateTask(msgspec.Struct, kw_only=True):
    """What to evaluate: a file, its column of truth, the kinds of columns that were told, and how.

    `threshold` is log2 of the odds from which two records are joined.
    """

    path: str
    truth: str
    told: dict[str, str] = {}
    threshold: float = LINK
    one_per_source: bool = False
    worst: int = 5
    masked: bool = True
    memory: str = "4GB"


class Mistake(msgspec.Struct, kw_only=True):
    """Two records that were wrongly joined, or wrongly kept apart: row numbers from 1, the weight between them where
    they were compared, and per column both values and how they were compared."""

    rows: tuple[int, int]
    weight: float | None
    values: dict[str, tuple[str, str]]


class Evaluation(msgspec.Struct, kw_only=True):
    """The figures. Pairs are of rows; `columns` says what each column was taken for; `calibration` lists for bands of
    probability how many pairs there were, what was expected, and what share was of one person."""

    precision: float
    recall: float
    f1: float
    seconds: float
    records: int
    people: int
    true_people: int
    true_pairs: int
    found_pairs: int
    looked_at: int
    columns: dict[str, str]
    keys: list[str]
    calibration: list[dict[str, float]]
    joined_wrongly: list[Mistake]
    kept_apart_wrongly: list[Mistake]


def read_table(path: Path) -> pa.Table:
    """A CSV (as text throughout, so that leading zeros stay) or Parquet file.

    Raises BadColumns when it can't be read.
    """
    duckdb = need("duckdb")
    connection = duckdb.connect(":memory:")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return connection.from_parquet(str(path)).to_arrow_table()
        return connection.read_csv(str(path), all_varchar=True, header=True).to_arrow_table()
    except duckdb.Error as fault:
        raise columns.BadColumns(f"{path.name} can't be read as a table", help=str(fault).splitlines()[0]) from fault
    finally:
        connection.close()


@job("unify.matching.evaluate", task=EvaluateTask, result=Evaluation)
def evaluate(task: EvaluateTask) -> Evaluation:
    """Match the file's records and compare with the truth; rows without a truth are left out.

    Raises BadColumns when the truth is not a column of the file, or nothing can be matched on.
    """
    table = read_table(Path(task.path))
    if task.truth not in table.column_names:
        raise columns.BadColumns(
            f"there is no column `{task.truth}`", help=f"the columns are {', '.join(table.column_names)}"
        )
    told = [each is not None for each in columns.texts(table.column(task.truth))]
    table = table.filter(pa.array(told))
    truth = columns.texts(table.column(task.truth))
    if len(truth) < 2:
        raise columns.BadColumns(f"`{task.truth}` is empty in all rows but {len(truth)}")
    started = time.perf_counter()
    kinds = columns.guess(table, told=task.told, truth=task.truth)
    found = resolve(table, kinds, threshold=task.threshold, one_per_source=task.one_per_source, memory=task.memory)
    seconds = time.perf_counter() - started
    return _judged(
        task,
        table,
        np.unique(np.asarray(truth, dtype=object).astype(str), return_inverse=True)[1],
        kinds,
        found,
        seconds,
    )


def counts(truth: _Array, person: _Array) -> tuple[int, int, int]:
    """How many pairs are of one person in truth, were found, and both."""
    both = truth.astype(np.int64) * (int(person.max()) + 1) + person
    return _pairs(truth), _pairs(person), _pairs(both)


def _pairs(group: _Array) -> int:
    many = np.unique(group, return_counts=True)[1].astype(np.int64)
    return int((many * (many - 1) // 2).sum())


def _judged(
    task: EvaluateTask, table: pa.Table, truth: _Array, kinds: Mapping[str, str], found: Resolved, seconds: float
) -> Evaluation:
    true, made, both = counts(truth, found.person)
    precision, recall = both / made if made else 1.0, both / true if true else 1.0
    pairs = found.pairs
    same = truth[pairs.left] == truth[pairs.right]
    joined = found.person[pairs.left] == found.person[pairs.right]
    shown = {name: columns.texts(table.column(name)) for name in kinds}
    worst = {
        "joined_wrongly": _first(~same & joined, -pairs.weight, task.worst),
        "kept_apart_wrongly": _first(same & ~joined, -pairs.weight, task.worst),
    }
    mistakes = {
        kind: [
            Mistake(
                rows=(int(pairs.left[each]) + 1, int(pairs.right[each]) + 1),
                weight=round(float(pairs.weight[each]), 2),
                values=_values(shown, int(pairs.left[each]), int(pairs.right[each]), masked=task.masked),
            )
            for each in places
        ]
        for kind, places in worst.items()
    }
    return Evaluation(
        precision=round(precision, 6),
        recall=round(recall, 6),
        f1=round(2 * precision * recall / (precision + recall), 6) if precision + recall else 0.0,
        seconds=round(seconds, 2),
        records=table.num_rows,
        people=len(np.unique(found.person)),
        true_people=len(np.unique(truth)),
        true_pairs=true,
        found_pairs=made,
        looked_at=len(pairs.left),
        columns=dict(kinds),
        keys=list(found.keys),
        calibration=_calibration(pairs.weight, same),
        **mistakes,
    )


def _first(which: _Array, order: _Array, count: int) -> list[int]:
    places = np.flatnonzero(which)
    return [int(each) for each in places[np.argsort(order[places], kind="stable")[:count]]]


def _calibration(weight: _Array, same: _Array) -> list[dict[str, float]]:
    expected = probability(weight)
    bands = (0.02, 0.1, 0.5, 0.9, 0.99, 1.0)
    made = []
    for low, high in pairwise(bands):
        inside = (expected >= low) & ((expected < high) | (high == 1.0))
        if inside.any():
            made.append(
                {
                    "from": low,
                    "to": high,
                    "pairs": int(inside.sum()),
                    "expected": round(float(expected[inside].mean()), 4),
                    "true": round(float(same[inside].mean()), 4),
                }
            )
    return made


def _values(
    shown: Mapping[str, Sequence[str | None]], left: int, right: int, *, masked: bool
) -> dict[str, tuple[str, str]]:
    """Both values of each column; of masked ones the first character and which characters differ."""
    pairs = {name: (values[left] or "", values[right] or "") for name, values in shown.items()}
    return {name: (_mask(a, b), _mask(b, a)) if masked else (a, b) for name, (a, b) in pairs.items()}


def _mask(text: str, other: str) -> str:
    """The first character, then `=` where the other value has the same one, and `*` where it differs."""
    if not text or text == other:
        return text[:1] + "=" * (len(text) - 1)
    return text[:1] + "".join(
        "=" if other[place : place + 1] == each else "*" for place, each in enumerate(text) if place
    )


def weight_of(share: float) -> float:
    """A probability as a weight, log2 of its odds."""
    return float(np.log2(share / (1 - share)))
