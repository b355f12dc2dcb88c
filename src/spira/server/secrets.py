"""Secrets of sign-in: what is stored of them, and how they are compared.

Passwords are hashed with argon2id (its cost is the library's recommendation); sessions, tokens
and links are random texts of 192 bits, so their plain SHA-256 is enough to look them up by.
"""

from __future__ import annotations

import hashlib
import hmac

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()
# Checked against when there is no such staff, so that the answer takes as long as for a wrong password.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfCIjrTQbg"


def digest(secret: str) -> str:
    """What is stored of a session, token or link."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hash_password(password: str) -> str:
    """What is stored of a password."""
    return _HASHER.hash(password)


def password_matches(stored: str | None, password: str) -> bool:
    """Whether `password` is the one stored; takes as long when nothing is stored."""
    try:
        return _HASHER.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def form_token(secret: str) -> str:
    """The token that pages of the session (or of the visitor's seed) `secret` put into their forms."""
    return hashlib.sha256(b"spira form:" + secret.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
