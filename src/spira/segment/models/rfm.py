"""rfm: how lately, how often and for how much a person has ordered, each from 1 to 5, and the name of the three.

A class says among which fifth of all who ordered a person's value lies, by the ends that the fit has found: 5 is the
best. The score is the three digits side by side, so `rfm >= 500` are those who ordered lately and `543` reads 5, 4,
3. How lately is counted by the instant of the last order and not in days, so that nobody's score changes by waiting;
the ends move on with each fit. Equal values are in one class, so that a class may be empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from spira.segment.models.base import Card, Input, Model, Parameters, model
from spira.storage.warehouse import Row

_EPOCH = datetime(1970, 1, 1)
PARTS = ("recency", "frequency", "monetary")
ENDS = (1, 2, 3, 4)  # the ends of the first four fifths


def fit(totals: Row) -> Parameters:
    """The ends of the fifths of each part; zero while nobody has ordered."""
    return {
        f"{part}_{end}": float(found[end - 1]) if found else 0.0
        for part, found in zip(PARTS, totals, strict=True)
        for end in ENDS
    }


def part_of(value: float, part: str, parameters: Parameters) -> int:
    """The class of a value: one more than the ends that lie below it."""
    return 1 + sum(value > parameters[f"{part}_{end}"] for end in ENDS)


def called(score: float) -> Mapping[str, str]:
    """What the three classes together are called, in both languages."""
    recency, frequency, monetary = int(score) // 100, int(score) // 10 % 10, int(score) % 10
    for least, name in _NAMES:
        if all(low <= given <= high for given, (low, high) in zip((recency, frequency, monetary), least, strict=True)):
            return name
    return _OTHERS


def explain(features: Mapping[str, Any], parameters: Parameters) -> tuple[Input, ...]:
    """The last order, the number of days with one and what they came to, and the class of each."""
    last: datetime = features["last_at"]
    values = {
        "recency": (last - _EPOCH).total_seconds(),
        "frequency": float(features["orders"]),
        "monetary": float(features["amount"]),
    }
    told: tuple[tuple[str, str, str, Any, Any], ...] = (
        ("last_at", "最近一次", "Last time", "time", last),
        ("orders", "下单天数", "Days with an order", "count", values["frequency"]),
        ("amount", "累计金额", "What they came to", "number", values["monetary"]),
        ("recency", "近度（1–5）", "Recency, 1 to 5", "number", None),
        ("frequency", "频度（1–5）", "Frequency, 1 to 5", "number", None),
        ("monetary", "金额（1–5）", "Monetary, 1 to 5", "number", None),
    )
    classes = {part: float(part_of(values[part], part, parameters)) for part in PARTS}
    return tuple(
        Input(name=name, label={"zh-CN": chinese, "en": english}, unit=unit, value=classes.get(name, value))
        for name, chinese, english, unit, value in told
    )


_Range = tuple[int, int]
_Least = tuple[_Range, _Range, _Range]
_ANY: _Range = (1, 5)
_OTHERS = {"zh-CN": "一般客户", "en": "Needs attention"}
_NAMES: tuple[tuple[_Least, Mapping[str, str]], ...] = (
    (((4, 5), (4, 5), (4, 5)), {"zh-CN": "核心客户", "en": "Champions"}),
    (((3, 5), (4, 5), _ANY), {"zh-CN": "忠诚客户", "en": "Loyal"}),
    (((4, 5), (1, 1), _ANY), {"zh-CN": "新客户", "en": "New"}),
    (((4, 5), (2, 3), _ANY), {"zh-CN": "潜力客户", "en": "Promising"}),
    (((1, 2), (4, 5), (4, 5)), {"zh-CN": "不能失去", "en": "Must not be lost"}),
    (((1, 2), (3, 5), _ANY), {"zh-CN": "有流失风险", "en": "At risk"}),
    (((1, 2), (1, 2), _ANY), {"zh-CN": "沉睡客户", "en": "Asleep"}),
)

# Orders are counted by days, as `next_order_date` does: two on one day are one visit.
_FEATURES = """
select profile_id, max(ts) as last_at, count(distinct date_trunc('day', ts)) as orders,
       coalesce(sum({amount}), 0)::double as amount
from profile_events
where event = $event and ts < $as_of and profile_id in (select profile_id from changed)
group by profile_id
"""
_TOTALS = """
select quantile_disc(epoch(last_at), [0.2, 0.4, 0.6, 0.8]), quantile_disc(orders::double, [0.2, 0.4, 0.6, 0.8]),
       quantile_disc(amount, [0.2, 0.4, 0.6, 0.8])
from features
"""
_SCORE = """
select profile_id, (100 * recency + 10 * frequency + monetary)::double as value, null::timestamp as "at"
from (
  select profile_id,
         1 + (epoch(last_at) > $recency_1)::int + (epoch(last_at) > $recency_2)::int
           + (epoch(last_at) > $recency_3)::int + (epoch(last_at) > $recency_4)::int as recency,
         1 + (orders > $frequency_1)::int + (orders > $frequency_2)::int
           + (orders > $frequency_3)::int + (orders > $frequency_4)::int as frequency,
         1 + (amount > $monetary_1)::int + (amount > $monetary_2)::int
           + (amount > $monetary_3)::int + (amount > $monetary_4)::int as monetary
  from features
)
"""

RFM = model(
    Model(
        name="rfm",
        score_type="number",
        features=_FEATURES,
        totals=_TOTALS,
        fit=fit,
        score=_SCORE,
        explain=explain,
        called=called,
        card=Card(
            says={
                "zh-CN": "三位数：最近一次、下单频度、金额，各为 1 到 5，5 最好。",
                "en": "Three digits: how lately, how often and for how much somebody ordered, each 1 to 5, 5 the best.",
            },
            method={
                "zh-CN": "把所有下过单的人按每一项分成五等份；分界点在每次拟合时更新，两次拟合之间不变。",
                "en": "Everyone who ordered is divided into fifths by each of the three; the ends are found anew with "
                "each fit, and stay between fits.",
            },
            baseline={
                "zh-CN": "只按累计金额排序。",
                "en": "Everyone by what they spent, and nothing else.",
            },
            limits={
                "zh-CN": "只描述过去，不预测；不考虑退货和毛利。没有下过单的人没有分数。",
                "en": "Describes what was and foretells nothing; knows no returns and no margins. Whoever never "
                "ordered has no score.",
            },
        ),
    )
)
