"""What every kind of model keeps to: no score knows the future, and changed people get what all would."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

import spira.segment.kinds  # noqa: F401  (registers the kinds of models)
from spira.kernel.viewer import Viewer
from spira.segment.models import compute as models
from spira.segment.models.base import MODELS
from spira.segment.models.explain import score_reason

START = datetime(2026, 1, 1)
ANALYST = Viewer(staff_id="n", name="N", roles=frozenset({"analyst"}))


def _order(person, day):
    ts = START + timedelta(days=day)
    return {"person": person, "event": "Order Completed", "ts": ts, "revenue": float(person * day)}


def _scores(shop):
    return shop.warehouse.query('select profile_id, value, "at", version from scores order by profile_id')


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_a_kind_of_model_keeps_the_contract(shop, kind):
    """Of each kind: orders to come change nothing, a refresh of the changed equals one of all, and reasons are told."""
    shop.define(f"model: it\nkind: {kind}\nrefit: 90 days")
    shop.add([_order(person, 2 * place + person) for person in range(1, 8) for place in range(person)])
    models.compute(shop.warehouse, shop.applied, START + timedelta(days=40))
    before = _scores(shop)
    assert len(before) == 7
    shop.add([_order(person, 41 + person) for person in range(1, 5)])
    models.compute(shop.warehouse, shop.applied, START + timedelta(days=40))
    assert _scores(shop) == before
    models.compute(shop.warehouse, shop.applied, START + timedelta(days=50))
    changed = _scores(shop)
    assert changed != before
    models.compute(shop.warehouse, shop.applied, START + timedelta(days=50), full=True)
    assert _scores(shop) == changed
    card = MODELS.get(kind).card
    told = [card.says, card.method, card.baseline, card.limits]
    reason = score_reason(shop.warehouse, ANALYST, 3, shop.applied.get("model", "it").model)
    told += [each.label for each in reason.inputs]
    assert reason.inputs
    assert all(set(each) == {"zh-CN", "en"} and all(each.values()) for each in told)
