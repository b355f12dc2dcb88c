"""What one journey brought in: revenue per person, of those written to and of those held out.

Reads   `enrolments`, `profile_events`, `profiles`

Counted is the money of the goal's event within the goal's time after entering, each purchase once, and less
what was refunded of it. The unit is the person: whoever walked several times is one, in the group of the first
walk. Amounts of several currencies are never added up; the report says which there are instead of a sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spira.kernel.durations import parse_duration
from spira.kernel.viewer import FEWEST, Viewer, bound_units
from spira.measure.money import MoneyArm, MoneyDifference, money_difference
from spira.segment.conditions.catalog import EventSchema
from spira.storage import ddl
from spira.storage.warehouse import Warehouse

# Where an event carries several amounts, the first of these is its worth (the names of Segment's specification).
AMOUNTS = ("revenue", "total", "value", "amount", "subtotal", "price")
TAKEN_BACK: Mapping[str, str] = {"Order Completed": "Order Refunded"}
ORDER, CURRENCY = "order_id", "currency"


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyMoney:
    """What a journey brought in, or why that can't be said."""

    event: str = field(metadata={"help": "the event whose money is counted: the goal's"})
    within: str = field(metadata={"help": "how long after entering it counts"})
    amount: str | None = field(metadata={"help": "the property that is added up; None where the event has no money"})
    refunds: str | None = field(metadata={"help": "the event whose amounts are taken off; None where there is none"})
    currency: str | None = field(metadata={"help": "of all amounts; None where there are several, or no money"})
    currencies: Mapping[str, int] = field(metadata={"help": "how many amounts there are in each currency"})
    still_open: int = field(metadata={"help": "people whose time isn't over yet; later purchases will be added"})
    difference: MoneyDifference | None = field(
        metadata={"help": "treated against held out; None without money, or with several currencies"}
    )


def journey_money(
    warehouse: Warehouse,
    viewer: Viewer,
    name: str,
    *,
    event: str,
    within: str,
    events: Mapping[str, EventSchema],
    currency: str,
    as_of: datetime,
) -> JourneyMoney:
    """The money of a journey with the goal `event` among the viewer's people; `currency` is of amounts that name none.

    To one who sees no people, a group of fewer than five is told as if it were empty.
    """
    amount = amount_of(events.get(event))
    if amount is None:
        return JourneyMoney(
            event=event,
            within=within,
            amount=None,
            refunds=None,
            currency=None,
            currencies={},
            still_open=0,
            difference=None,
        )
    refunds = TAKEN_BACK.get(event)
    taken = amount_of(events.get(refunds or ""))
    by_order = taken is not None and all(ORDER in events[each].properties for each in (event, refunds or ""))
    statement = _ARMS.format(
        amount=ddl.quote(amount),
        currency=ddl.quote(CURRENCY) if _has_currency(events[event]) else "null",
        order_id=ddl.quote(ORDER) if by_order else "null",
        refunded=ddl.quote(taken or amount),
        refunded_of=_OF_COUNTED_ORDERS if by_order else _OF_THE_SAME_TIME,
    )
    bound = {
        **bound_units(viewer),
        "journey": name,
        "event": event,
        "refunds": refunds if taken else "",
        "within": parse_duration(within),
        "currency": currency,
        "as_of": as_of,
    }
    arms, still_open, currencies = _arms(warehouse.query(statement, bound), viewer)
    one = next(iter(currencies), currency) if len(currencies) < 2 else None
    return JourneyMoney(
        event=event,
        within=within,
        amount=amount,
        refunds=refunds if taken else None,
        currency=one,
        currencies=currencies,
        still_open=still_open,
        difference=None if one is None else money_difference(arms[False], arms[True]),
    )


def amount_of(event: EventSchema | None) -> str | None:
    """The property that says what an event is worth: the best known name, else the only one that is money."""
    money = [] if event is None else [name for name, type in event.properties.items() if type == "money"]
    known = [name for name in AMOUNTS if name in money]
    return known[0] if known else money[0] if len(money) == 1 else None


def _has_currency(event: EventSchema) -> bool:
    return event.properties.get(CURRENCY) == "text"


def _arms(rows: list[tuple[Any, ...]], viewer: Viewer) -> tuple[dict[bool, MoneyArm], int, dict[str, int]]:
    """Both groups by whether they are held out, how many are still within their time, and the currencies."""
    arms, still_open, currencies = {False: MoneyArm(), True: MoneyArm()}, 0, {}
    for held_out, people, open_now, paying, total, mean, deviation, skewness, counted in rows:
        currencies = dict(counted or {})
        if people < FEWEST and not viewer.sees_people:
            continue
        still_open += open_now
        arms[held_out] = MoneyArm(
            people=people,
            paying=paying,
            total=float(total),
            mean=float(mean),
            deviation=deviation,
            skewness=skewness if deviation else None,
        )
    return arms, still_open, currencies


_OF_COUNTED_ORDERS = """
semi join bought on bought.profile_id = p.profile_id and bought.order_id = p.order_id
"""
_OF_THE_SAME_TIME = """
semi join walks on walks.profile_id = p.profile_id and p.ts > walks.entered_at and p.ts <= walks.entered_at + $within
"""
_ARMS = """
with walks as (
  select profile_id, entered_at, enrolment_id, held_out
  from enrolments join profiles using (profile_id)
  where journey = $journey and ($units::bigint[] is null or list_contains($units::bigint[], unit_id))
), people as (
  select profile_id, arg_min(held_out, (entered_at, enrolment_id)) as held_out,
         max(entered_at) + $within > $as_of as still_open
  from walks group by profile_id
), bought as (
  select p.profile_id, {amount} as amount, upper(coalesce({currency}, $currency)) as currency, {order_id} as order_id
  from profile_events p
    semi join walks on walks.profile_id = p.profile_id
      and p.ts > walks.entered_at and p.ts <= walks.entered_at + $within
  where p.event = $event and p.ts > (select min(entered_at) from walks) and p.ts < $as_of and {amount} is not null
), paid as (
  select profile_id, amount, currency from bought
  union all
  select p.profile_id, -abs({refunded}), upper(coalesce({currency}, $currency))
  from profile_events p {refunded_of}
  where p.event = $refunds and p.ts > (select min(entered_at) from walks) and p.ts < $as_of and {refunded} is not null
), sums as (
  select people.profile_id, any_value(held_out) as held_out, any_value(still_open) as still_open,
         count(paid.amount) > 0 as paying, coalesce(sum(paid.amount), 0) as amount
  from people left join paid on paid.profile_id = people.profile_id
  group by people.profile_id
)
select held_out, count(*), count(*) filter (still_open), count(*) filter (paying), sum(amount), avg(amount::double),
       stddev_samp(amount::double), skewness(amount::double), (select histogram(currency) from paid)
from sums group by held_out
"""
