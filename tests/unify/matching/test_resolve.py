from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spira.testing import dirty
from spira.unify.matching import columns
from spira.unify.matching.evaluate import counts
from spira.unify.matching.model import Pairs, probability, settle
from spira.unify.matching.resolve import resolve


def f1(truth, person):
    """The harmonic mean of pairwise precision and recall."""
    true, made, both = counts(truth, person)
    return 2 * both / (true + made)


def test_dirty_records_of_one_person_are_found(chinese, truth):
    """Names, numbers, days and addresses that are only alike make people, without any label."""
    _, found = chinese
    assert f1(truth, found.person) > 0.94
    _, made, both = counts(truth, found.person)
    assert both / made > 0.98


def test_probabilities_are_about_what_they_say(chinese, truth):
    """Pairs that are surely of one person are, and all probabilities together are about the pairs that there are."""
    pairs = chinese[1].pairs
    same = truth[pairs.left] == truth[pairs.right]
    expected = probability(pairs.weight)
    assert same[expected > 0.99].mean() > 0.98
    assert expected.sum() == pytest.approx(same.sum(), rel=0.2)


def test_the_prior_settles_where_the_model_agrees_with_itself():
    """Wherever it starts, it ends as the share of pairs that the weights then call one person."""
    bare = np.array([12.0] * 90 + [-9.0] * 1_000 + [3.0] * 20)
    rows = np.arange(len(bare))
    ends = []
    for start in (1e-6, 1e-3, 0.2):
        weight = bare + np.log2(start / (1 - start))
        settled, prior = settle(Pairs(left=rows, right=rows, weight=weight, levels={}), start, 50_000)
        assert float(probability(settled.weight).sum()) == pytest.approx(prior * 50_000, rel=0.05)
        ends.append(prior)
    assert ends == pytest.approx([ends[0]] * 3, rel=0.05)


@pytest.mark.data
def test_febrl_is_matched_without_the_social_security_number(outside):
    """Half of FEBRL 1, which is people with an error-ridden copy each, is told apart by five columns."""
    table = pq.read_table(outside / "febrl/febrl1.parquet")
    table = table.filter(pa.array([each % 2 == 0 for each in table.column("entity_id").to_pylist()]))
    truth = np.asarray(table.column("entity_id").to_pylist())
    table = table.select(["given_name", "surname", "address_1", "postcode", "date_of_birth"])
    assert f1(truth, resolve(table, columns.guess(table)).person) > 0.98


def test_a_single_column_is_matched_with_care():
    """Nothing can be learned from one column, so equal names alone make nobody sure of much."""
    table = dirty.chinese(120, seed=9).select(["name"])
    person = resolve(table, columns.guess(table)).person
    names = columns.texts(table.column("name"))
    assert len(set(person.tolist())) >= len(set(names) - {None}) * 0.6
