"""What may be looked at of what came in."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from spira.collect.shown import MASKED, call_shown, without_contacts

ADDRESS, PHONE = "ann@example.com", "13800138000"


def test_what_reaches_or_names_a_person_is_masked_wherever_it_stands():
    """By its name, inside any text, as a number, and in the names of parts themselves."""
    told = {
        "userId": ADDRESS,
        "traits": {"email": ADDRESS, "name": "Ann", "lastName": "Lee", "plan": "gold"},
        "context": {"ip": "10.1.2.3", "campaign": {"name": "spring"}},
        "properties": {"note": f"call {PHONE}", "mobileNo": 13800138000, ADDRESS: 1, "products": [{"name": "Tea"}]},
        "writeKey": "wk_secret",
    }
    shown = json.dumps(without_contacts(told))
    assert not any(word in shown for word in (ADDRESS, PHONE, "Ann", "Lee", "10.1.2.3", "wk_secret"))
    assert all(word in shown for word in ("gold", "spring", "Tea"))


def test_more_names_can_be_masked():
    """What a tracking plan calls a contact is one."""
    assert without_contacts({"wechat_id": "x", "size": "L"}, frozenset({"wechat_id"})) == {
        "wechat_id": MASKED,
        "size": "L",
    }


def test_the_name_of_a_page_is_shown_and_that_of_a_person_is_not():
    """A page call names a page."""
    shown = call_shown(json.dumps({"type": "page", "name": "Home", "traits": {"name": "Ann"}}).encode())
    assert shown is not None
    assert "Home" in shown
    assert "Ann" not in shown


def test_what_is_no_object_is_not_shown():
    """A text that can't be read is not shown at all, since nobody can say what is personal in it."""
    assert [call_shown(body) for body in (b"ann@example.com", b"[1]", b"\xff", b"[" * 100_000)] == [None] * 4


VALUES = st.recursive(
    st.just(ADDRESS) | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "note", "name", "email"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_no_address_is_left_whatever_the_shape(value):
    """An address is never shown, however deep it lies."""
    assert ADDRESS not in json.dumps(without_contacts(value))
