"""The pages of metrics: the list, one metric, its slices, and the people behind a period."""

from __future__ import annotations

import re
from datetime import date

import pytest

from spira.measure.metrics.definition import MetricDefinition
from spira.measure.metrics.story import before_period, people_behind, period_of


def test_the_list_has_every_metric_with_its_last_whole_period(world, english):
    """Each applied metric has a row; the API still names each with its label."""
    told = world.get("/api/metrics").json()["metrics"]
    page = english("/metrics")
    assert [each["metric"] for each in told] == [each.metric for each in world.core.applied.of("metric")]
    for each in told:
        assert f'href="/metrics/{each["metric"]}"' in page
    orders = next(each for each in told if each["metric"] == "orders")
    assert orders["period"] == "2026-06-04"
    assert len(orders["spark"]) == 30


def test_a_metric_is_told_by_each_of_its_periods(world, english):
    """Day, week and month each have their points and their last whole period; the whole adds up."""
    total = world.core.lane().value("select count(*) from events where event = 'Order Completed'")
    for grain in ("day", "week", "month"):
        told = world.get(f"/api/metrics/orders?grain={grain}").json()
        assert told["grain"] == grain
        assert sum(each["value"] for each in told["points"]) == total
        page = english(f"/metrics/orders?grain={grain}")
        assert page.count('aria-current="true"') >= 1
        assert len(page) < 80_000
    month = world.get("/api/metrics/orders?grain=month").json()
    assert (month["period"], month["until"]) == ("2026-05-01", "2026-06-01")
    by_month = {each["period"][:10]: each["value"] for each in month["points"]}
    assert (month["now"], month["before"]) == (by_month["2026-05-01"], by_month["2026-04-01"])
    assert month["running"] == by_month.get("2026-06-01", 0)


def test_slices_add_up_to_the_whole(world, english):
    """The slices of a count make the whole, and choosing one shows its own points."""
    told = world.get("/api/metrics/orders?grain=month").json()
    (dimension,) = told["dimensions"]
    assert sum(each["now"] for each in dimension["slices"]) == told["now"]
    chosen = dimension["slices"][0]["slice_name"]
    assert chosen == "store_id=367"
    part = world.get("/api/metrics/orders", params={"grain": "month", "slice_name": chosen}).json()
    assert part["now"] == dimension["slices"][0]["now"]
    assert "Slice: store_id=367" in english("/metrics/orders?grain=month&slice_name=store_id%3D367")


@pytest.mark.parametrize("slice_name", ["", "store_id=367"])
def test_the_people_behind_a_period_are_those_it_counted(world, slice_name):
    """The condition of a period chooses as many people as the metric of people counted in it."""
    asked = {"grain": "month", "slice_name": slice_name}
    told = world.get("/api/metrics/active_customers", params=asked).json()
    found = world.post("/api/audiences/preview", json={"condition": told["people"]}).json()
    assert found["count"] == told["now"] > 0


def test_rows_that_a_condition_cannot_say_have_no_people_behind_them(world):
    """A `where` of the metric goes into the condition when the language knows it, and else there is none."""
    made = {"metric": "m", "label": "M", "value": "count(*)", "from": "Order Completed"}
    asked = {"since": date(2026, 5, 1), "until": date(2026, 6, 1)}
    large = MetricDefinition.model_validate({**made, "where": "revenue > 20"})
    said = people_behind(large, world.core.catalog, **asked)
    assert said == "did('Order Completed', revenue > 20, since => '2026-05-01', until => '2026-06-01')"
    strange = MetricDefinition.model_validate({**made, "where": "event_id > 7"})
    assert people_behind(strange, world.core.catalog, **asked) is None


def test_periods_begin_where_people_say_they_do():
    """A week begins on Monday, a month on its first, and each follows the one before."""
    assert period_of(date(2026, 6, 5), "week") == date(2026, 6, 1)
    assert before_period(date(2026, 6, 1), "week") == date(2026, 5, 25)
    assert before_period(date(2026, 1, 1), "month") == date(2025, 12, 1)
    assert before_period(date(2026, 3, 1), "day") == date(2026, 2, 28)


def test_staff_of_one_unit_are_told_names_without_figures(world):
    """The list through the API has no figure for them, and the page is closed by its route."""
    from spira.kernel.viewer import Viewer
    from spira.server.api.metrics import listed

    part = Viewer(staff_id="g", name="G", roles=frozenset({"guide"}), units=frozenset({1}))
    assert {(each.value, each.period, each.spark) for each in listed(world.core, part).metrics} == {(None, None, ())}


def test_the_chart_has_its_table(english):
    """Whoever does not see the chart reads it as a table."""
    page = english("/metrics/revenue")
    assert 'data-chart="' in page
    assert re.search(r'<table class="sheet" id="periods-table">', page)
