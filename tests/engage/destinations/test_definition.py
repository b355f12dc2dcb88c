"""The kind `destination`: what is told when it can't be, and what of a person may leave."""

import hashlib
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

import spira.worker.builtin  # noqa: F401  (registers every kind)
from spira.definitions.check import check
from spira.definitions.workspace import read_definitions
from spira.engage.destinations.definition import placed
from spira.engage.destinations.fields import read_field
from spira.kernel.diagnostics import render
from spira.kernel.settings import Settings

SHOP = """\
tracking: shop
events:
  Order Completed: {properties: {order_id: text}}
traits:
  city: text
  nickname: {type: text, privacy: contact}
---
audience: loyal
who: did('Order Completed')
---
tag: mood
value: count_of('Order Completed')
privacy: sensitive
"""
CRM = """\
destination: crm
audience: loyal
kind: webhook
url: https://crm.example/spira
secret: env:CRM_SECRET
"""


def shown(text):
    """Everything that is wrong with a definition, as a terminal shows it."""
    texts = [(PurePath("tracking/shop.yaml"), SHOP), (PurePath("example.yaml"), text)]
    workspace = read_definitions(texts, Settings())
    return "\n\n".join(render(each, workspace.sources[each.at.path]) for each in check(workspace))


@pytest.mark.parametrize(
    ("rest", "told"),
    [
        ("purpose: analysis\nfields: {id: id, x: trait.nickname}\n", "sealed"),
        ("purpose: analysis\nfields: {id: id, x: tag.mood}\n", "sensitive"),
        ("purpose: analysis\nfields: {city: trait.city}\n", "could be named"),
        ("purpose: analysis\nfields: {id: id, em: sha256(email)}\n", "don't leave"),
        ("purpose: personalised_ads\nrecipient: Nimbus\nfields: {em: email, id: id}\n", "don't leave"),
        ("purpose: personalised_ads\nfields: {em: sha256(email)}\n", "needs a `recipient`"),
        ("purpose: marketing\nfields: {id: id}\n", "needs a `channel`"),
        ("purpose: analysis\nchannel: email\nfields: {id: id}\n", "leave `channel` out"),
        ("purpose: analysis\nrecipient: Nobody\nfields: {id: id}\n", "no record of processing"),
        ("purpose: analysis\nfields: {id: name}\n", "nothing that can leave"),
        ("purpose: analysis\nfields: {id: id, x: tag.nothing}\n", "nothing"),
    ],
)
def test_what_may_not_leave_is_told_before_it_is_applied(rest, told):
    """
    Sealed traits, sensitive tags, addresses for the wrong purpose, and nobody to answer for it.
    """
    assert told in shown(CRM + rest)


@pytest.mark.parametrize(
    "options",
    [
        {"address": "../away"},
        {"address": "/etc"},
        {"address": "file:///etc"},
        {"address": "zip::memory://x"},
        {"address": "dir://x", "storage": {"path": "/etc", "target_protocol": "file"}},
        {"address": "simplecache://etc/x", "storage": {"target_protocol": "file"}},
        {"address": "s3://etc/x", "storage": {"protocol": "file"}},
        {"address": "crm", "storage": {"protocol": "s3"}},
    ],
)
def test_files_lie_in_the_folder_of_exports_or_in_a_storage(tmp_path, options):
    """
    Whoever may write a definition can't have files written elsewhere on the machine, by whatever way.
    """
    with pytest.raises(ValueError, match="exports"):
        placed(options, tmp_path)
    assert placed({"address": "crm"}, tmp_path) == {"address": str(tmp_path / "exports" / "crm")}
    assert placed({"address": "s3://lake/crm"}, tmp_path) == {"address": "s3://lake/crm"}


@given(st.from_regex(r"[a-zA-Z0-9._]{1,20}@[a-z]{1,10}\.(com|cn)", fullmatch=True), st.sampled_from(["", " ", "\t"]))
def test_one_address_has_one_hash(address, space):
    """
    However it was typed, an e-mail address leaves as the SHA-256 of its trimmed, lower-case form.
    """
    field = read_field("em", "sha256(email)")
    wanted = hashlib.sha256(address.lower().encode()).hexdigest()
    assert field.shown(f"{space}{address.upper()}{space}") == wanted


def test_a_phone_number_is_hashed_in_the_form_of_e164():
    """
    As advertisers ask for it, with the country before it.
    """
    field = read_field("ph", "sha256(phone)")
    wanted = hashlib.sha256(b"+8613800138000").hexdigest()
    assert {field.shown(each) for each in ("13800138000", "+86 138 0013 8000", "138-0013-8000")} == {wanted}
    assert read_field("ph", "sha256(address)") is None
