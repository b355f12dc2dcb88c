"""Names for things: opaque outside, dense integers inside.

A profile is a 64-bit integer in every table and `p_` + base32 wherever a person or a
program outside sees it. Secrets come from the operating system; ids that must be the same
on every run are made by hashing what they stand for.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import NewType

ProfileId = NewType("ProfileId", int)
SubjectId = NewType("SubjectId", int)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's, without the look-alikes i l o u
_MULTIPLIER = 0x9E3779B97F4A7C15  # odd, so that the map over 64 bits can be undone
_INVERSE = pow(_MULTIPLIER, -1, 1 << 64)
_MASK = (1 << 64) - 1


class BadId(ValueError):
    """Text that is not an id of the kind asked for."""


def show_profile(profile_id: int) -> str:
    """A profile's outside name: `p_` and 13 characters; neighbours do not look alike."""
    scrambled = (profile_id * _MULTIPLIER) & _MASK
    characters = [_ALPHABET[(scrambled >> shift) & 31] for shift in range(60, -1, -5)]
    return "p_" + "".join(characters)


def read_profile(text: str) -> ProfileId:
    """The profile that `show_profile` named; BadId for anything else."""
    if not text.startswith("p_") or len(text) != 15:
        raise BadId(f"`{text}` is not a profile id; it looks like p_ and 13 letters and digits")
    scrambled = 0
    for character in text[2:].lower():
        digit = _ALPHABET.find(character)
        if digit < 0:
            raise BadId(f"`{text}` is not a profile id: `{character}` can't occur in one")
        scrambled = (scrambled << 5) | digit
    return ProfileId((scrambled * _INVERSE) & _MASK)


def new_secret(bytes_of_entropy: int = 24) -> str:
    """A fresh unguessable text, safe in a URL."""
    return secrets.token_urlsafe(bytes_of_entropy)


def new_id(prefix: str) -> str:
    """A fresh opaque id such as `src_4fz…`, for things a person made."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(16))}"


def stable_share(*parts: object) -> float:
    """A number in [0, 1) that is the same for the same parts: the draw behind holdouts and seeds.

    It is the first 32 bits of the MD5 of the parts joined by colons, over 2^32, because every
    SQL engine can compute the same (`storage.ddl.stable_share`); nothing secret rests on it.
    """
    digest = hashlib.md5(":".join(str(part) for part in parts).encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) / 4_294_967_296
