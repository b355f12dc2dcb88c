"""Who of those that a change concerns is in the middle of a journey."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from tests.segment import conftest as small

import spira.engage.channels.definition
import spira.engage.journeys.definition
import spira.engage.messages
import spira.engage.tables  # noqa: F401  (registers kinds and tables)
from spira.cli.plan import print_plan
from spira.definitions.plan import plan
from spira.engage.journeys.versions import reconcile
from spira.engage.walking import lay, matters
from spira.segment import audiences, tags
from spira.segment.catalog import understood, understood_world, written_in
from spira.segment.impact import assessments
from spira.server.wire import plain

START = datetime(2026, 1, 1)
AS_OF = START + timedelta(days=10)
WORDS = """
tag: orders
value: count_of('Order Completed')
---
tag: spare
value: first_of(store_id, 'Order Completed')
---
audience: buyers
who: orders >= 3
---
audience: best
who: in_audience('buyers') and orders >= 5
---
audience: apart
who: spare = 's'
---
journey: thanks
label: Thanks
enter: {event: Order Completed}
exit: not in_audience('best')
steps: [{wait: 3 days}]
"""


@pytest.fixture
def walked():
    """Six people with 1 to 6 orders; 3 and 4 are mid-journey, 5 has ended."""
    shop = small.open_shop()
    shop.define(WORDS)
    shop.add(
        [
            {"person": person, "event": "Order Completed", "ts": START + timedelta(days=place), "store_id": "s"}
            for person in range(1, 7)
            for place in range(person)
        ]
    )
    tags.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF)
    audiences.compute(shop.warehouse, shop.applied, shop.catalog, AS_OF)
    reconcile(shop.warehouse, shop.applied.of("journey"), AS_OF)
    walks = [(3, "active"), (4, "active"), (5, "finished")]
    rows = [
        {
            "enrolment_id": person,
            "journey": "thanks",
            "version": 1,
            "profile_id": person,
            "key": "",
            "entered_at": AS_OF,
            "held_out": False,
            "state": state,
            "step": "0",
            "visit": 1,
        }
        for person, state in walks
    ]
    shop.warehouse.append("enrolments", pa.Table.from_pylist(rows))
    yield shop
    shop.warehouse.close()


def _planned(shop, text):
    workspace = small.workspace(text)
    now = understood(written_in(shop.applied), zone="UTC")

    def laid(warehouse):
        lay(warehouse, (now, understood_world(workspace.world())))

    return plan(shop.applied, workspace, assess=assessments(shop.warehouse, workspace, lay=laid))


def test_those_who_leave_mid_journey_are_counted(walked):
    """Of three who leave the audience two are walking, one has ended; a journey may ask for it through another."""
    found = _planned(walked, WORDS.replace("orders >= 3", "orders >= 6"))
    assert [dict(each.people) for each in found.changes] == [{"enter": 0, "leave": 3, "leave_mid_journey": 2}]


def test_those_who_enter_mid_journey_are_counted(walked):
    """Two enter, and neither of them is walking; a third one more is."""
    found = _planned(walked, WORDS.replace("orders >= 5", "orders >= 4"))
    assert [dict(each.people) for each in found.changes] == [{"enter": 1, "leave": 0, "enter_mid_journey": 1}]


def test_a_tag_concerns_walkers_through_its_audiences(walked):
    """Whose value changes and who walks a journey that depends on the tag is counted beside the change."""
    found = _planned(walked, WORDS.replace("count_of('Order Completed')", "count_of('Order Completed') + 1"))
    of_tag = next(each for each in found.changes if each.kind == "tag")
    assert dict(of_tag.people) == {"change": 6, "change_mid_journey": 2}


def test_what_no_journey_asks_for_has_no_walkers(walked):
    """People leave an audience that the journey does not know: nobody is mid-journey because of it."""
    found = _planned(walked, WORDS.replace("spare = 's'", "spare = 't'"))
    assert [dict(each.people) for each in found.changes] == [{"enter": 0, "leave": 6}]


def test_what_matters_to_a_journey_is_found_through_others(walked):
    """The exit asks for one audience, which asks for another and a tag."""
    known = understood(written_in(walked.applied), zone="UTC")
    model = walked.applied.get("journey", "thanks").model
    assert matters(model, known) == {("audience", "best"), ("audience", "buyers"), ("tag", "orders")}


def test_the_command_says_it_in_brackets(walked, capsys):
    """`leave: 3 (2 mid-journey)`."""
    print_plan(plain(_planned(walked, WORDS.replace("orders >= 3", "orders >= 6"))))
    assert "people  enter: 0, leave: 3 (2 mid-journey)" in capsys.readouterr().out
