"""Sealing: AES-GCM with a key of the workspace, so that a stolen file says nothing.

What is sealed begins with the number of its key, so that keys can change while everything
sealed before stays readable. The `context` (which table, which row) is authenticated and not
stored: a sealed value moved to another place can't be opened there. A large file is sealed part by
part (`write_parts`), each good in its place only, so none can be left out, moved or cut off.
"""

from __future__ import annotations

import os
import secrets
import struct
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from spira.kernel.errors import StorageDamaged
from spira.storage.keys import Keys

_HEADER = struct.Struct(">BH")
_VERSION = 1
_NONCE = 12
_LENGTH = 4  # bytes before each part that say how long it is
HEADER_BYTES = _HEADER.size
Context = Callable[[int, bool], bytes]  # of a part, by its place from 0 on, and whether it is the last one


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


def write_parts(file: BinaryIO, keys: Keys, parts: Iterable[bytes], *, context: Context) -> None:
    """Seal parts into a file, one after another; `read_parts` gives them back. None at all can't be read again."""
    coming = iter(parts)
    part, place = next(coming, None), 0
    while part is not None:
        following = next(coming, None)
        sealed = seal(keys, part, context=context(place, following is None))
        file.write(len(sealed).to_bytes(_LENGTH, "big") + sealed)
        part, place = following, place + 1


def read_parts(file: BinaryIO, keys: Keys, *, context: Context) -> Iterator[bytes]:
    """The parts that `write_parts` has sealed, from where the file stands to its end, one at a time.

    StorageDamaged, at the first part that is not as it was, for a file that was changed, cut short, added to, moved or
    sealed with other keys; and for one that has no part.
    """
    here = file.tell()
    left = file.seek(0, os.SEEK_END) - file.seek(here)
    size, place = file.read(_LENGTH), 0
    while size or not place:
        length = int.from_bytes(size, "big")
        left -= _LENGTH + length
        if len(size) < _LENGTH or left < 0:
            raise StorageDamaged("a sealed file is cut short", help="restore it from a backup, or have it made anew")
        sealed, size = file.read(length), file.read(_LENGTH)
        yield unseal(keys, sealed, context=context(place, not size))
        place += 1


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
