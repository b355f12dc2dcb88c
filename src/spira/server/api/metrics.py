"""`/api/metrics`: numbers defined once, by period and slice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from litestar import get
from litestar.params import FromPath, FromQuery

from spira.kernel.viewer import Viewer
from spira.measure.metrics import story
from spira.measure.metrics.compute import Metric
from spira.measure.metrics.story import MetricCard, MetricStory
from spira.server.core import AnyCore, Asking, Core, as_of
from spira.server.roles import ALL, whole
from spira.server.wire import plain


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricList:
    """Every applied metric."""

    metrics: tuple[MetricCard, ...] = field(metadata={"help": "the metrics, in the order they were written"})


def listed(core: AnyCore, viewer: Viewer) -> MetricList:
    """Every applied metric; with figures for staff of the whole brand."""
    metrics = [_metric(core, each.name) for each in core.applied.definitions_of("metric")]
    if viewer.units is not None:
        return MetricList(metrics=story.bare_cards(metrics))
    zone = core.settings.workspace.zone
    return MetricList(metrics=story.cards(core.lane(), metrics, as_of=as_of(core), zone=zone))


def view(core: AnyCore, name: str, *, grain: str | None = None, slice_name: str = "") -> MetricStory:
    """One metric; NotFound when it is not applied."""
    metric = _metric(core, name)
    return story.story(core.lane(), core.catalog, metric, grain=grain, slice_name=slice_name, as_of=as_of(core))


@get("/api/metrics", sync_to_thread=True)
def list_metrics(core: Core, viewer: Asking) -> dict[str, Any]:
    """Every applied metric with its last whole period and the one before; bare names for staff of one unit."""
    told: dict[str, Any] = plain(listed(core, viewer))
    return told


@get("/api/metrics/{name:str}", opt=whole(ALL), sync_to_thread=True)
def show_metric(
    core: Core, name: FromPath[str], grain: FromQuery[str | None] = None, slice_name: FromQuery[str] = ""
) -> dict[str, Any]:
    """One metric by `grain` (its finest when none is asked): points, slices, SQL; `slice_name` chooses a slice."""
    told: dict[str, Any] = plain(view(core, name, grain=grain, slice_name=slice_name))
    return told


def _metric(core: AnyCore, name: str) -> Metric:
    found = core.applied.get("metric", name)
    return Metric(definition=found.model, version=found.fingerprint)


ROUTES = [list_metrics, show_metric]
