"""The six questions of the demo, each answered by a condition and by SQL written by hand, which must agree."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from spira.kernel.viewer import SYSTEM
from spira.segment.preview import preview

CONDITIONS = {
    "regulars": "count_of('Order Completed') >= 50",
    "produce": "sum_of(products.value, 'Order Completed', products.department = 'PRODUCE') > 200",
    "grocery": "most_of(products.department, 'Order Completed') = 'GROCERY'",
    "returned": "did('Order Completed', within => '30 days') "
    "and not did('Order Completed', within => '60 days', ending => '30 days')",
    "converted": "followed('Coupon Applied', 'Order Completed', gap => '7 days')",
    "couponless": "not did('Coupon Applied')",
}

# Over `orders(who, id, ts)`, `lines(who, ts, department, value)` and `coupons(who, ts)`.
BY_HAND = {
    "regulars": "select count(*) from (select who from orders where ts < $as_of group by who having count(*) >= 50)",
    "produce": """
select count(*) from (
  select who from lines where ts < $as_of and department = 'PRODUCE' group by who having sum(value) > 200
)""",
    "grocery": """
select count(*) from (
  select who, department,
         row_number() over (partition by who order by count(*) desc, department) as place
  from lines where ts < $as_of and department is not null group by who, department
) where place = 1 and department = 'GROCERY'""",
    "returned": """
select count(*) from (
  select distinct who from orders where ts >= $as_of - interval 720 hours and ts < $as_of
  except
  select who from orders where ts >= $as_of - interval 2160 hours and ts < $as_of - interval 720 hours
)""",
    "converted": """
select count(distinct coupons.who)
from coupons join orders
  on orders.who = coupons.who and orders.ts > coupons.ts and orders.ts <= coupons.ts + interval 168 hours
where coupons.ts < $as_of and orders.ts < $as_of""",
    "couponless": """
select count(*) from (select who from orders union select who from coupons)
where who not in (select who from coupons where ts < $as_of)""",
}


def _answers(db: duckdb.DuckDBPyConnection, as_of: datetime) -> dict[str, int]:
    return {name: db.execute(sql, {"as_of": as_of}).fetchall()[0][0] for name, sql in BY_HAND.items()}


def _asked(shop: Any, vault: Any, as_of: datetime) -> dict[str, int]:
    return {
        name: preview(shop.warehouse, shop.catalog, SYSTEM, text, as_of=as_of, vault=vault).count
        for name, text in CONDITIONS.items()
    }


def _small_shop(seed: int) -> list[dict[str, Any]]:
    """Forty people over half a year; the first half of them order often."""
    draw = random.Random(seed)
    start, found = datetime(2026, 1, 1), []
    for person in range(1, 41):
        for _ in range(draw.randint(1, 70 if person <= 20 else 4)):
            at = start + timedelta(minutes=draw.randrange(180 * 24 * 60))
            lines = [
                {"department": draw.choice(["GROCERY", "PRODUCE", "DELI", None]), "value": draw.randint(1, 30)}
                for _ in range(draw.randint(1, 3))
            ]
            found.append({"person": person, "event": "Order Completed", "ts": at, "products": lines})
        for _ in range(draw.choice([0, 0, 1, 3])):
            at = start + timedelta(minutes=draw.randrange(180 * 24 * 60))
            found.append({"person": person, "event": "Coupon Applied", "ts": at})
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_six_questions_of_a_small_shop_have_the_answers_of_sql(shop, vault, seed):
    """On generated events, at an instant within them, each count is that of a query written by hand."""
    events = _small_shop(seed)
    shop.define("tag: orders\nvalue: count_of('Order Completed')")
    shop.add(events)
    as_of = datetime(2026, 6, 1, 10, 30)
    with duckdb.connect() as db:
        db.execute("create table orders (who bigint, id bigint, ts timestamp)").fetchall()
        db.execute("create table lines (who bigint, ts timestamp, department varchar, value decimal(18, 4))").fetchall()
        db.execute("create table coupons (who bigint, ts timestamp)").fetchall()
        for place, each in enumerate(events):
            if each["event"] == "Coupon Applied":
                db.execute("insert into coupons values (?, ?)", [each["person"], each["ts"]]).fetchall()
                continue
            db.execute("insert into orders values (?, ?, ?)", [each["person"], place, each["ts"]]).fetchall()
            for line in each["products"]:
                row = [each["person"], each["ts"], line["department"], line["value"]]
                db.execute("insert into lines values (?, ?, ?, ?)", row).fetchall()
        expected = _answers(db, as_of)
    assert _asked(shop, vault, as_of) == expected
    assert all(count > 0 for count in expected.values())


@pytest.mark.demo
@pytest.mark.parametrize("as_of", [datetime(2018, 1, 2), datetime(2017, 9, 15, 14, 20)])
def test_six_questions_of_the_real_shop_have_the_answers_of_sql_over_its_files(demo, demo_files, vault, as_of):
    """Each count is that of a query straight over the package's Parquet files."""
    with duckdb.connect() as db:
        for name, path in demo_files.items():
            db.execute(FILE_VIEWS[name].format(path=path)).fetchall() if name in FILE_VIEWS else None
        db.execute(LINES.format(products=demo_files["products"])).fetchall()
        expected = _answers(db, as_of)
        # Households that were only ever targeted by a campaign are profiles too.
        everyone = db.execute(EVERYONE.format(campaigns=demo_files["campaigns"])).fetchall()[0][0]
    assert _asked(demo, vault, as_of) == expected
    found = preview(demo.warehouse, demo.catalog, SYSTEM, CONDITIONS["couponless"], as_of=as_of, vault=vault)
    assert found.total == everyone


FILE_VIEWS = {
    "transactions": """
create table sold as select * from read_parquet('{path}');
create table orders as
select household_id as who, basket_id as id, max(transaction_timestamp) as ts from sold group by all
""",
    "redemptions": """
create table coupons as
select household_id as who, redemption_date + interval 86399 seconds as ts from read_parquet('{path}')
""",
}
LINES = """
create table lines as
select orders.who, orders.ts, department, sales_value::decimal(18, 4) as value
from sold join orders on orders.id = sold.basket_id left join read_parquet('{products}') products using (product_id)
"""
EVERYONE = """
select count(*) from (select who from orders union select who from coupons
                      union select household_id from read_parquet('{campaigns}'))
"""
