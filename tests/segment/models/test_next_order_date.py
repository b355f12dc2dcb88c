"""next_order_date: a person's own rhythm, drawn towards everyone's; no score knows the future."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import mean

import pytest

from spira.segment.models import compute as models
from spira.segment.models.base import MODELS
from spira.segment.models.next_order_date import PRIOR, UNKNOWN_GAP, explain, fit

START = datetime(2026, 1, 1)
MODEL = "model: next_order\nkind: next_order_date\nrefit: 7 days"


def _day(count):
    return START + timedelta(days=count)


def _order(person, day):
    return {"person": person, "event": "Order Completed", "ts": _day(day)}


def _scores(shop):
    found = shop.warehouse.query('select profile_id, value, "at" from scores order by profile_id')
    return {profile: (value, at) for profile, value, at in found}


def test_the_rhythm_is_ones_own_drawn_towards_everyones(shop):
    """Waits of 10 days in a shop whose mean wait is 6 give something between, counted from the last order."""
    shop.define(MODEL)
    shop.add([_order(1, day) for day in (0, 10, 20)] + [_order(2, day) for day in (0, 2, 4)] + [_order(3, 9)])
    assert models.compute(shop.warehouse, shop.applied, _day(21)) == 3
    scores = _scores(shop)
    assert scores[1][0] == pytest.approx((20 + PRIOR * 6) / (2 + PRIOR))
    assert scores[1][1] == _day(20) + timedelta(days=scores[1][0])
    assert scores[2][0] == pytest.approx((4 + PRIOR * 6) / (2 + PRIOR))
    assert scores[3] == (pytest.approx(6), _day(15))


def test_two_orders_on_a_day_are_one_visit(shop):
    """Waits are counted between days with an order."""
    shop.define(MODEL)
    shop.add([_order(1, day) for day in (0, 0.2, 0.3, 8, 8.1)])
    models.compute(shop.warehouse, shop.applied, _day(9))
    assert _scores(shop)[1][0] == pytest.approx(8.1)


def test_a_fit_of_nothing_is_a_month():
    """Where nobody has ordered twice there is no mean wait yet."""
    assert fit((0.0, 0)) == {"gap": UNKNOWN_GAP, "prior": PRIOR}


def test_no_score_knows_the_future(shop):
    """Events at or after the instant change neither the fit nor a score."""
    shop.define(MODEL)
    shop.add([_order(1, 0), _order(1, 10)])
    models.compute(shop.warehouse, shop.applied, _day(11))
    before = _scores(shop), shop.table("model_fits")
    shop.add([_order(1, 11), _order(1, 12), _order(2, 20)])
    models.compute(shop.warehouse, shop.applied, _day(11))
    assert (_scores(shop), shop.table("model_fits")) == before


def test_an_event_ahead_of_the_clock_counts_once_it_is_past(shop):
    """What was loaded early is taken in when its time comes, though no batch touches the person again."""
    shop.define(MODEL.replace("7 days", "90 days"))
    shop.add([_order(1, 0), _order(1, 10), _order(1, 20)])
    models.compute(shop.warehouse, shop.applied, _day(11))
    assert models.compute(shop.warehouse, shop.applied, _day(13)) == 0
    assert models.compute(shop.warehouse, shop.applied, _day(21)) == 1
    assert _scores(shop)[1][1] == _day(30)


def test_between_fits_the_changed_get_what_all_would_get(shop):
    """A fit is kept until it is old; scoring everyone again with it changes nobody."""
    shop.define(MODEL)
    shop.add([_order(1, 0), _order(1, 10), _order(2, 3)])
    models.compute(shop.warehouse, shop.applied, _day(11))
    shop.add([_order(2, 12)])
    assert models.compute(shop.warehouse, shop.applied, _day(13)) == 1
    some = _scores(shop)
    assert models.compute(shop.warehouse, shop.applied, _day(13), full=True) == 2
    assert _scores(shop) == some
    assert models.compute(shop.warehouse, shop.applied, _day(18)) == 2
    assert _scores(shop) != some


def test_a_model_taken_out_takes_its_scores_with_it(shop):
    """Without its definition a model has neither scores nor a fit."""
    shop.define(MODEL)
    shop.add([_order(1, 0)])
    models.compute(shop.warehouse, shop.applied, _day(1))
    shop.define("tag: orders\nvalue: count_of('Order Completed')")
    models.compute(shop.warehouse, shop.applied, _day(2))
    assert shop.table("scores") == shop.table("model_fits") == []


def test_each_model_has_a_card_in_both_languages():
    """What a model says, how, against what, and where it fails is written for people."""
    for name in MODELS:
        card = MODELS.get(name).card
        for part in (card.says, card.method, card.baseline, card.limits):
            assert set(part) == {"zh-CN", "en"}
            assert all(part.values())


@pytest.mark.demo
def test_it_beats_its_baseline_on_a_real_shop(demo):
    """From the middle of the year, its dates miss the real next order by fewer days than everyone's mean wait does."""
    as_of = datetime(2017, 9, 1)
    models.compute(demo.warehouse, demo.applied, as_of)
    found = demo.warehouse.query(TRUTH, {"as_of": as_of})
    (gap,) = demo.warehouse.query("select (parameters::json ->> 'gap')::double from model_fits")[0]
    ours = mean(abs(wait - value) for value, wait in found)
    baseline = mean(abs(wait - gap) for _, wait in found)
    assert len(found) > 1500
    assert ours < 0.95 * baseline


TRUTH = """
select value, epoch(next_at - last_at) / 86400.0
from scores join (
  select profile_id, max(ts) filter (where ts < $as_of) as last_at, min(ts) filter (where ts >= $as_of) as next_at
  from profile_events where event = 'Order Completed' group by profile_id
) using (profile_id)
where next_at is not null and model = 'next_order_date'
"""


def test_the_reasons_add_up_to_the_score(shop):
    """Own wait and everyone's, each by its weight, make the wait that the score says."""
    shop.define(MODEL)
    shop.add([_order(1, day) for day in (0, 10, 20)] + [_order(2, day) for day in (0, 2, 4)] + [_order(3, 9)])
    models.compute(shop.warehouse, shop.applied, _day(21))
    for waits, days, person in ((2, 20.0, 1), (2, 4.0, 2), (0, 0.0, 3)):
        features = {"waits": waits, "days": days, "last_at": _day(9)}
        found = {each.name: each for each in explain(features, {"gap": 6.0, "prior": PRIOR})}
        assert found["wait"].value == pytest.approx(_scores(shop)[person][0])
        assert found["own"].value == (pytest.approx(days / waits) if waits else None)
        assert found["own"].everyone == 6.0
