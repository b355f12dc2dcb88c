"""A small shop's definitions for the tests of the worker."""

import pytest

SHOP = {
    "tracking/shop.yaml": """\
tracking: shop
events:
  Order Completed:
    label: {zh-CN: 完成订单, en: Order completed}
    properties: {order_id: text, revenue: money, currency: text, store_id: text}
""",
    "tags/orders.yaml": """\
tag: orders_total
label: {zh-CN: 订单数, en: Orders}
value: count_of('Order Completed')
---
tag: spent_30d
label: {zh-CN: 近30天消费, en: Spent in 30 days}
value: sum_of(revenue, 'Order Completed', within => '30 days')
""",
    "audiences/all.yaml": """\
audience: lapsed
label: {zh-CN: 沉睡, en: Lapsed}
who: orders_total > 0 and not did('Order Completed', within => '30 days')
""",
}


@pytest.fixture
def shop():
    """The files of a workspace."""
    return dict(SHOP)
