"""One e-mail as bytes on the wire: text and HTML, in 7 bits, with the headers that receivers ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from spira.engage.channels.base import OutgoingMessage

DELIVERY_HEADER = "X-Spira-Delivery"
LONGEST_LINE = 998


def compose(message: OutgoingMessage, *, sender: str) -> bytes:
    """The e-mail, with CRLF, no line over 998 characters, and nothing beyond ASCII."""
    if "@" not in message.address:
        raise ValueError(f"`{message.address}` is not an address")
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender_of(sender)
    mail["To"] = Address(addr_spec=message.address)
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.at.replace(tzinfo=UTC))
    mail["Message-ID"] = f"<{message.delivery_id}@{domain_of(sender)}>"
    mail[DELIVERY_HEADER] = message.delivery_id
    mail.set_content(message.text, charset="utf-8", cte="quoted-printable")
    if message.html:
        mail.add_alternative(message.html, subtype="html", charset="utf-8", cte="quoted-printable")
    return _written(message.headers) + mail.as_bytes()


def _written(headers: Mapping[str, str]) -> bytes:
    """Headers for machines, on one line each: folding or encoding would break the addresses in them."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    if any(len(line) > LONGEST_LINE or "\r" in line[:-2] or "\n" in line[:-2] for line in lines):
        raise ValueError("a header is too long or has a line break in it")
    return "".join(lines).encode("ascii")


def sender_of(text: str) -> Address:
    """`Corner Shop <hello@shop.example>` as an address; ValueError if it is none."""
    name, address = parseaddr(text)
    if "@" not in address:
        raise ValueError(f"`{text}` is not a sender; write as in Corner Shop <hello@shop.example>")
    return Address(display_name=name, addr_spec=address)


def domain_of(sender: str) -> str:
    """The domain that a sender writes from."""
    return sender_of(sender).domain
