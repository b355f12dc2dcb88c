"""Identifiers of every kind, as calls carry them."""

from __future__ import annotations

CARD = "11010519491231002X"


def test_a_call_carries_any_kind_of_identifier(desk):
    """`externalIds` and traits tie identifiers to the caller: sealed, in clear or hashed, as the kind says."""
    ids = [{"type": "wechat_unionid", "id": "oX9"}, {"type": "device_id", "id": "AB-1"}, {"type": "shoe", "id": "42"}]
    seen = {"type": "track", "event": "Seen", "userId": "u1", "messageId": "m1", "context": {"externalIds": ids}}
    desk.batch(seen, {"type": "identify", "userId": "u1", "messageId": "m2", "traits": {"id_card": CARD, "age": 40}})
    desk.load()
    assert desk.rows("select kind, value from identifiers order by kind") == [
        ("device_id", "ab-1"),
        ("id_card", None),
        ("user_id", "u1"),
        ("wechat_unionid", None),
    ]
    assert desk.rows("select count(*) from links") == [(3,)]
    assert desk.rows("select value, vault_key from trait_facts where name = 'id_card'") == [(None, None)]
    keys = [desk.keys.subject_key("wechat_unionid", "oX9"), desk.keys.subject_key("id_card", CARD)]
    assert list(desk.vault.open(keys).values()) == ["oX9"]


def test_the_same_id_of_two_apps_is_two_identifiers(desk):
    """An openid is told with the app it belongs to, as `collection`; without one it stands for itself."""
    ids = [{"type": "wechat_openid", "id": "oA", "collection": app} for app in ("wx1", "wx2", "users")]
    desk.batch({"type": "track", "event": "Seen", "userId": "u1", "messageId": "m1", "context": {"externalIds": ids}})
    desk.load()
    keys = [desk.keys.subject_key("wechat_openid", value) for value in ("wx1/oA", "wx2/oA", "oA")]
    assert sorted(desk.vault.open(keys).values()) == ["oA", "wx1/oA", "wx2/oA"]
