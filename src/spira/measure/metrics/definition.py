"""The kind `metric`: a number with a name, computed from one event's rows, by period and by dimension.

metric: active_customers
label: {zh-CN: 活跃消费者, en: Active customers}
value: count(distinct profile_id)
from: Order Completed
grain: [day, week, month]
by: [touchpoint, store_id]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from spira.collect.tracking import plan_of
from spira.definitions.kinds import Definition, Kind, World, kind
from spira.definitions.model import DefinitionModel, Label, NameStr
from spira.kernel.diagnostics import Diagnostic, did_you_mean
from spira.measure.metrics.compiler import Aggregate, columns_of, parse_aggregate, parse_row_condition

Grain = Literal["day", "week", "month"]


class MetricDefinition(DefinitionModel):
    """One metric. `value` is an SQL aggregate over the columns of the event named in `from`."""

    metric: NameStr = Field(description="The metric's name.")
    label: Label = Field(description="What people read.")
    description: Label | None = Field(default=None, description="One line more, for those who ask.")
    value: str = Field(description="The aggregate: count, sum, avg, min or max over the event's columns.")
    from_: str = Field(alias="from", description="The event whose rows are counted.")
    where: str | None = Field(default=None, description="Which of those rows; all when left out.")
    grain: list[Grain] = Field(default=["day"], min_length=1, description="The periods it is computed for.")
    by: list[str] = Field(default=[], description="The columns it is sliced by, one at a time.")
    unit: Literal["count", "money", "number", "share"] = Field(default="count", description="How it is written.")
    direction: Literal["up", "down"] = Field(default="up", description="Which way is good.")


def check(definition: Definition, world: World) -> Iterable[Diagnostic]:
    """The event and every column must be known to the tracking plan, and the value must be an aggregate."""
    metric: MetricDefinition = definition.model
    plan = plan_of(each.model for each in world.of("tracking"))
    if metric.from_ not in plan.events:
        yield Diagnostic(
            code="D501",
            message=f"`{metric.from_}` is not an event of the tracking plan",
            at=definition.node.at("from"),
            help=did_you_mean(metric.from_, plan.events),
        )
        return
    known = columns_of(plan, metric.from_)
    for key, parse in (("value", parse_aggregate), ("where", parse_row_condition)):
        text = getattr(metric, key)
        if text is None:
            continue
        found = parse(text, known)
        if not isinstance(found, Aggregate):
            yield Diagnostic(code="D502", message=found.message, at=definition.node.at(key), help=found.help)
    for place, dimension in enumerate(metric.by):
        if dimension not in known:
            yield Diagnostic(
                code="D503",
                message=f"`{dimension}` is not a column of `{metric.from_}`",
                at=definition.node.at("by", place),
                help=did_you_mean(dimension, known),
            )


METRIC = kind(Kind(name="metric", folder="metrics", model=MetricDefinition, check=check, reserved=frozenset({"new"})))
