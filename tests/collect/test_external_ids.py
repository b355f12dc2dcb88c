"""Identifiers of every kind, as calls carry them."""

from __future__ import annotations

from itertools import permutations

import pytest
from tests.collect.desk import RETAIL

from spira.collect.identifier_rules import IdentifierDefinition, rules_of
from spira.collect.tracking import TrackingDefinition, plan_of
from spira.definitions.check import check
from spira.testing.walks import workspace
from spira.unify import identity
from spira.unify.kinds import split_identifier

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


SHOP_APP = IdentifierDefinition(identifier="openid_shop", of="wechat_openid", collection="wx1", unique=True)
POOL_APP = IdentifierDefinition(identifier="openid_pool", of="wechat_openid", collection="wx2", unique=True)


def seen(number, app, openid, user=None, phone=None):
    """A call of a browser with an openid of an app, and what else was told."""
    ids = [{"type": "wechat_openid", "id": openid, "collection": app}]
    traits = {"phone": phone} if phone else {}
    who = {"userId": user} if user else {"anonymousId": f"b{number}"}
    return {"type": "identify", "messageId": f"m{number}", "traits": traits, "context": {"externalIds": ids}, **who}


def people(make_desk, calls):
    """Who is one person after some calls in their order: sets of openids with their kind; and the conflicts."""
    desk = make_desk()
    desk.plan = plan_of([TrackingDefinition.model_validate(RETAIL)], [SHOP_APP, POOL_APP])
    identity.follow_kinds(desk.warehouse, desk.plan.identifiers, desk.keys)
    for call in calls:
        desk.batch(call)
    desk.load()
    rows = desk.rows(
        "select coalesce(moved.profile_id, subject_id), kind, subject_key from identifiers "
        "left join moved using (subject_id) where kind like '%openid%'"
    )
    opened = desk.vault.open([key for _, _, key in rows])
    whole = {
        profile: frozenset((kind, opened[key]) for of, kind, key in rows if of == profile) for profile, _, _ in rows
    }
    return set(whole.values()), desk.rows("select count(*) from identity_conflicts")[0][0]


def test_somebody_has_one_openid_an_app_and_two_of_one_app_are_two_people(make_desk):
    """A shared number joins the openids of three apps; a second one of an app is another's, whatever arrives first."""
    first, pool, third, other = (
        seen(number, app, openid, phone="13912345678")
        for number, (app, openid) in enumerate((("wx1", "oA"), ("wx2", "oB"), ("wx3", "oC"), ("wx1", "oD")))
    )
    whole = {("openid_shop", "oA"), ("openid_pool", "oB"), ("wechat_openid", "wx3/oC")}
    assert people(make_desk, [first, pool, third]) == ({frozenset(whole)}, 0)
    found = [people(make_desk, order) for order in permutations([first, pool, other])]
    assert all(each == found[0] for each in found)
    apart, conflicts = found[0]
    assert not any({("openid_shop", "oA"), ("openid_shop", "oD")} <= each for each in apart)
    assert conflicts > 0


def test_a_value_that_holds_its_app_is_of_that_apps_kind():
    """In a trait and on the command line, and only for apps that have a kind."""
    rules = rules_of([SHOP_APP])
    assert (rules["openid_shop"].unique, rules["openid_shop"].privacy) == (True, "contact")
    assert split_identifier("wechat_openid:wx1/oA", rules) == ("openid_shop", "oA")
    assert split_identifier("wechat_openid:wx2/oA", rules) == ("wechat_openid", "wx2/oA")
    assert split_identifier("wechat_openid:oA", rules) == ("wechat_openid", "oA")
    assert split_identifier("wechat_openid:wx1/oA") == ("wechat_openid", "wx1/oA")


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("of: phone\ncollection: wx1", "`phone` is no kind"),
        ("of: wechat_openid", "`collection` is missing"),
        ("collection: wx1", "`of` is missing"),
    ],
)
def test_a_kind_of_one_collection_names_the_scoped_kind_and_the_collection(said, wrong):
    """Anything else is a fault at its place, and so is a second kind of one app."""
    (fault,) = check(workspace(f"identifier: openid_shop\n{said}\n"))
    assert (fault.code, fault.message.startswith(wrong)) == ("D464", True)
    part = "of: wechat_openid\ncollection: wx1\n"
    (twice,) = check(workspace(f"identifier: one\n{part}---\nidentifier: two\n{part}"))
    assert twice.message == "`wx1` of `wechat_openid` has a kind of its own already"


def test_the_same_id_of_two_apps_is_two_identifiers(desk):
    """An openid is told with the app it belongs to, as `collection`; without one it stands for itself."""
    ids = [{"type": "wechat_openid", "id": "oA", "collection": app} for app in ("wx1", "wx2", "users")]
    desk.batch({"type": "track", "event": "Seen", "userId": "u1", "messageId": "m1", "context": {"externalIds": ids}})
    desk.load()
    keys = [desk.keys.subject_key("wechat_openid", value) for value in ("wx1/oA", "wx2/oA", "oA")]
    assert sorted(desk.vault.open(keys).values()) == ["oA", "wx1/oA", "wx2/oA"]
