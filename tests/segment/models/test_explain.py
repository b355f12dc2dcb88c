"""Why a person has a score."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.viewer import Viewer
from spira.segment.models import compute as models
from spira.segment.models.base import as_they_are
from spira.segment.models.explain import score_reason

START = datetime(2026, 1, 1)
ANALYST = Viewer(staff_id="n", name="N", roles=frozenset({"analyst"}))


def _order(person, day):
    return {"person": person, "event": "Order Completed", "ts": START + timedelta(days=day)}


@pytest.fixture
def scored(shop):
    """Persons 1 to 6; person n orders every n days, four times, and person 7 only looks."""
    shop.define("model: next_order\nkind: next_order_date")
    shop.add([_order(person, place * person) for person in range(1, 7) for place in range(4)])
    shop.add([{"person": 7, "event": "Coupon Applied", "ts": START}])
    models.compute(shop.warehouse, shop.applied, START + timedelta(days=20))
    return shop


def reason(shop, person, viewer=ANALYST):
    model = shop.applied.get("model", "next_order").model
    return score_reason(shop.warehouse, viewer, person, model)


def test_a_score_is_taken_apart_beside_everyone(scored):
    """The inputs are the person's own, the fit's are everyone's, and the wait is the score itself."""
    found = reason(scored, 4)
    inputs = {each.name: each for each in found.inputs}
    assert inputs["own"].value == pytest.approx(4)
    assert inputs["own"].everyone == pytest.approx((3 * sum(range(1, 7))) / 18)
    assert inputs["wait"].value == pytest.approx(found.value)
    assert inputs["last_at"].value == START + timedelta(days=12)
    assert found.at == START + timedelta(days=12) + timedelta(days=found.value)
    assert found.version
    assert found.fitted_at == START + timedelta(days=20)


def test_where_a_person_stands_is_counted_among_the_viewers_people(scored):
    """Of six, those who come back later are counted; with fewer than five of the viewer's people nothing is said."""
    found = reason(scored, 4).beside
    assert (found.people, found.above) == (6, pytest.approx(2 / 6))
    ours = Viewer(staff_id="u", name="U", roles=frozenset({"guide"}), units=frozenset({1}))
    assert reason(scored, 4, ours).beside is None
    assert reason(scored, 4, ours).inputs


def test_somebody_without_a_score_has_no_reasons(scored):
    """What the model is can be told all the same."""
    found = reason(scored, 7)
    assert (found.value, found.at, found.as_of, found.inputs, found.beside) == (None, None, None, (), None)
    assert found.card.says["en"]


def test_reasons_are_for_who_may_see_the_person(scored):
    """Neither readers, nor staff of another unit."""
    with pytest.raises(NotAllowed):
        reason(scored, 4, Viewer(staff_id="r", name="R", roles=frozenset({"reader"})))
    with pytest.raises(NotFound):
        reason(scored, 4, Viewer(staff_id="u", name="U", roles=frozenset({"guide"}), units=frozenset({2})))


def test_a_kind_that_explains_nothing_shows_its_features():
    """A stranger's model gets its features listed under their own names."""
    found = as_they_are({"visits": 3, "last_at": START, "note": "x", "spent": None}, {"visits": 2.5})
    assert [(each.name, each.unit, each.value, each.everyone) for each in found] == [
        ("visits", "number", 3.0, 2.5),
        ("last_at", "time", START, None),
        ("spent", "number", None, None),
    ]
