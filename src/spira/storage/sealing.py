"""Sealing: AES-GCM with a key of the workspace, so that a stolen file says nothing.

What is sealed begins with the number of its key, so that keys can change while everything
sealed before stays readable. The `context` (which table, which row) is authenticated and not
stored: a sealed value moved to another place can't be opened there.
"""

from __future__ import annotations

import secrets
import struct
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from spira.kernel.errors import StorageDamaged
from spira.storage.keys import Keys

_HEADER = struct.Struct(">BH")
_VERSION = 1
_NONCE = 12
HEADER_BYTES = _HEADER.size


def seal(keys: Keys, plaintext: bytes, *, context: bytes) -> bytes:
    """`plaintext`, readable only with the keys and only in its context."""
    begin = header(keys)
    nonce = secrets.token_bytes(_NONCE)
    return begin + nonce + cipher(keys.sealing[keys.current]).encrypt(nonce, plaintext, begin + context)


def unseal(keys: Keys, sealed: bytes, *, context: bytes) -> bytes:
    """What was sealed; StorageDamaged when its key is missing, or it was changed or moved."""
    if len(sealed) < _HEADER.size + _NONCE:
        raise StorageDamaged("a sealed value is cut short", help="restore the state from a backup")
    number = key_number(sealed)
    if sealed[0] != _VERSION or number not in keys.sealing:
        raise StorageDamaged(
            f"a value was sealed with key {number}, which spira.keys does not hold",
            help="put the spira.keys that belongs to this workspace back",
        )
    begin, rest = sealed[: _HEADER.size], sealed[_HEADER.size :]
    try:
        return cipher(keys.sealing[number]).decrypt(rest[:_NONCE], rest[_NONCE:], begin + context)
    except InvalidTag:
        raise StorageDamaged(
            "a sealed value can't be opened: it was changed, or spira.keys belongs to another workspace",
            help="put the spira.keys of this workspace back, or restore the state from a backup",
        ) from None


def header(keys: Keys) -> bytes:
    """How what the current key seals begins."""
    return _HEADER.pack(_VERSION, keys.current)


def key_number(sealed: bytes) -> int:
    """Which key sealed this."""
    return int(_HEADER.unpack_from(sealed)[1])


@lru_cache(maxsize=256)
def cipher(key: bytes) -> AESGCM:
    """The cipher of a key; making one costs more than using it."""
    return AESGCM(key)
