"""Metrics: the numbers of the brand, each with its periods, its slices and the people behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery

from spira.console import drawings
from spira.console.pages.people import event_labels
from spira.console.pages.tags import builder
from spira.console.render import page
from spira.kernel.i18n import choose
from spira.measure.metrics.story import MetricStory, filled
from spira.server.api.metrics import listed, view
from spira.server.core import Asking, Core
from spira.server.roles import ALL, DEFINE, whole

Asked = Request[Any, Any, Any]
LAST: Mapping[str, int] = {"day": 92, "week": 104, "month": 60}


@get("/metrics", opt={**whole(ALL), "data": "/api/metrics"}, sync_to_thread=True)
def metrics_page(request: Asked, core: Core, viewer: Asking) -> Response[str]:
    """The list."""
    data = listed(core, viewer)
    named = {each.metric: choose(each.label, viewer.language, default=each.metric) for each in data.metrics}
    lines = {each.metric: drawings.spark([value for value in each.spark if value is not None]) for each in data.metrics}
    as_of = core.clock.now()
    return page(request, core, "metrics.html", data=data, named=named, lines=lines, as_of=as_of)


@get("/metrics/{name:str}", opt={**whole(ALL), "data": "/api/metrics/{name}"}, sync_to_thread=True)
def metric_page(
    request: Asked,
    core: Core,
    viewer: Asking,
    name: FromPath[str],
    grain: FromQuery[str | None] = None,
    slice_name: FromQuery[str] = "",
    by: FromQuery[str] = "",
) -> Response[str]:
    """One metric."""
    data = view(core, name, grain=grain, slice_name=slice_name)
    title = choose(data.label, viewer.language, default=name)
    wanted = by or slice_name.partition("=")[0]
    cut = next((each for each in data.dimensions if each.by == wanted), next(iter(data.dimensions), None))
    return page(
        request,
        core,
        "metric.html",
        data=data,
        name=name,
        title=title,
        event=event_labels(core, viewer.language).get(data.event, data.event),
        cut=cut,
        chart=chart_of(data, title),
        people=builder(data.people) if data.people and viewer.sees_people else None,
        may_define=viewer.has(*DEFINE),
    )


def chart_of(data: MetricStory, title: str) -> dict[str, Any]:
    """The last periods as a chart's spec."""
    periods = filled(data, last=LAST.get(data.grain, LAST["day"]))
    kind = "bar" if data.grain == "month" else "line"
    unit = "count" if data.unit == "number" else data.unit
    series = [{"name": title, "type": kind, "unit": unit, "values": [_rounded(value) for _, value in periods]}]
    return {
        "x": [day.isoformat()[: 7 if data.grain == "month" else 10] for day, _ in periods],
        "series": series if periods else [],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


ROUTES = [metrics_page, metric_page]
