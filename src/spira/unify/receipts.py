"""Receipts: what an erasure did, signed, so that nobody can say afterwards that it was otherwise.

A receipt names every store that was touched and no person. It is signed with Ed25519 by a key that is
derived from the workspace's own; whoever has the public half, which stands in every receipt and which
`spira privacy public-key` prints, can verify one without the workspace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from spira.kernel.clock import iso
from spira.kernel.errors import SpiraError
from spira.storage.keys import Keys

FORMAT = "spira-erasure-receipt-1"
# What is erased beside the tables that had rows: a backup is a file elsewhere, and every restore replays the list.
REPLAYED = {"store": "backups", "table": "erasures", "rows": 0, "how": "erased again by every restore"}


class BadReceipt(SpiraError):
    """A file that is no receipt, or one that somebody has changed."""

    code = "E107"
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a good receipt says."""

    number: int = field(metadata={"help": "the receipt's number, a row of the audit"})
    erased_at: str = field(metadata={"help": "when the person was erased"})
    identifiers: int = field(metadata={"help": "how many identifiers were the person"})
    total: int = field(metadata={"help": "how many rows and records were erased"})
    stores: tuple[str, ...] = field(metadata={"help": "the stores that were touched"})
    ours: bool | None = field(metadata={"help": "whether this workspace signed it; none where no key was compared"})


def signed(
    keys: Keys,
    *,
    number: int,
    subject: str,
    erased_at: datetime,
    identifiers: int,
    rows: Sequence[Mapping[str, Any]],
    owed: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The receipt of an erasure, with its signature. `subject` is the HMAC of the identifier that was asked for.

    `owed` are the recipients who have to hear of it, each with when it was told.
    """
    told: dict[str, Any] = {
        "format": FORMAT,
        "workspace": keys.fingerprint,
        "number": number,
        "subject": subject,
        "erased_at": iso(erased_at),
        "identifiers": identifiers,
        "stores": [*rows, REPLAYED],
        "total": sum(each["rows"] for each in rows),
        "recipients": list(owed),
        "public_key": public_key(keys),
    }
    return {**told, "signature": _private(keys).sign(_canonical(told)).hex()}


def public_key(keys: Keys) -> str:
    """The public half of the key that signs receipts, as 64 hex characters."""
    return _private(keys).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def verify(document: object, *, key: str | None) -> Verified:
    """What a receipt says, if its signature is good; BadReceipt otherwise. `key` is the public key it must be of."""
    told = dict(document) if isinstance(document, Mapping) else {}
    told = dict(told["signed"]) if isinstance(told.get("signed"), Mapping) else told
    if told.get("format") != FORMAT:
        raise BadReceipt("this is no receipt of an erasure", help="name a file with the JSON of a signed receipt")
    signature = str(told.pop("signature", ""))
    try:
        known = Ed25519PublicKey.from_public_bytes(bytes.fromhex(str(told["public_key"])))
        known.verify(bytes.fromhex(signature), _canonical(told))
    except (InvalidSignature, ValueError, KeyError):
        raise BadReceipt("the receipt is not as it was signed", help="ask for it again under its number") from None
    if key is not None and key != told["public_key"]:
        raise BadReceipt("the receipt was signed by another workspace", help="verify it with that one's public key")
    return Verified(
        number=int(told["number"]),
        erased_at=str(told["erased_at"]),
        identifiers=int(told["identifiers"]),
        total=int(told["total"]),
        stores=tuple(dict.fromkeys(str(each["store"]) for each in told["stores"])),
        ours=None if key is None else True,
    )


def _private(keys: Keys) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.derive("receipts"))


def _canonical(told: Mapping[str, Any]) -> bytes:
    """The one text that is signed: sorted keys, no spaces, UTF-8."""
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
