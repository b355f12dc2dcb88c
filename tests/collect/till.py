"""The mapping of a till's table of orders, for every test that imports one."""

from __future__ import annotations

MAPPING = """\
mapping: till
columns:
  order_id: {from: Order ID, required: true}
  member: {from: Customer ID}
  paid: {from: Paid, type: money}
  at: {from: Paid at, type: time}
key: order_id
calls:
  - call: track
    event: Order Completed
    user_id: member
    at: at
    properties: {order_id: order_id, revenue: paid}
"""
