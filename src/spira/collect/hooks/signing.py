"""Signing: whether a call was made by who has the secret, now, and not by who heard it before.

Comparisons take the same time whatever differs. A signature may be one of several secrets', so that
a secret can be exchanged without missing a call. What is proven has a nonce: the same one within
the tolerance is the same call, sent again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Literal

from spira.collect.hooks.definition import Signing
from spira.kernel.clock import parse_instant
from spira.kernel.durations import parse_duration
from spira.kernel.settings import secret

Why = Literal["no_signature", "bad_signature", "stale"]
STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")
STRIPE = "stripe-signature"
_EPOCH = datetime(1970, 1, 1)


class NotProven(Exception):
    """A call that is not proven to come from who it should; `code` says why."""

    def __init__(self, code: Why, message: str) -> None:
        super().__init__(message)
        self.code = code


def prove(signing: Signing, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
    """The nonce of a call that proves itself; NotProven for one that does not. Header names are small."""
    match signing.scheme:
        case "standard":
            return _standard(signing, headers, body, now)
        case "stripe":
            return _stripe(signing, headers, body, now)
        case "token":
            told = _header(headers, signing.header).removeprefix(signing.prefix).strip()
            _same([told.encode()], [each.encode() for each in secrets_of(signing)])
            return hashlib.sha256(body).hexdigest()
        case _:
            return _hmac(signing, headers, body, now)


def secrets_of(signing: Signing) -> list[str]:
    """The secrets, from the environment; WorkspaceInvalid names one that is not there."""
    return [secret(each) for each in signing.secret]


def _hmac(signing: Signing, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    told = [
        each.strip().removeprefix(signing.prefix)
        for each in _header(headers, signing.header).split(",")
        if each.strip()
    ]
    instant = _header(headers, signing.timestamp) if signing.timestamp else ""
    _fresh(instant, now, signing) if signing.timestamp else None
    named = _header(headers, signing.id) if signing.id else ""
    signed = _filled(signing.signed, body=body, timestamp=instant, id=named)
    good = [hmac.new(each.encode(), signed, signing.algorithm).digest() for each in secrets_of(signing)]
    read = bytes.fromhex if signing.encoding == "hex" else _base64
    _same(_decoded(told, read), good)
    return hashlib.sha256(signed).hexdigest()


def _standard(signing: Signing, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    named, instant, told = (_header(headers, each) for each in STANDARD)
    _fresh(instant, now, signing)
    signed = b".".join((named.encode(), instant.encode(), body))
    keys = [_base64(each.removeprefix("whsec_")) for each in secrets_of(signing)]
    versions = (each.partition(",") for each in told.split())
    _same(
        _decoded([text for version, _, text in versions if version == "v1"], _base64),
        [hmac.new(key, signed, hashlib.sha256).digest() for key in keys],
    )
    return named


def _stripe(signing: Signing, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    parts = [each.strip().partition("=") for each in _header(headers, signing.header or STRIPE).split(",")]
    instant = next((value for name, _, value in parts if name == "t"), "")
    _fresh(instant, now, signing)
    signed = instant.encode() + b"." + body
    good = [hmac.new(each.encode(), signed, hashlib.sha256).digest() for each in secrets_of(signing)]
    _same(_decoded([value for name, _, value in parts if name == "v1"], bytes.fromhex), good)
    return hashlib.sha256(signed).hexdigest()


def _header(headers: Mapping[str, str], name: str) -> str:
    found = headers.get(name.lower(), "")
    if not found:
        raise NotProven("no_signature", f"the header {name} is missing")
    return found


def _fresh(told: str, now: datetime, signing: Signing) -> None:
    try:
        seconds = int(told) / (1_000 if len(told) > 11 else 1) if re.fullmatch(r"\d{1,14}", told) else None
        at = parse_instant(told) if seconds is None else _EPOCH + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        raise NotProven("stale", "the instant of the call can't be read") from None
    if abs(now - at) > parse_duration(signing.tolerance):
        raise NotProven("stale", f"the call is of {at:%Y-%m-%d %H:%M:%S}, too far from now")


def _filled(template: str, *, body: bytes, timestamp: str, id: str) -> bytes:
    """What is signed: the template with its holes filled, in one pass, so that no value is read as a hole."""
    told = {b"{body}": body, b"{timestamp}": timestamp.encode(), b"{id}": id.encode()}
    return re.sub(rb"\{(?:body|timestamp|id)\}", lambda hole: told[hole[0]], template.encode())


def _decoded(told: list[str], read: object) -> list[bytes]:
    return list(_readable(told, read))


def _readable(told: list[str], read: object) -> Iterator[bytes]:
    for each in told:
        try:
            yield read(each)  # type: ignore[operator]
        except ValueError:
            continue


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


def _same(told: list[bytes], good: list[bytes]) -> None:
    """Compare each with each, without stopping at the first that fits."""
    fits = [hmac.compare_digest(one, other) for one in told for other in good]
    if not any(fits):
        raise NotProven("bad_signature", "the signature is of another secret, or of another body")
