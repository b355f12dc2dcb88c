"""Keys: the secrets of one workspace, in one file that only its owner can read.

`spira.keys` lies beside `spira.toml`, outside `data/`, and never in a backup. It holds the
sealing keys (the current one and those before it, so that they can be changed without
stopping), the key of identifiers, the key of the log and the key of signatures.

Losing the file loses every sealed value; changing the key of identifiers means hashing every
one again, so nothing here does it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from spira.kernel.errors import Conflict, WorkspaceInvalid

KEYS_FILE = "spira.keys"
KEY_BYTES = 32
_BLOCK = 64  # bytes that SHA-256 takes in at a time
_VERSION = 1
_ASK = "put the file that belongs to this workspace back beside spira.toml; it is in no backup"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Keys:
    """The secrets of a workspace. It is never printed, not even by mistake."""

    sealing: Mapping[int, bytes]
    current: int
    hmac_key: bytes
    log_key: bytes
    signing_key: bytes

    def subject_key(self, kind: str, value: str) -> str:
        """The name of an identifier in every store: 128 bits of HMAC over `kind:value`, as 32 hex characters.

        `value` is normalised by whoever knows the kind.
        """
        return _hmac(self.hmac_key, f"{kind}:{value}".encode())[:16].hex()

    def blind(self, purpose: str, text: str) -> str:
        """A blind index: what can be searched for by equality and not be read."""
        return _hmac(self.hmac_key, f"blind:{purpose}:{text}".encode())[:8].hex()

    def derive(self, purpose: str) -> bytes:
        """A signing key for one purpose (`links`, `sessions`); knowing one tells nothing of another."""
        return hkdf(self.signing_key, info=purpose.encode())

    @property
    def fingerprint(self) -> str:
        """Tells whether two key files belong to the same workspace, and nothing else about them."""
        return hmac.digest(self.hmac_key, b"fingerprint", "sha256")[:8].hex()

    def adopt(self, fresh: Keys) -> None:
        """Seal with another's current key from now on, wherever these keys are held: the one change they know."""
        if fresh.fingerprint != self.fingerprint:
            raise Conflict("these are keys of another workspace", help="put the spira.keys of this one back")
        object.__setattr__(self, "sealing", fresh.sealing)
        object.__setattr__(self, "current", fresh.current)

    def __repr__(self) -> str:
        return f"Keys({self.fingerprint})"


def _hmac(key: bytes, message: bytes) -> bytes:
    """HMAC with SHA-256 (RFC 2104) by hashes that have taken the key in; three times as quick as `hmac`."""
    begun, ended = _halves(key)
    inner, outer = begun.copy(), ended.copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=4)
def _halves(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """The two hashes of an HMAC with its key taken in, to be copied."""
    block = key.ljust(_BLOCK, b"\0") if len(key) <= _BLOCK else hashlib.sha256(key).digest().ljust(_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


def hkdf(key: bytes, *, info: bytes, salt: bytes | None = None) -> bytes:
    """A key derived from `key` for one use."""
    return _derived(key, info, salt)


def new_keys() -> Keys:
    """Fresh keys, in no file."""
    one, identifiers, log, signing = (secrets.token_bytes(KEY_BYTES) for _ in range(4))
    return Keys(sealing={1: one}, current=1, hmac_key=identifiers, log_key=log, signing_key=signing)


def make_keys(directory: Path) -> Keys:
    """Make the key file of a new workspace; Conflict when there is one already."""
    made = new_keys()
    try:
        _write(directory / KEYS_FILE, made, flags=os.O_EXCL)
    except FileExistsError:
        raise Conflict(
            f"{directory / KEYS_FILE} exists; overwriting it would lose every sealed value",
            help="keep it, or move it away if nothing was ever sealed with it",
        ) from None
    return made


def load_keys(directory: Path) -> Keys:
    """The keys of a workspace; WorkspaceInvalid says what is wrong with their file and what to do."""
    path = directory / KEYS_FILE
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise WorkspaceInvalid(
                f"{path} can be read by others (mode {mode:03o})", help=f"run: chmod 600 {path}; then change the keys"
            )
        return _read(json.loads(path.read_text(encoding="ascii")))
    except FileNotFoundError:
        raise WorkspaceInvalid(f"the keys {path} are missing", help=_ASK) from None
    except PermissionError:
        raise WorkspaceInvalid(f"the keys {path} can't be read by this user", help="run as their owner") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WorkspaceInvalid(f"{path} is no key file of this version", help=_ASK) from None


def add_sealing_key(directory: Path) -> Keys:
    """Seal with a new key from now on; what older keys sealed stays readable until it is sealed again."""
    old = load_keys(directory)
    fresh = max(old.sealing) + 1
    made = replace(old, sealing={**old.sealing, fresh: secrets.token_bytes(KEY_BYTES)}, current=fresh)
    aside = directory / (KEYS_FILE + ".new")
    _write(aside, made, flags=os.O_TRUNC)
    aside.replace(directory / KEYS_FILE)
    _sync_directory(directory)
    return made


def _read(written: Mapping[str, Any]) -> Keys:
    if written["version"] != _VERSION:
        raise ValueError("another version")
    keys = Keys(
        sealing={int(number): bytes.fromhex(key) for number, key in written["sealing"].items()},
        current=int(written["current"]),
        hmac_key=bytes.fromhex(written["identifiers"]),
        log_key=bytes.fromhex(written["log"]),
        signing_key=bytes.fromhex(written["signing"]),
    )
    every = [*keys.sealing.values(), keys.hmac_key, keys.log_key, keys.signing_key]
    if keys.current not in keys.sealing or any(len(key) != KEY_BYTES for key in every):
        raise ValueError("a key is missing or has another length")
    return keys


def _write(path: Path, keys: Keys, *, flags: int) -> None:
    written = {
        "version": _VERSION,
        "current": keys.current,
        "sealing": {str(number): key.hex() for number, key in keys.sealing.items()},
        "identifiers": keys.hmac_key.hex(),
        "log": keys.log_key.hex(),
        "signing": keys.signing_key.hex(),
    }
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(json.dumps(written, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@lru_cache(maxsize=256)
def _derived(key: bytes, info: bytes, salt: bytes | None) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=info).derive(key)
