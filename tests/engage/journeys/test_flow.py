from __future__ import annotations

from datetime import timedelta

from spira.engage.journeys.flow import due_after, flow, next_time
from spira.testing.houses import NOON, at
from spira.testing.walks import SHOP, applied

JOURNEY = """
journey: all_kinds
label: All kinds
enter: {audience: lapsed}
steps:
  - branch:
      - when: did('Order Completed')
        steps: [{wait: 2 hours}, exit]
      - when: city = 'Qingdao'
        steps: [{send: {channel: email, template: hello}}]
  - until: {event: Product Added, timeout: 2 days}
  - send: {channel: email, template: gift}
"""


def test_every_step_has_a_position_and_ways_join_again() -> None:
    """
    Positions are paths; the end of a way leads to the step behind its branch, and an exit nowhere.
    """
    (model,) = applied(SHOP, JOURNEY).of("journey")
    nodes = flow(model)
    assert [(node.position, node.kind, node.following) for node in nodes] == [
        ("0", "branch", "1"),
        ("0.when0.0", "wait", "0.when0.1"),
        ("0.when0.1", "exit", None),
        ("0.when1.0", "send", "1"),
        ("1", "arrive", "1.waiting"),
        ("1.waiting", "await", "2"),
        ("2", "send", None),
    ]
    assert nodes[0].ways == (("did('Order Completed')", "0.when0.0"), ("city = 'Qingdao'", "0.when1.0"))
    assert due_after(nodes[1], NOON, zone="UTC") == at(2)
    assert due_after(nodes[4], NOON, zone="UTC") == at(48)
    assert due_after(nodes[6], NOON, zone="UTC") == NOON


def test_the_next_hour_of_the_day_is_today_or_tomorrow() -> None:
    """
    It is now, later today, or tomorrow; never in the past, in any zone.
    """
    assert next_time("12:00", NOON, zone="UTC") == NOON
    assert next_time("11:59", NOON, zone="UTC") == NOON + timedelta(hours=23, minutes=59)
    assert next_time("21:00", NOON, zone="Asia/Shanghai") == at(1)
    assert next_time("19:00", NOON, zone="Asia/Shanghai") == at(23)
