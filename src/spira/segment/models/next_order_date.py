"""next_order_date: when a person's next order is expected, from the rhythm of their own orders.

The rhythm is the mean number of days between the days a person ordered on, drawn towards
everyone's mean as if the person had been seen to wait `PRIOR` times at that: one order says
little, ten say nearly all. The expected date is the last order plus one such wait; a date
that has gone by says that the person is late.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spira.segment.models.base import Card, Input, Model, Parameters, model
from spira.storage.warehouse import Row

PRIOR = 2.0
UNKNOWN_GAP = 30.0


def fit(totals: Row) -> Parameters:
    """Everyone's mean wait in days; a month while nobody has ordered on two days."""
    days, waits = totals
    return {"gap": float(days) / float(waits) if waits else UNKNOWN_GAP, "prior": PRIOR}


def explain(features: Mapping[str, Any], parameters: Parameters) -> tuple[Input, ...]:
    """The last order, the person's own rhythm beside everyone's, and how much each of the two counts."""
    waits, prior, gap = int(features["waits"]), parameters["prior"], parameters["gap"]
    own = float(features["days"]) / waits if waits else None
    weight = waits / (waits + prior)
    found: tuple[tuple[str, str, str, Any, Any, float | None], ...] = (
        ("last_at", "最近一次", "Last time", "time", features["last_at"], None),
        ("waits", "已有的间隔次数", "Waits seen so far", "count", float(waits), None),
        ("own", "自己的平均间隔", "Own mean wait", "days", own, gap),
        ("weight", "自己节奏所占的比重", "How much the own rhythm counts", "share", weight, None),
        ("wait", "估计的间隔", "Wait expected", "days", weight * (own or 0) + (1 - weight) * gap, gap),
    )
    return tuple(
        Input(name=name, label={"zh-CN": chinese, "en": english}, unit=unit, value=value, everyone=everyone)
        for name, chinese, english, unit, value, everyone in found
    )


# Waits are counted between days: two orders on one day are one visit.
_FEATURES = """
select profile_id,
       count(distinct date_trunc('day', ts)) - 1 as waits,
       epoch(max(ts) - min(ts)) / 86400.0 as days,
       max(ts) as last_at
from profile_events
where event = $event and ts < $as_of and profile_id in (select profile_id from changed)
group by profile_id
"""
_TOTALS = "select coalesce(sum(days), 0), coalesce(sum(waits), 0) from features where waits > 0"
_SCORE = """
select profile_id, wait as value, last_at + to_microseconds((wait * 86400000000)::bigint) as "at"
from (
  select profile_id, last_at,
         (case when waits > 0 then days else 0 end + $prior * $gap) / (waits + $prior) as wait
  from features
)
"""

NEXT_ORDER_DATE = model(
    Model(
        name="next_order_date",
        score_type="time",
        features=_FEATURES,
        totals=_TOTALS,
        fit=fit,
        score=_SCORE,
        explain=explain,
        card=Card(
            says={
                "zh-CN": "预计下次下单的时间；已过去的时间表示该下单而未下单。",
                "en": "When the next order is expected; a time that has gone by says that it is late.",
            },
            method={
                "zh-CN": "本人下单日之间的平均间隔，向全体的平均间隔收缩（相当于两次观察），从最近一次下单算起。",
                "en": "The person's mean wait between days with an order, drawn towards everyone's mean by the "
                "weight of two waits, counted from the last order.",
            },
            baseline={
                "zh-CN": "对每个人都用全体的平均间隔。",
                "en": "Everyone's mean wait for every person.",
            },
            limits={
                "zh-CN": "不考虑季节、促销和退货；没有下过单的人没有分数。",
                "en": "Knows no seasons, promotions or returns; whoever never ordered has no score.",
            },
        ),
    )
)
