"""Links in messages: signed, so that nobody can make one up, and without anything personal in them.

An open, a click and an unsubscribing each carry the delivery's id; a click also carries its
target, under the same signature, so that the redirect leads nowhere but where the message did.
A link to the preferences carries the subject that was written to and when; after `LIVES` it is
refused. A note is what a public page was just told, carried in its own address until it is loaded.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from spira.kernel.errors import NotFound

PURPOSE = "links"  # what the signing key is derived for
Way = Literal["o", "c", "u"]  # opened, clicked, unsubscribe: also the first part of the path
LIVES = timedelta(days=400)  # a link to the preferences outlives the yearly message it stands in
_MAC = 12
_ID = 8
_AT = 8
_EPOCH = datetime(1970, 1, 1)


class BadLink(NotFound):
    """A link that this workspace did not make, or that was cut short on its way."""

    code = "E313"


class OldLink(BadLink):
    """A link that was ours, and leads nowhere any more."""

    status = 410


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

    def preferences(self, subject_id: int, at: datetime) -> str:
        """The address of the page on which whoever is written to says what they allow."""
        return f"{self.base_url}/p/{sign_subject(self.key, subject_id, at)}"

    def own(self, target: str) -> bool:
        """Whether an address is one of the pages on which people refuse; no click is told of those."""
        return target.startswith((f"{self.base_url}/u/", f"{self.base_url}/p/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a page was told about a delivery or a subject, and when."""

    at: datetime
    text: str


def sign(key: bytes, link: Link) -> str:
    """The token of a link."""
    body = link.delivery_id.to_bytes(_ID, "big")
    if link.way == "c":
        body += link.number.to_bytes(2, "big") + link.target.encode()
    return _token(key, link.way, body)


def read(key: bytes, way: Way, token: str) -> Link:
    """What a token says; BadLink for one that was not signed here for this way."""
    body = _body(key, way, token)
    if way != "c":
        return Link(way=way, delivery_id=int.from_bytes(body[:_ID], "big"))
    return Link(
        way=way,
        delivery_id=int.from_bytes(body[:_ID], "big"),
        number=int.from_bytes(body[_ID : _ID + 2], "big"),
        target=body[_ID + 2 :].decode(),
    )


def sign_subject(key: bytes, subject_id: int, at: datetime) -> str:
    """The token of a subject's preferences."""
    return _token(key, "p", subject_id.to_bytes(_ID, "big") + _instant(at))


def read_subject(key: bytes, token: str, now: datetime) -> int:
    """Whose preferences a token opens; OldLink when it was signed too long ago."""
    body = _body(key, "p", token)
    if now - _read_instant(body[_ID : _ID + _AT]) > LIVES:
        raise OldLink("this link is too old", help="use the link of a newer message")
    return int.from_bytes(body[:_ID], "big")


def sign_note(key: bytes, about: int, note: Note) -> str:
    """The token of a note about a delivery or a subject."""
    return _token(key, "n", about.to_bytes(_ID, "big") + _instant(note.at) + note.text.encode())


def read_note(key: bytes, about: int, token: str) -> Note | None:
    """What a note says; None for one that was not made here, or is about another."""
    try:
        body = _body(key, "n", token)
    except BadLink:
        return None
    if int.from_bytes(body[:_ID], "big") != about:
        return None
    return Note(at=_read_instant(body[_ID : _ID + _AT]), text=body[_ID + _AT :].decode())


def _token(key: bytes, way: str, body: bytes) -> str:
    return urlsafe_b64encode(_mac(key, way, body) + body).decode().rstrip("=")


def _body(key: bytes, way: str, token: str) -> bytes:
    """What was signed. There is one way to write a token: another that decodes to the same bytes is none."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (NotBase64, ValueError):
        raw = b""
    mac, body = raw[:_MAC], raw[_MAC:]
    exact = urlsafe_b64encode(raw).decode().rstrip("=") == token
    least = {"c": _ID + 2, "p": _ID + _AT, "n": _ID + _AT}.get(way, _ID)
    if len(body) < least or not exact or not hmac.compare_digest(mac, _mac(key, way, body)):
        raise BadLink("this link is not ours, or was cut short", help="open it again from the message")
    return body


def _instant(at: datetime) -> bytes:
    return ((at - _EPOCH) // timedelta(microseconds=1)).to_bytes(_AT, "big")


def _read_instant(raw: bytes) -> datetime:
    return _EPOCH + timedelta(microseconds=int.from_bytes(raw, "big"))


def _mac(key: bytes, way: str, body: bytes) -> bytes:
    return hmac.digest(key, way.encode() + body, "sha256")[:_MAC]
