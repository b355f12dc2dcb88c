from __future__ import annotations

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from spira.server import secrets


def test_a_password_matches_itself_only():
    """The right one matches, another and none stored do not."""
    stored = secrets.hash_password("a quiet sea in spring")
    assert secrets.password_matches(stored, "a quiet sea in spring")
    assert not secrets.password_matches(stored, "a quiet sea in summer")
    assert not secrets.password_matches(None, "a quiet sea in spring")
    assert not secrets.password_matches("garbage", "a quiet sea in spring")


def test_an_unknown_address_costs_what_a_wrong_password_costs():
    """The hash that stands in for nobody is a real one of today's cost, so time tells nothing."""
    nobody = secrets._NOBODY
    assert extract_parameters(nobody) == extract_parameters(secrets.hash_password("a quiet sea in spring"))
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(nobody, "anything")


def test_form_tokens_tell_nothing_of_their_session():
    """Each session has its own token, and the token is not the secret nor what is stored of it."""
    token = secrets.form_token("one")
    assert token != secrets.form_token("two")
    assert token not in ("one", secrets.digest("one"))
