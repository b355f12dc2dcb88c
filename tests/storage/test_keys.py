"""Keys and sealing: what is secret stays secret, and what was sealed can be opened."""

from __future__ import annotations

import hmac
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.kernel.errors import Conflict, StorageDamaged, WorkspaceInvalid
from spira.storage.keys import KEYS_FILE, add_sealing_key, load_keys, make_keys, new_keys
from spira.storage.sealing import key_number, read_parts, seal, unseal, write_parts
from spira.testing.states import fixed_keys


def test_keys_are_read_back_as_they_were_made(tmp_path):
    """The file holds everything, and only its owner may read it."""
    made = make_keys(tmp_path)

    assert load_keys(tmp_path) == made
    assert (tmp_path / KEYS_FILE).stat().st_mode & 0o777 == 0o600


def test_existing_keys_are_never_overwritten(tmp_path):
    """Making keys twice is refused: the first are the only way to everything sealed."""
    made = make_keys(tmp_path)
    with pytest.raises(Conflict, match="lose every sealed value"):
        make_keys(tmp_path)
    assert load_keys(tmp_path) == made


def test_missing_keys_say_what_to_do(tmp_path):
    """A restored workspace without its keys asks for the file by name."""
    with pytest.raises(WorkspaceInvalid, match=r"spira\.keys are missing") as refused:
        load_keys(tmp_path)
    assert "no backup" in (refused.value.help or "")


def test_keys_that_others_can_read_are_refused(tmp_path):
    """A key file open to the group is not used, and the answer is the command that closes it."""
    make_keys(tmp_path)
    (tmp_path / KEYS_FILE).chmod(0o640)
    with pytest.raises(WorkspaceInvalid, match="640") as refused:
        load_keys(tmp_path)
    assert "chmod 600" in (refused.value.help or "")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": 2}'])
def test_a_file_that_holds_no_keys_is_refused(tmp_path, text):
    """Anything but a whole key file of this version is a clear fault, never a trace."""
    (tmp_path / KEYS_FILE).write_text(text)
    (tmp_path / KEYS_FILE).chmod(0o600)
    with pytest.raises(WorkspaceInvalid, match="no key file"):
        load_keys(tmp_path)


def test_a_key_of_the_wrong_length_is_refused(tmp_path):
    """A key file that was cut by hand does not pass."""
    make_keys(tmp_path)
    written = json.loads((tmp_path / KEYS_FILE).read_text())
    written["log"] = "ab"
    (tmp_path / KEYS_FILE).write_text(json.dumps(written))
    with pytest.raises(WorkspaceInvalid, match="no key file"):
        load_keys(tmp_path)


def test_a_new_sealing_key_leaves_the_old_ones_working(tmp_path):
    """Keys change without stopping: what was sealed before opens, what is sealed now uses the new one."""
    before = make_keys(tmp_path)
    sealed = seal(before, b"anna", context=b"here")
    after = add_sealing_key(tmp_path)

    assert unseal(after, sealed, context=b"here") == b"anna"
    assert key_number(seal(after, b"anna", context=b"here")) == 2
    assert load_keys(tmp_path) == after


def test_keys_do_not_print_themselves():
    """A key in a log line or a traceback is a stolen key."""
    keys = new_keys()
    assert repr(keys) == str(keys) == f"Keys({keys.fingerprint})"


@given(key=st.binary(min_size=1, max_size=100), kind=st.sampled_from(["email", "user_id"]), value=st.text(max_size=80))
def test_a_subject_key_is_the_first_half_of_an_hmac(key, kind, value):
    """The same 128 bits whichever way they are come by, for keys of any length."""
    keys = replace(fixed_keys(), hmac_key=key)
    wanted = hmac.digest(key, f"{kind}:{value}".encode(errors="replace"), "sha256")[:16].hex()
    assert keys.subject_key(kind, value.encode(errors="replace").decode()) == wanted


def test_a_subject_key_depends_on_kind_value_and_key():
    """The same identifier has the same key, 32 hex characters; another kind, value or workspace has another."""
    keys = fixed_keys()
    one = keys.subject_key("email", "anna@example.org")

    assert one == fixed_keys().subject_key("email", "anna@example.org")
    assert len(one) == 32
    assert bytes.fromhex(one)
    others = {
        keys.subject_key("phone", "anna@example.org"),
        keys.subject_key("email", "bert@example.org"),
        new_keys().subject_key("email", "anna@example.org"),
    }
    assert one not in others


def test_each_purpose_has_a_signing_key_of_its_own():
    """A leaked key of links signs no session."""
    keys = fixed_keys()
    assert keys.derive("links") == keys.derive("links") != keys.derive("sessions")


@given(st.binary(max_size=200), st.binary(max_size=40))
def test_what_is_sealed_can_be_opened(plaintext, context):
    """Any bytes come back, in the context they were sealed in."""
    keys = fixed_keys()
    assert unseal(keys, seal(keys, plaintext, context=context), context=context) == plaintext


def test_sealing_twice_looks_different():
    """Equal values can't be told from their sealed forms."""
    keys = fixed_keys()
    assert seal(keys, b"anna", context=b"") != seal(keys, b"anna", context=b"")


@given(st.integers(0, 33), st.integers(0, 7))
def test_a_changed_byte_is_noticed(place, bit):
    """No single-bit change of a sealed value opens, header included."""
    keys = fixed_keys()
    sealed = bytearray(seal(keys, b"anna", context=b"here"))
    sealed[place] ^= 1 << bit
    with pytest.raises(StorageDamaged):
        unseal(keys, bytes(sealed), context=b"here")


def test_a_value_moved_to_another_row_does_not_open():
    """The context is authenticated: copying a sealed value elsewhere gains nothing."""
    keys = fixed_keys()
    with pytest.raises(StorageDamaged, match="changed"):
        unseal(keys, seal(keys, b"anna", context=b"row 1"), context=b"row 2")


def test_a_missing_sealing_key_is_named():
    """A value sealed with a key that this file lacks says which."""
    keys = fixed_keys()
    with pytest.raises(StorageDamaged, match="key 7"):
        unseal(keys, b"\x01\x00\x07" + bytes(40), context=b"")


def test_what_is_cut_short_is_said():
    """Too few bytes to be anything are a fault with a next step."""
    with pytest.raises(StorageDamaged, match="cut short"):
        unseal(fixed_keys(), b"\x01", context=b"")


def place_of(place, last):
    return f"file:{place}:{last}".encode()


def sealed_parts(parts):
    file = io.BytesIO()
    write_parts(file, fixed_keys(), parts, context=place_of)
    return file.getvalue()


def opened_parts(content):
    return list(read_parts(io.BytesIO(content), fixed_keys(), context=place_of))


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=4))
def test_parts_that_were_sealed_come_back_in_order(parts):
    """Empty ones too; they begin where the file stands, which may be behind something else."""
    file = io.BytesIO(b"head" + sealed_parts(parts))
    file.seek(4)
    assert list(read_parts(file, fixed_keys(), context=place_of)) == parts


@given(st.data(), st.lists(st.binary(max_size=9), min_size=1, max_size=3))
def test_a_sealed_file_that_is_not_whole_and_as_it_was_is_damaged(data, parts):
    """Cut anywhere, with anything behind it, or with one bit changed, it is no other fault than that."""
    whole = sealed_parts(parts)
    cut = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[cut] ^= 1 << data.draw(st.integers(0, 7))
    more = whole + data.draw(st.binary(min_size=1, max_size=20))
    for content in (whole[:cut], bytes(changed), more, whole + whole):
        with pytest.raises(StorageDamaged):
            opened_parts(content)
