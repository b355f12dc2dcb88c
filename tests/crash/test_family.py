"""The family of processes under kill -9: nothing acknowledged is lost, nothing counts twice, the end is the same."""

import random
import threading
import time

import pytest
from tests.examples import examples

from spira.kernel.jobs import InlineRunner
from spira.testing.families import Family
from spira.testing.workspaces import SETTINGS, make_workspace
from spira.worker.core import Core

pytestmark = pytest.mark.slow
TABLES = ("events", "order_lines", "profiles", "tags", "members", "identifiers", "moved", "trait_facts")
BATCHES, CALLS = 30, 40
SHOP = {
    "tracking/shop.yaml": """\
tracking: shop
events:
  Order Completed:
    properties: {order_id: text, revenue: money, currency: text, store_id: text}
    arrays:
      products: {product_id: text, value: money}
""",
    "tags/orders.yaml": """\
tag: orders_total
value: count_of('Order Completed')
---
tag: spent
value: sum_of(products.value, 'Order Completed')
---
tag: spent_quintile
value: quintile(sum_of(revenue, 'Order Completed'))
""",
    "audiences/all.yaml": """\
audience: often
who: orders_total >= 3
""",
}


def calls(batch):
    """The calls of one batch, the same on every run; people repeat, and some carry an address that joins them."""
    draw = random.Random(batch)
    made = []
    for place in range(CALLS):
        person, number = draw.randrange(60), batch * CALLS + place
        at = f"2026-02-{1 + number * 27 // (BATCHES * CALLS):02}T10:00:{place:02}Z"
        if place % 10 == 0:
            traits = {"email": f"p{person % 40}@example.com", "city": "青岛"}
            made.append(
                {
                    "type": "identify",
                    "userId": f"u{person}",
                    "messageId": f"i{number}",
                    "timestamp": at,
                    "traits": traits,
                }
            )
            continue
        value = draw.randrange(1, 5000) / 100
        properties = {"order_id": str(number), "revenue": value, "products": [{"product_id": "p", "value": value}]}
        made.append(
            {
                "type": "track",
                "event": "Order Completed",
                "userId": f"u{person}",
                "messageId": f"o{number}",
                "timestamp": at,
                "properties": properties,
            }
        )
    return made


def fresh(directory, family):
    """A served workspace with its definitions applied, its clock set, and the key of a source."""
    make_workspace(directory, SHOP, settings=SETTINGS)
    served = family(directory)
    served.start()
    served.post("/api/definitions/apply")
    key = served.post("/api/sources", {"name": "shop"})["write_key"]
    served.post("/api/clock", {"to": "2026-03-01T00:00:00Z"})
    return served, key


def send_all(served, key, *, again=lambda: None):
    """Send every batch until it is acknowledged, as a client with retries does."""
    for batch in range(BATCHES):
        while not served.send(calls(batch), key):
            again()


def contents(directory):
    """Every row of the tables that matter, without what is of one run: batches, and hashes under its keys."""
    with Core.open(directory, runner=InlineRunner()) as core:
        lane = core.lane()
        found = {}
        for table in TABLES:
            kept = [
                name
                for name in lane.columns(table)
                if name not in ("batch", "received_at", "next_edge_at", "subject_key", "key_head", "vault_key")
            ]
            found[table] = sorted(lane.query(f"select {', '.join(kept)} from {table}"), key=repr)
        return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a run leaves that nobody disturbed."""
    directory = tmp_path_factory.mktemp("undisturbed")
    served, key = fresh(directory, Family)
    send_all(served, key)
    served.post("/api/refresh")
    served.stop()
    return contents(directory)


def test_a_clean_stop_is_clean(tmp_path, family):
    """
    SIGTERM ends the family with the directory free, and the next start finds everything.
    """
    served, key = fresh(tmp_path, family)
    assert served.send(calls(0), key)
    assert served.stop() in (0, -15)
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        core.load()
        assert core.lane().value("select count(*) from events") == CALLS


@pytest.mark.parametrize("seed", range(examples(1)))
def test_killing_the_core_changes_nothing_in_the_end(tmp_path, family, undisturbed, seed):
    """
    However often the core is killed while a client sends and stages run, the end state is that of a quiet run.
    """
    served, key = fresh(tmp_path, family)
    draw, over = random.Random(seed), threading.Event()

    def killer():
        for _ in range(5):
            if over.wait(draw.uniform(0.1, 0.8)):
                return
            served.kill()
            served.start()

    hand = threading.Thread(target=killer)
    hand.start()
    try:
        for batch in range(BATCHES):
            while not served.send(calls(batch), key):
                time.sleep(0.05)
            if batch % 8 == 0:
                served_refresh(served)
    finally:
        over.set()
        hand.join()
    served.post("/api/refresh")
    served.stop()
    assert contents(tmp_path) == undisturbed


def test_killing_children_changes_nothing_in_the_end(tmp_path, family, undisturbed):
    """
    A child that dies over its task is replaced, and the end state is that of a quiet run.
    """
    served, key = fresh(tmp_path, family)
    killed = 0
    served.send(calls(0), key)
    served.post("/api/refresh")  # from here on there is a child
    for batch in range(BATCHES):
        assert served.send(calls(batch), key)
        if batch % 5 == 0:
            loading = threading.Thread(target=served_refresh, args=(served,))
            loading.start()
            killed += served.kill_a_child()
            loading.join()
    served.post("/api/refresh")
    served.stop()
    assert killed > 0
    assert contents(tmp_path) == undisturbed


def served_refresh(served):
    """Ask for a refresh, whether or not anybody is there to do it."""
    try:
        served.api.post("/api/refresh", json={})
    except Exception:
        return
