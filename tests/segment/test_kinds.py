"""What is wrong with tags, audiences and models is found in one pass, each fault at its characters."""

from __future__ import annotations

from pathlib import PurePath

import pytest
from tests.segment import conftest as small

from spira.definitions.check import check
from spira.definitions.workspace import read_definitions
from spira.kernel.diagnostics import render


def _found(text: str) -> list[tuple[str, str, str]]:
    """Each fault: its code, its place counted from the first line of `text`, and the characters marked."""
    whole = f"{small.TRACKING}---\n{text}"
    workspace = read_definitions([(PurePath("all.yaml"), whole)], small.SETTINGS)
    before = small.TRACKING.count("\n") + 1
    lines = whole.splitlines()
    return [
        (
            each.code,
            f"{each.at.line - before}:{each.at.column}",
            lines[each.at.line - 1][each.at.column - 1 : each.at.column - 1 + each.at.width],
        )
        for each in check(workspace)
    ]


SOUND = """tag: orders
label: {zh-CN: 订单数, en: Orders}
value: count_of('Order Completed')
---
tag: class
value: |
  case when quintile(orders) = 5 then 'top'
       else city end
---
model: next_order
kind: next_order_date
---
audience: top
who: class = 'top'
---
audience: top_and_late
who: in_audience('top') and days_since(next_order) > 3
"""


def test_sound_definitions_have_no_faults():
    """Tags over tags, ranks, traits, scores and audiences over audiences are all known."""
    assert _found(SOUND) == []


FAULTS = {
    "tag: a\nvalue: count_of('Ordr Completed')": [("D303", "2:17", "'Ordr Completed'")],
    "tag: a\nvalue: |\n  case when b > 1\n       then 'x' end": [("D305", "3:13", "b")],
    "tag: a\nvalue: \"count_of('Order Completed') + city\"": [("D307", "2:9", "count_of('Order Completed') + city")],
    "tag: city\nvalue: count_of('Order Completed')": [("D330", "1:6", "city")],
    "tag: next\nvalue: '1'\n---\nmodel: next\nkind: next_order_date": [("D330", "1:6", "next")],
    "tag: profile_id\nvalue: '1'": [("D330", "1:6", "profile_id")],
    "model: city\nkind: next_order_date": [("D330", "1:8", "city")],
    "tag: b\nvalue: c + 1\n---\ntag: c\nvalue: d + 1\n---\ntag: d\nvalue: 2 * b": [("D331", "2:8", "c")],
    "tag: a\nvalue: a + 1": [("D331", "2:8", "a")],
    "tag: a\nvalue: case when did('Order Completed') then 'x' else 'y' end\nvalues: {x: X, z: Z}": [
        ("D335", "3:16", "z")
    ],
    "tag: a\nvalue: quintile(count_of('Order Completed'))\nvalues: {5: Top, 6: More}": [("D335", "3:18", "6")],
    "audience: a\nwho: in_audience('b')\n---\naudience: b\nwho: not in_audience('a')": [
        ("D331", "2:6", "in_audience('b')")
    ],
    "tag: a\nvalue: days_since(m)\n---\nmodel: m\nkind: next_order_date": [("D332", "2:19", "m")],
    "tag: a\nvalue: in_audience('b')\n---\naudience: b\nwho: 'true'": [("D332", "2:8", "in_audience('b')")],
    "model: m\nkind: next_ordr_date": [("D333", "2:7", "next_ordr_date")],
    "model: m\nkind: next_order_date\nevent: Order": [("D334", "3:8", "Order")],
    "audience: a\nwho: orders": [("D305", "2:6", "orders")],
    "audience: a\nwho: count_of('Order Completed')": [("D312", "2:6", "count_of('Order Completed')")],
    "audience: a\nwho: >\n  quintile(count_of('Order Completed')) = 5\n  and in_audience('nobody')": [
        ("D315", "3:3", "quintile(count_of('Order Completed'))"),
        ("D314", "4:19", "'nobody'"),
    ],
}


@pytest.mark.parametrize("text", FAULTS)
def test_each_fault_has_its_code_and_place(text):
    """One mistake gives one fault, under the very characters."""
    assert _found(text) == FAULTS[text]


def test_a_tag_that_does_not_parse_spoils_nothing_else():
    """A fault in one tag is not repeated in those that build on it."""
    text = "tag: a\nvalue: count_of(\n---\ntag: b\nvalue: a + 1\n---\naudience: c\nwho: b > 3"
    assert [code for code, *_ in _found(text)] == ["D301"]


def test_a_circle_is_shown_as_a_path():
    """The message has the whole way round, and the caret is under the step that begins it."""
    text = "tag: 'b'\nvalue: c + 1\n---\ntag: c\nvalue: 2 * b"
    workspace = read_definitions([(PurePath("t.yaml"), text)], small.SETTINGS)
    (found,) = check(workspace)
    assert render(found, text).splitlines() == [
        "error[D331]: tag `b` builds on itself: b → c → b",
        " --> t.yaml:2:8",
        "  |",
        "2 | value: c + 1",
        "  |        ^",
        "  = help: take one of these tags out of the other's expression",
    ]
