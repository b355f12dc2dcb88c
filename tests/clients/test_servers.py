"""Clients of Segment and RudderStack for servers, unchanged, over a real port: what they send ends in the warehouse."""

from __future__ import annotations

import pytest
from tests.clients.shop import needs_node, run

from spira.collect.calls import BadBody

SEGMENT_PYTHON, RUDDER_PYTHON = "segment_python.py", "rudder_python.py"
SEGMENT_NODE = pytest.param("segment_node.mjs", marks=needs_node, id="segment_node.mjs")
RUDDER_NODE = pytest.param("rudder_node.mjs", marks=needs_node, id="rudder_node.mjs")
CLIENTS = [SEGMENT_PYTHON, RUDDER_PYTHON, SEGMENT_NODE, RUDDER_NODE]
EVERYTHING = [
    ("alias", "Aliased"),
    ("group", "Group Joined"),
    ("identify", "Identified"),
    ("track", "Order Completed"),
    ("page", "Page Viewed"),
    ("screen", "Screen Viewed"),
]
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch):
    """A refusal asks for one second's patience, so that tests need not wait for five."""
    monkeypatch.setattr("spira.collect.intake.RETRY_SECONDS", 1)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_call_becomes_an_event_of_one_person(shop, client):
    """Identify, track, page, screen, group and alias arrive with their traits, values and ids; nothing is refused."""
    assert run(client, shop) == {"failed": []}

    assert shop.events() == EVERYTHING
    assert shop.rows("select reason, detail from quarantine") == []
    assert shop.rows("select order_id, revenue from events where event = 'Order Completed'") == [("A-1", 42.5)]
    shop.core.refresh()
    assert shop.rows("select count(*) from profiles") == [(1,)]
    assert shop.rows("select value from traits where name = 'city'") == [("Qingdao",)]
    kinds = shop.rows("select distinct kind from identifiers order by 1")
    assert kinds == [("anonymous_id",), ("email",), ("user_id",)]
    assert {each.status for each in shop.posts()} == {200}


@pytest.mark.parametrize(
    ("client", "what"), [(SEGMENT_PYTHON, "gzip"), pytest.param("rudder_node.mjs", "plain", marks=needs_node)]
)
def test_zipped_or_not_the_same_arrives(shop, client, what):
    """The clients' other setting for gzip loses nothing either."""
    assert run(client, shop, what) == {"failed": []}
    assert shop.events() == EVERYTHING


@pytest.mark.parametrize("client", CLIENTS)
def test_a_long_queue_is_flushed_at_the_end(shop, client):
    """230 calls go out in batches, and all are there once the client was shut down."""
    assert run(client, shop, "many") == {"failed": []}

    assert shop.rows("select count(*), count(distinct order_id) from events") == [(230, 230)]
    assert len(shop.posts()) < 230


@pytest.mark.parametrize("client", CLIENTS)
def test_what_was_refused_for_now_is_sent_again(shop, client):
    """After a 503 with Retry-After the client comes again, and its call is taken."""
    shop.log.faults.extend(["refuse", "refuse"])

    assert run(client, shop, "one") == {"failed": []}

    assert [each.status for each in shop.posts()] == [503, 503, 200]
    assert shop.events() == [("track", "Order Completed")]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_that_is_asked_to_slow_down_comes_again(shop, client):
    """After a 429 it waits, sends the same again, and loses nothing."""
    shop.busy = 2

    assert run(client, shop, "one") == {"failed": []}

    assert [each.status for each in shop.posts()] == [429, 429, 200]
    assert shop.events() == [("track", "Order Completed")]


@pytest.mark.parametrize("client", CLIENTS)
def test_an_answer_that_was_lost_counts_nothing_twice(shop, client):
    """The client sends the same message ids again, so a call that was stored though its answer was lost counts once."""
    shop.log.faults.extend(["lose", "lose"])

    assert run(client, shop, "one") == {"failed": []}

    assert [each.status for each in shop.posts()] == [503, 503, 200]
    assert shop.events() == [("track", "Order Completed")]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_wrong_key_is_told_once_and_not_asked_again(shop, client):
    """401 makes each client give up at once, and say so."""
    shop.key = "wk_nobody"

    failed = run(client, shop, "one")["failed"]

    assert len(failed) == 1
    assert [each.status for each in shop.posts()] == [401]
    assert shop.events() == []


@pytest.mark.parametrize("client", CLIENTS)
def test_a_batch_too_large_is_refused_once(shop, client, monkeypatch):
    """413 is final too: the client drops what can never be taken instead of blocking its queue."""
    monkeypatch.setattr(
        shop.core.intake, "_limits", shop.core.settings.collect.model_copy(update={"max_batch_bytes": 100})
    )

    assert len(run(client, shop, "one")["failed"]) == 1
    assert [each.status for each in shop.posts()] == [413]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_body_that_can_never_be_read_is_a_400_that_clients_take_for_final(shop, client, monkeypatch):
    """A 400 with `code` and `message` ends the matter for every client; without them one would never end."""

    def unread(_body, _via):
        raise BadBody("it holds no calls")

    monkeypatch.setattr("spira.collect.intake.read_plainly", lambda *_: None)
    monkeypatch.setattr("spira.collect.intake.read_request", unread)

    assert len(run(client, shop, "one")["failed"]) == 1
    assert [each.status for each in shop.posts()] == [400]


def test_a_bad_call_in_a_batch_costs_no_other(shop):
    """A batch with a call that the plan refuses is answered 200; the good one counts, the bad one is in quarantine."""
    assert run(SEGMENT_PYTHON, shop, "bad") == {"failed": []}

    assert shop.rows("select order_id from events") == [("A-1",)]
    assert shop.rows("select reason from quarantine") == [("wrong_type",)]
