from __future__ import annotations

from spira.unify.kinds import KINDS, guesses, is_contact, split_identifier


def test_an_identifier_is_a_kind_and_a_value_in_its_own_writing():
    """The value is normalised as collection does; what is no identifier of a known kind is none."""
    assert split_identifier("email: Ann@Example.com ") == ("email", "ann@example.com")
    assert split_identifier("phone:138 0000 0000") == ("phone", "+8613800000000")
    assert split_identifier("user_id:a:b") == ("user_id", "a:b")
    assert [split_identifier(text) for text in ("email:ann", "shoe:42", "ann@example.com", "user_id:", "")] == [
        None
    ] * 5


def test_a_bare_text_may_be_of_several_kinds():
    """An address is tried as an address and as every opaque id; a word is no address."""
    assert ("email", "ann@example.com") in guesses("ANN@example.com")
    assert {kind for kind, _ in guesses("h-1")} == {"user_id", "anonymous_id", "member_card"}
    assert guesses("  ") == []


def test_what_is_no_known_kind_is_taken_to_be_personal():
    """Only the kinds that are known to be opaque are shown in clear; user ids tell persons apart."""
    assert [is_contact(kind) for kind in ("user_id", "member_card", "email", "phone", "passport")] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert [kind.name for kind in map(KINDS.get, KINDS) if kind.unique] == [
        "user_id",
        "wechat_unionid",
        "id_card",
    ]
