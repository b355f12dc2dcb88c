"""How well records that no identifier joins are recognised as one person, and how fast.

FEBRL 3 and 4 (without the social security number), Splink's fake_1000 and the name pairs of OpenSanctions are matched
with the defaults: the probability of one half that joins two records was settled on records of our own generator, and
the likeness from which two names are one is chosen here on the names of FEBRL 1 and 2, with precision counting twice
(F 0.5). fake_1000 is also given to the model of Splink's own tutorial in the same run, its pairs and its clusters
at each of several thresholds, of which the best for it is taken. Then dirty Chinese records of our own generator
(20,000 when small, a million when full), with names drawn as common as they are in China: precision, recall, and
seconds with cleaning.
Data: the folder named by SPIRA_TEST_DATA.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import Measured, run

from spira.testing import dirty
from spira.unify.matching import columns
from spira.unify.matching.alike import alike
from spira.unify.matching.evaluate import counts
from spira.unify.matching.resolve import Resolved, resolve

RECORDS = {"small": 20_000, "full": 1_000_000}
_LEFT_OUT = ("rec_id", "soc_sec_id", "is_original", "unique_id")
_THRESHOLDS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)


def measure(chosen: argparse.Namespace) -> Measured:
    """Each set in turn."""
    data = Path(os.environ["SPIRA_TEST_DATA"])
    found = Measured()
    figures = found.figures
    febrl3 = pq.read_table(data / "febrl/febrl3.parquet")
    figures |= _matched("febrl3", febrl3, "entity_id")
    sides = [pq.read_table(data / f"febrl/febrl4{side}.parquet") for side in "ab"]
    both = [
        each.append_column("side", pa.array([side] * each.num_rows)) for side, each in zip("ab", sides, strict=True)
    ]
    figures |= _matched("febrl4", pa.concat_tables(both), "entity_id", told={"side": "source"}, one_per_source=True)
    fake = pq.read_table(data / "splink_people/fake_1000.parquet")
    figures |= _matched("fake_1000", fake, "cluster")
    figures["fake_1000_tutorial_f1"] = _tutorial(fake)
    figures |= _names(data)
    people = _chinese(data, RECORDS[chosen.size])
    figures |= _matched("chinese", people, "person")
    found.floors = {
        "febrl3_f1": 0.99,
        "febrl4_f1": 0.997,
        "fake_1000_f1": figures["fake_1000_tutorial_f1"],
        "names_f1": 0.79,
        "chinese_precision": 0.99,
    }
    found.limits = {"chinese_s": 180} if chosen.size == "full" else {}
    return found


def _matched(
    name: str, table: pa.Table, truth: str, *, told: dict[str, str] | None = None, **how: Any
) -> dict[str, Any]:
    table = table.drop_columns([each for each in _LEFT_OUT if each in table.column_names])
    started = time.perf_counter()
    found: Resolved = resolve(table, columns.guess(table, told=told, truth=truth), **how)
    seconds = time.perf_counter() - started
    of = np.unique(np.asarray(table.column(truth).to_pylist()).astype(str), return_inverse=True)[1]
    return {f"{name}_{key}": value for key, value in _figures(of, found.person).items()} | {
        f"{name}_records": table.num_rows,
        f"{name}_s": round(seconds, 1),
    }


def _figures(truth: np.ndarray[Any, Any], person: np.ndarray[Any, Any]) -> dict[str, float]:
    true, made, both = counts(truth, person)
    return {
        "precision": round(both / max(made, 1), 4),
        "recall": round(both / true, 4),
        "f1": round(2 * both / (true + made), 4),
    }


def _tutorial(fake: pa.Table) -> float:
    """The best F1 that the model of Splink's tutorial reaches over several thresholds, before or after clustering."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.NameComparison("first_name"),
            cl.NameComparison("surname"),
            cl.LevenshteinAtThresholds("dob", 1),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ],
        blocking_rules_to_generate_predictions=[block_on("first_name", "city"), block_on("surname")],
    )
    api = DuckDBAPI()
    linker = Linker(
        api.register(fake.select(["unique_id", "first_name", "surname", "dob", "city", "email"])),
        settings,
        log_level=logging.ERROR,
    )
    certain: list[Any] = [
        block_on("first_name", "dob"),
        "l.first_name = r.first_name and levenshtein(r.surname, l.surname) <= 2",
        block_on("email"),
    ]
    linker.training.estimate_probability_two_random_records_match(certain, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("first_name", "surname"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("dob"))
    predicted = linker.inference.predict(threshold_match_probability=0.2)
    truth, best = np.asarray(fake.column("cluster").to_pylist()), 0.0
    found = [(row["unique_id_l"], row["unique_id_r"], row["match_probability"]) for row in predicted.as_record_list()]
    person = dict(zip(fake.column("unique_id").to_pylist(), truth.tolist(), strict=True))
    pairs = counts(truth, truth)[0]
    for least in _THRESHOLDS:
        said = [person[a] == person[b] for a, b, share in found if share >= least]
        best = max(best, round(2 * sum(said) / max(pairs + len(said), 1), 4))
        made = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, least)
        rows = {row["unique_id"]: row["cluster_id"] for row in made.as_record_list()}
        named = np.unique([str(rows[each]) for each in fake.column("unique_id").to_pylist()], return_inverse=True)[1]
        best = max(best, _figures(truth, named)["f1"])
    return best


def _names(data: Path) -> dict[str, float]:
    same, other = _name_pairs(data)
    ours, others = np.array([alike(*each) for each in same]), np.array([alike(*each) for each in other])

    def f_half(least: float) -> float:
        true, false = int((ours >= least).sum()), int((others >= least).sum())
        precision, recall = true / max(true + false, 1), true / len(ours)
        return 1.25 * precision * recall / max(0.25 * precision + recall, 1e-9)

    least = max((round(step / 100, 2) for step in range(50, 95)), key=f_half)
    cases = pq.read_table(data / "name_matching/name_bench_cases.parquet").to_pylist()
    said = np.array([alike(each["name1"], each["name2"]) >= least for each in cases])
    truth = np.array([each["is_match"] for each in cases])
    f1 = 2 * int((said & truth).sum()) / (int(said.sum()) + int(truth.sum()))
    return {"names_f1": round(f1, 4), "names_likeness": least}


def _name_pairs(data: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Names of one person written differently, and of two people with a word in common, from FEBRL 1 and 2."""
    same, other = [], []
    for name in ("febrl1", "febrl2"):
        of: dict[int, list[str]] = {}
        for row in pq.read_table(data / f"febrl/{name}.parquet").to_pylist():
            if row["given_name"] and row["surname"]:
                of.setdefault(row["entity_id"], []).append(f"{row['given_name']} {row['surname']}")
        same += [(each[0], each[1]) for each in of.values() if len(each) > 1 and each[0] != each[1]]
        having: dict[str, list[str]] = {}
        for written in of.values():
            for word in set(written[0].split()):
                having.setdefault(word, []).append(written[0])
        other += [(a, b) for each in having.values() for a, b in pairwise(each) if a != b]
    order = np.random.default_rng(5).permutation(len(other))[: 2 * len(same)]
    return same, [other[each] for each in order]


def _chinese(data: Path, records: int) -> pa.Table:
    surnames = pq.read_table(data / "chinese_names_stats/familyname.parquet", columns=["surname", "n.1930_2008"])
    given = pq.read_table(data / "chinese_names_stats/givenname.parquet", columns=["character", "n.male", "n.female"])
    counted = np.add(given.column("n.male").to_numpy(), given.column("n.female").to_numpy())
    return dirty.chinese(
        records,
        seed=2026,
        surnames=(surnames.column(0).to_pylist(), surnames.column(1).to_pylist()),
        given=(given.column(0).to_pylist(), counted.tolist()),
    )


if __name__ == "__main__":
    run("matching", __doc__, measure)
