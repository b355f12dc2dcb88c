from __future__ import annotations

import msgspec
import numpy as np
import pytest

from spira.testing import dirty
from spira.unify.matching import columns, job
from spira.unify.matching.clean import clean
from spira.unify.matching.model import Matcher
from spira.unify.matching.saved import CROWD, Saved

SECRET = b"a key"


@pytest.fixture(scope="module")
def learned():
    """A model that was learned from some records, after a way over the wire; and what it was learned from."""
    table = dirty.chinese(240, seed=3).select(["name", "phone", "birth_date", "person"])
    kinds = columns.guess(table, truth="person")
    matcher = Matcher(clean(table, kinds))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "FEW", 100)
        saved, _ = job._learned(matcher, SECRET)
    matcher.close()
    return table, kinds, msgspec.msgpack.decode(msgspec.msgpack.encode(saved), type=Saved)


def weighed(learned, fresh):
    """The weights of the pairs that a saved model finds, by rows; of those with a fresh one alone where told."""
    table, kinds, saved = learned
    matcher = Matcher(clean(table, kinds, shape=saved.shape))
    matcher.prepare(saved.keys, fresh)
    matcher.take(saved, SECRET)
    pairs = matcher.pairs()
    matcher.close()
    weights = np.round(job._weighed(pairs, saved), 6)
    return dict(zip(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True), weights.tolist(), strict=True))


def test_a_part_is_weighed_as_the_whole(learned):
    """
    Of everybody, and of some against everybody, the same pairs of those some come out, with the same weights.
    """
    everyone = weighed(learned, None)
    fresh = np.random.default_rng(5).random(240) < 0.2
    assert weighed(learned, fresh) == {pair: weight for pair, weight in everyone.items() if fresh[list(pair)].any()}
    assert len(everyone) > 50


def test_a_model_is_right_about_who_is_one(learned):
    """
    Of the pairs that a learned model is sure of, nearly all are of one person, and it is sure of most of those.
    """
    truth = np.asarray(learned[0].column("person").to_pylist())
    sure = [pair for pair, weight in weighed(learned, None).items() if weight > 5]
    right = sum(truth[one] == truth[two] for one, two in sure)
    assert right / len(sure) > 0.97
    assert right / sum(many * (many - 1) // 2 for many in np.bincount(truth)) > 0.7


def test_what_is_kept_of_a_model_says_nothing_of_anybody(learned):
    """
    A saved model has no value in it, and of how common values are only what several records share.
    """
    table, _, saved = learned
    text = msgspec.msgpack.encode(saved)
    told = {each for name in table.column_names if name != "person" for each in table.column(name).to_pylist() if each}
    assert [each for each in told if len(each) > 2 and each.encode() in text] == []
    assert all(share * 240 >= CROWD - 1e-9 for shares in saved.common.values() for share in shares.values())
