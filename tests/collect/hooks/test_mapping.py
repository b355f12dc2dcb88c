"""Mapping: what the examples make of their calls, and what becomes of calls that fit nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spira.collect.hooks.bodies import Heard, kept_body, mapped_again, mapped_body
from spira.collect.hooks.definition import HookDefinition
from spira.definitions.workspace import read_workspace

EXAMPLES = Path(__file__).parents[3] / "examples" / "hooks"


@pytest.fixture(scope="module")
def hooks(tmp_path_factory) -> dict[str, HookDefinition]:
    """The example hooks, read as those of a workspace are."""
    directory = tmp_path_factory.mktemp("hooks")
    (directory / "spira.toml").write_text('[workspace]\nbrand = "A"\n')
    (directory / "hooks").mkdir()
    for each in EXAMPLES.glob("*.yaml"):
        (directory / "hooks" / each.name).write_text(each.read_text(encoding="utf-8"), encoding="utf-8")
    workspace = read_workspace(directory)
    assert workspace.diagnostics == ()
    return {each.name: each.model for each in workspace.definitions if each.kind == "hook"}


def heard(name: str) -> Heard:
    told = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    return Heard(
        headers={key.lower(): value for key, value in told["headers"].items()}, body=json.dumps(told["body"]).encode()
    )


def test_a_post_of_a_forum_is_an_event(hooks):
    """Discourse's headers say what happened, its body who did it; the event id is the message's."""
    [call] = mapped_body(hooks["forum"], heard("forum.post.json")).calls

    assert call["event"] == "Post Written"
    assert (call["userId"], call["timestamp"]) == ("forum-7", "2026-03-01T10:00:00.000Z")
    assert call["properties"] == {"topic_id": "11", "topic": "Which filter fits?"}
    assert call["messageId"] == "hook-forum-190-3"


def test_an_order_of_a_shop_is_who_bought_and_what(hooks):
    """One call becomes an identify and an order with its lines; amounts told as texts are numbers, ids are texts."""
    who, what = mapped_body(hooks["shop"], heard("shop.order.json")).calls

    assert who["type"] == "identify"
    assert who["traits"] == {"email": "john@example.com", "first_name": "John", "last_name": "Smith"}
    assert what["userId"] == who["userId"] == "shop-115310627314723954"
    assert what["messageId"] == "hook-shop-order-820982911946154508"
    assert (what["properties"]["order_id"], str(what["properties"]["revenue"])) == ("820982911946154508", "403.00")
    assert what["properties"]["products"][1] == {
        "product_id": "788032119674292923", "sku": "CUP-1", "name": "Cup", "quantity": 1,
        "price": what["properties"]["products"][1]["price"],
    }  # fmt: skip
    assert what["timestamp"] == "2026-03-01T02:00:02.000Z"


def test_each_item_of_an_array_is_an_event_of_its_own(hooks):
    """A refund of two lines is two events with two message ids."""
    lines = [{"line_item": {"product_id": n}, "quantity": n, "subtotal": "1.5"} for n in (1, 2)]
    body = {"id": 9, "order_id": 8, "customer_id": 7, "created_at": "2026-03-01T00:00:00Z", "refund_line_items": lines}
    made = mapped_body(
        hooks["shop"], Heard(headers={"x-shopify-topic": "refunds/create"}, body=json.dumps(body).encode())
    ).calls

    assert [each["messageId"] for each in made] == ["hook-shop-refund-9-0", "hook-shop-refund-9-1"]
    assert [each["properties"]["product_id"] for each in made] == ["1", "2"]


def test_words_of_another_system_become_ours(hooks):
    """Which event it is, and what an answer means, are looked up; what is not known is nothing."""
    [call] = mapped_body(hooks["service"], heard("service.ticket.json")).calls

    assert call["event"] == "Ticket Closed"
    assert call["properties"]["satisfied"] is True
    assert "rejected" not in call


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"id=1&a=2", "not JSON"),
        (b"[1]", "no rule takes such a call"),
        (b'{"type":"other"}', "no rule takes such a call"),
        (b'{"type":"ticket.opened"}', "nothing at `$.data.customer_id`"),
        (b'{"type":"ticket.opened","data":{"customer_id":{}}}', "is not text"),
        (b'{"type":"ticket.opened","data":{"customer_id":" "}}', "names nobody"),
        (b'{"type":"ticket.opened","timestamp":"soon","data":{"customer_id":1}}', "is not time"),
        (b'{"type":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested too deeply"),
    ],
)
def test_what_cannot_be_mapped_is_told_and_made_of_nothing(hooks, body, fault):
    """No half of an event is made, and the reason names the rule and the path."""
    made = mapped_body(hooks["service"], Heard(body=body))

    assert made.calls == ()
    assert fault in made.faults[0]


def test_a_call_without_an_id_has_one_made_of_its_body(hooks):
    """The same body twice is one event; another body is another."""
    bodies = [json.dumps({"type": "ticket.opened", "data": {"customer_id": n}}).encode() for n in (1, 1, 2)]
    ids = [mapped_body(hooks["service"], Heard(body=each)).calls[0]["messageId"] for each in bodies]

    assert ids[0] == ids[1] != ids[2]


def test_a_ping_is_nothing(hooks):
    """What the definition ignores is neither an event nor a fault."""
    made = mapped_body(hooks["forum"], Heard(headers={"x-discourse-event": "ping"}, body=b'{"ping":"OK"}'))

    assert (made.calls, made.faults, made.ignored) == ((), (), True)


def test_a_kept_body_is_mapped_again_to_the_same_calls(hooks):
    """What lies in quarantine keeps body and headers but no secret, and becomes what it would have become."""
    first = heard("shop.order.json")
    with_secrets = Heard(
        headers={**first.headers, "authorization": "Bearer x", "x-shopify-hmac-sha256": "s", "cookie": "c"},
        query={"token": "t", "shop": "1"},
        body=first.body,
    )
    kept = kept_body("shop", with_secrets, ("rule 2: something",))
    via, body = mapped_again(hooks, "hook:shop", kept)

    assert all(secret not in json.loads(kept)["headers"] for secret in ("authorization", "cookie"))
    assert json.loads(kept)["query"] == {"shop": "1"}
    assert via == "batch"
    ids = [each["messageId"] for each in mapped_body(hooks["shop"], first).calls]
    assert [each["messageId"] for each in json.loads(body)["batch"]] == ids


@pytest.mark.parametrize("body", [b"id=1", b"\xff\xfe", b'{"type":"other"}'])
def test_what_still_cannot_be_mapped_stays_as_it_was(hooks, body):
    """Mapped again in vain, a body is kept with the new reason; a hook that is gone is said to be."""
    kept = kept_body("service", Heard(body=body), ("old",))

    via, again = mapped_again(hooks, "hook:service", kept)
    assert (via, json.loads(again)["body"]) == ("hook:service", json.loads(kept)["body"])
    assert "old" not in json.loads(again)["faults"]
    via, again = mapped_again({}, "hook:service", kept)
    assert json.loads(again)["faults"] == ["there is no hook `service`"]
