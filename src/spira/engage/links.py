"""Links in messages: signed, so that nobody can make one up, and without anything personal in them.

An open, a click and an unsubscribing each carry the delivery's id; a click also carries its
target, under the same signature, so that the redirect leads nowhere but where the message did.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Literal

from spira.kernel.errors import NotFound

PURPOSE = "links"  # what the signing key is derived for
Way = Literal["o", "c", "u"]  # opened, clicked, unsubscribe: also the first part of the path
_MAC = 12
_ID = 8


class BadLink(NotFound):
    """A link that this workspace did not make, or that was cut short on its way."""

    code = "E313"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a token says: which delivery, and for a click which link of it and where to."""

    way: Way
    delivery_id: int
    number: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Makes the links of messages. `key` is derived from the workspace's keys for `PURPOSE`."""

    key: bytes
    base_url: str

    def opened(self, delivery_id: int) -> str:
        """The address of the invisible image."""
        return f"{self.base_url}/o/{sign(self.key, Link(way='o', delivery_id=delivery_id))}.gif"

    def clicked(self, delivery_id: int, number: int, target: str) -> str:
        """The address that leads to `target` and tells of the click."""
        link = Link(way="c", delivery_id=delivery_id, number=number, target=target)
        return f"{self.base_url}/c/{sign(self.key, link)}"

    def unsubscribe(self, delivery_id: int) -> str:
        """The address of the page, and of the one click, that unsubscribes."""
        return f"{self.base_url}/u/{sign(self.key, Link(way='u', delivery_id=delivery_id))}"


def sign(key: bytes, link: Link) -> str:
    """The token of a link."""
    body = link.delivery_id.to_bytes(_ID, "big")
    if link.way == "c":
        body += link.number.to_bytes(2, "big") + link.target.encode()
    return urlsafe_b64encode(_mac(key, link.way, body) + body).decode().rstrip("=")


def read(key: bytes, way: Way, token: str) -> Link:
    """What a token says; BadLink for one that was not signed here for this way."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        mac, body = raw[:_MAC], raw[_MAC:]
        if len(body) < _ID or not hmac.compare_digest(mac, _mac(key, way, body)):
            raise BadLink("this link is not ours, or was cut short", help="open it again from the message")
        number, target = (
            (int.from_bytes(body[_ID : _ID + 2], "big"), body[_ID + 2 :].decode()) if way == "c" else (0, "")
        )
    except (NotBase64, ValueError):
        raise BadLink("this link is not ours, or was cut short", help="open it again from the message") from None
    return Link(way=way, delivery_id=int.from_bytes(body[:_ID], "big"), number=number, target=target)


def _mac(key: bytes, way: Way, body: bytes) -> bytes:
    return hmac.digest(key, way.encode() + body, "sha256")[:_MAC]
