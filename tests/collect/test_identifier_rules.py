"""What the kinds of identifiers are like, as they are built in and as a workspace says."""

from __future__ import annotations

import pytest

from spira.collect.identifier_rules import BUILT_IN, IdentifierDefinition, rules_of
from spira.collect.identifiers import KINDS

PROMISED = (
    *("user_id", "anonymous_id", "phone", "email", "wechat_unionid", "wechat_openid", "wecom_external_userid"),
    *("weibo_uid", "member_card", "device_id", "id_card", "taobao_buyer", "jd_buyer", "douyin_buyer", "pdd_buyer"),
)


def declared(**said):
    return rules_of([IdentifierDefinition(**said)])


def test_every_kind_that_a_brand_meets_is_built_in():
    """Each has a place among those whose word counts; three are one person's alone, an identity card is but a hash."""
    assert set(PROMISED) | {"visit"} == set(BUILT_IN) == set(KINDS)
    assert len({rule.rank for rule in BUILT_IN.values()}) == len(BUILT_IN)
    assert {kind for kind, rule in BUILT_IN.items() if rule.unique} == {"user_id", "wechat_unionid", "id_card"}
    assert {kind for kind, rule in BUILT_IN.items() if rule.privacy == "hash"} == {"id_card"}
    assert {kind for kind, rule in BUILT_IN.items() if rule.strength == "shared"} == {
        "anonymous_id",
        "visit",
        "device_id",
    }
    assert all(rule.joins for kind, rule in BUILT_IN.items() if not rule.unique and kind != "visit")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "13800138000"),
        ("phone", "+86 138-0013-8000"),
        ("phone", "00000000000"),
        ("phone", "0000 0000"),
        ("email", "Test@Test.com"),
        ("user_id", "0"),
        ("user_id", "null"),
        ("member_card", "00000000"),
        ("device_id", "000000000000000"),
        ("device_id", "00000000-0000-0000-0000-000000000000"),
        ("device_id", "[object Object]"),
        ("device_id", "02:00:00:00:00:00"),
        ("anonymous_id", "undefined"),
    ],
)
def test_values_that_mean_nobody_are_blocked_however_they_are_written(kind, value):
    """What forms are filled with, and what programs write for nothing, joins nobody."""
    rule = BUILT_IN[kind]
    assert rule.normalise(value) in rule.blocked


def test_an_openid_is_somebody_within_its_app():
    """The same openid of two apps is two values; Segment's own word for everywhere is no app."""
    rule = BUILT_IN["wechat_openid"]
    assert rule.within("wx1", " oA ") == "wx1/oA"
    assert rule.within("wx2", "oA") == "wx2/oA"
    assert rule.within("users", "oA") == rule.within("", "oA") == rule.normalise("oA") == "oA"
    assert BUILT_IN["wechat_unionid"].within("wx1", "oA") == "oA"


def test_a_workspace_says_what_a_kind_is_like():
    """What a file leaves out is as it is built in; a kind that is shared may be several people's."""
    card = declared(identifier="member_card", per_person=3, blocked=["xx"])["member_card"]
    assert (card.per_person, card.joins, "xx" in card.blocked, "null" in card.blocked) == (3, 1_000, True, True)
    till = declared(identifier="till", strength="shared")["till"]
    assert till.people == 20
    assert declared(identifier="till", strength="shared", people=2)["till"].people == 2
    assert declared(identifier="device_id", strength="strong")["device_id"].people == 1
    assert declared(identifier="tax_number", unique=True, per_person=5)["tax_number"].per_person == 1
