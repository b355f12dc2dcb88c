"""Signing: what goes out is signed as Standard Webhooks do, and certificates are read once.

    webhook-id         the call's id, the same when it is made again
    webhook-timestamp  seconds since 1970, by the clock of this machine: the receiver goes by its own
    webhook-signature  v1,BASE64(HMAC-SHA256(secret, "{id}.{timestamp}.{body}"))

The secret is base64, with or without `whsec_` before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ssl
from datetime import UTC
from functools import cache

import httpx

from spira.kernel.clock import RealClock
from spira.kernel.errors import WorkspaceInvalid
from spira.kernel.settings import secret


def signed_headers(written_secret: str, call_id: str, body: bytes) -> dict[str, str]:
    """The headers of a call of JSON made now; `written_secret` as settings and definitions have it, `env:NAME` too.

    WorkspaceInvalid for a secret that is not there, or is not base64.
    """
    stamp = str(int(RealClock().now().replace(tzinfo=UTC).timestamp()))
    return {
        "content-type": "application/json",
        "webhook-id": call_id,
        "webhook-timestamp": stamp,
        "webhook-signature": signature(secret(written_secret), call_id, stamp, body),
    }


def signature(secret: str, call_id: str, stamp: str, body: bytes) -> str:
    """What proves a call; WorkspaceInvalid for a secret that is not base64."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise WorkspaceInvalid(
            "the secret that signs webhooks is not base64", help="make one with `openssl rand -base64 32`"
        ) from None
    signed = b".".join((call_id.encode(), stamp.encode(), body))
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed; reading them takes longer than a call, so a process does it once."""
    return httpx.create_ssl_context()
