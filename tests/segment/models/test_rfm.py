"""rfm: three digits among everyone who ordered, which only one's own orders change between two fits."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.segment.conftest import workspace

from spira.definitions.check import check
from spira.kernel.viewer import Viewer
from spira.segment.models import compute as models
from spira.segment.models.explain import score_reason
from spira.segment.models.rfm import PARTS, called, fit

START = datetime(2026, 1, 1)
MODEL = "model: rfm\nkind: rfm\nrefit: 7 days\namount: revenue"
ANALYST = Viewer(staff_id="n", name="N", roles=frozenset({"analyst"}))


def _order(person, day, revenue=10.0):
    return {"person": person, "event": "Order Completed", "ts": START + timedelta(days=day), "revenue": revenue}


def _scores(shop):
    return dict(shop.warehouse.query("select profile_id, value from scores order by profile_id"))


@pytest.fixture
def scored(shop):
    """Persons 1 to 10: the n-th ordered on each of the days up to the n-th, for n each time; 11 only looks."""
    shop.define(MODEL)
    shop.add([_order(person, day, float(person)) for person in range(1, 11) for day in range(1, person + 1)])
    shop.add([{"person": 11, "event": "Coupon Applied", "ts": START}])
    models.compute(shop.warehouse, shop.applied, START + timedelta(days=20))
    return shop


def test_each_part_is_a_fifth_of_those_who_ordered(scored):
    """Ten people who rise in all three alike are two in each class; who never ordered has no score."""
    assert _scores(scored) == {person: 111 * ((person + 1) // 2) for person in range(1, 11)}


def test_nobodys_digits_change_by_waiting_but_by_an_order(scored):
    """Between fits an order lifts the one who made it and nobody else; the next fit divides everyone anew."""
    before = _scores(scored)
    scored.add([_order(1, 21, 500.0)])
    models.compute(scored.warehouse, scored.applied, START + timedelta(days=22))
    after = _scores(scored)
    assert after.pop(1) == 515
    assert after == {person: score for person, score in before.items() if person != 1}
    models.compute(scored.warehouse, scored.applied, START + timedelta(days=30))
    assert _scores(scored)[1] == 515
    assert _scores(scored) != before


def test_the_score_is_taken_apart_and_called_by_a_name(scored):
    """The inputs have the three classes that the digits are made of, and the name says who that is."""
    model = scored.applied.get("model", "rfm").model
    found = score_reason(scored.warehouse, ANALYST, 10, model)
    inputs = {each.name: each.value for each in found.inputs}
    assert [inputs[part] for part in PARTS] == [5, 5, 5]
    assert (inputs["orders"], inputs["amount"]) == (10, 100)
    assert found.called == {"zh-CN": "核心客户", "en": "Champions"}


def test_every_score_has_one_name_in_both_languages():
    """All 125 are named; the best are champions, those long gone are asleep, and old friends must not be lost."""
    every = [100 * r + 10 * f + m for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]
    assert all(set(called(each)) == {"zh-CN", "en"} for each in every)
    told = {score: called(score)["en"] for score in (555, 443, 511, 522, 155, 231, 111, 333)}
    assert list(told.values()) == [
        "Champions", "Loyal", "New", "Promising", "Must not be lost", "At risk", "Asleep", "Needs attention",
    ]  # fmt: skip


def test_a_fit_of_nobody_is_zero():
    """Where nobody has ordered there are no ends yet."""
    assert set(fit((None, None, None)).values()) == {0.0}


def test_a_model_that_sums_says_which_number_it_lacks():
    """The property has to be a declared number of the event; the fault names those there are."""
    assert not check(workspace(MODEL))
    (found,) = check(workspace(MODEL.replace("revenue", "revenu")))
    assert "has no number called `revenu`" in found.message
    assert found.help == "did you mean `revenue`?"
    assert check(workspace(MODEL.replace("revenue", "store_id")))
