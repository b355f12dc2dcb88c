"""Receipts: what becomes of a message, from its reader and from its provider, as events.

Reads   `deliveries`   whom a delivery was for
Writes  the log        `Email Opened`, `Email Link Clicked`, `Unsubscribed`, `Email Delivered`, `Email Bounced`…

Each becomes an event with an id made of the delivery and what happened, so that hearing it
twice is hearing it once; stage 8 folds the events into `deliveries`. An unsubscribing carries
its instant: whoever agrees again later can unsubscribe again by an old message.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from spira.collect.emit import Appendable, emit
from spira.collect.envelope import OwnEvent
from spira.definitions.apply import Applied
from spira.engage import links
from spira.engage.channels.base import CHANNELS, Channel, Receipt, open_channel
from spira.engage.channels.definition import ChannelDefinition
from spira.kernel.clock import Clock, iso, utc
from spira.kernel.errors import NotAllowed, NotFound, SpiraError
from spira.kernel.settings import secret
from spira.storage.keys import Keys
from spira.storage.warehouse import Warehouse

SIGNATURE = "X-Spira-Signature"
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
MACHINE_SECONDS = 2  # an open this soon after sending is a proxy's, not a reader's


class BadReceipt(SpiraError):
    """A provider's call that can't be understood."""

    code = "E314"


class Receiving(Protocol):
    """What receiving needs of the core."""

    @property
    def applied(self) -> Applied: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def log(self) -> Appendable: ...
    def lane(self) -> Warehouse: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribing:
    """What an unsubscribe link is about, for the page that confirms it."""

    delivery_id: int
    channel: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """Where a link of a message leads, and which subject it was sent to; None for a message that is gone."""

    target: str
    subject_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """Whom a delivery was for, and what it was part of."""

    delivery_id: int
    subject_id: int
    channel: str
    kind: str
    purpose: str
    journey: str
    template: str
    campaign: str | None
    sent_at: datetime | None


def opened(core: Receiving, token: str) -> bytes:
    """Take note of an open; the image to answer with, whatever the link is worth."""
    try:
        delivery = _delivery(core, links.read(core.keys.derive(links.PURPOSE), "o", token).delivery_id)
    except NotFound:
        return GIF
    now = core.clock.now()
    early = delivery.sent_at is not None and (now - delivery.sent_at).total_seconds() < MACHINE_SECONDS
    by = "opened-by-machine" if early else "opened"
    _tell(core, delivery, "Opened", f"{by}-{delivery.delivery_id}", machine_open=early)
    return GIF


def clicked(core: Receiving, token: str) -> Click:
    """Take note of a click; where it leads, and whose it was. NotFound for a link that is not ours."""
    link = links.read(core.keys.derive(links.PURPOSE), "c", token)
    try:
        delivery = _delivery(core, link.delivery_id)
    except NotFound:
        return Click(target=link.target, subject_id=None)
    told = {"link_id": str(link.number), "link_url": link.target}
    _tell(core, delivery, "Link Clicked", f"clicked-{link.delivery_id}-{link.number}", **told)
    return Click(target=link.target, subject_id=delivery.subject_id)


def unsubscribing(core: Receiving, token: str) -> Unsubscribing:
    """What an unsubscribe link is about; nothing happens yet. NotFound for a link that is not ours."""
    delivery = _delivery(core, links.read(core.keys.derive(links.PURPOSE), "u", token).delivery_id)
    return Unsubscribing(delivery_id=delivery.delivery_id, channel=delivery.kind, purpose=_refusable(delivery))


def unsubscribe(core: Receiving, token: str) -> Unsubscribing:
    """Unsubscribe: durable when this returns. The second time changes nothing."""
    asked = unsubscribing(core, token)
    delivery = _delivery(core, asked.delivery_id)
    now = core.clock.now()
    event = OwnEvent(
        message_id=f"unsubscribed-{asked.delivery_id}-{iso(now)}",
        event="Unsubscribed",
        at=now,
        subject_id=delivery.subject_id,
        campaign=delivery.campaign,
        properties=_properties(delivery) | {"purpose": asked.purpose},
    )
    emit(core.log, core.clock, [event])
    return asked


def receive(core: Receiving, channel: str, body: bytes, signature: str | None) -> int:
    """A provider's call about one message or a list of them; how many it told of. Signed, or refused."""
    definition = _channel(core, channel)
    expected = sign_body(secret_of(core.keys, definition), body)
    if signature is None or not hmac.compare_digest(signature.encode(), expected.encode()):
        raise NotAllowed("the receipt's signature is missing or wrong", help=f"sign the body into {SIGNATURE}")
    try:
        said = msgspec.json.decode(body)
    except msgspec.DecodeError as fault:
        raise BadReceipt(f"the receipt is not JSON: {fault}", help="docs/reference/channels.md shows one") from None
    opened_channel = open_channel(definition.kind, definition.options)
    calls = said if isinstance(said, list) else [said]
    told = [each for call in calls if isinstance(call, dict) for each in opened_channel.receipts(_dated(call))]
    events = [event for receipt in told if (event := _event(core, channel, opened_channel, receipt)) is not None]
    return emit(core.log, core.clock, events)


def secret_of(keys: Keys, definition: ChannelDefinition) -> bytes:
    """What signs a channel's receipts: its `secret`, or one that the workspace's keys give it."""
    if definition.secret is not None:
        return secret(definition.secret).encode()
    return keys.derive(f"receipts:{definition.channel}")


def sign_body(key: bytes, body: bytes) -> str:
    """The signature of a receipt's body: HMAC-SHA256 in hex."""
    return hmac.new(key, body, hashlib.sha256).hexdigest()


def _event(core: Receiving, name: str, channel: Channel, receipt: Receipt) -> OwnEvent | None:
    """The event that a receipt becomes; none for a delivery that nobody knows, or that another channel made."""
    try:
        delivery = _delivery(core, receipt.delivery_id)
    except NotFound:
        return None
    if delivery.channel != name:
        return None
    more: dict[str, Any] = {}
    if receipt.fate == "bounced":
        more = {"bounce_type": "hard" if receipt.hard else "soft", "reason": receipt.detail or ""}
    what = "put-off" if receipt.fate == "bounced" and not receipt.hard else receipt.fate
    words = {
        "delivered": "Delivered",
        "opened": "Opened",
        "clicked": "Link Clicked",
        "bounced": "Bounced",
        "complained": "Marked as Spam",
    }
    return OwnEvent(
        message_id=f"{what}-{receipt.delivery_id}",
        event=f"{channel.events} {words[receipt.fate]}",
        at=min(receipt.at, core.clock.now()),
        subject_id=delivery.subject_id,
        campaign=delivery.campaign,
        properties=_properties(delivery) | more,
    )


def _tell(core: Receiving, delivery: _Delivery, what: str, message_id: str, **more: Any) -> None:
    event = OwnEvent(
        message_id=message_id,
        event=f"{CHANNELS.get(delivery.kind).events} {what}",
        at=core.clock.now(),
        subject_id=delivery.subject_id,
        campaign=delivery.campaign,
        properties=_properties(delivery) | more,
    )
    emit(core.log, core.clock, [event])


def _delivery(core: Receiving, delivery_id: int) -> _Delivery:
    row = core.lane().one(_DELIVERY, {"delivery_id": delivery_id})
    if row is None:
        raise NotFound("this message is no longer known", help="it may have been erased")
    channel = core.applied.find("channel", row[2])
    kind = channel.model.kind if channel is not None else "email"
    delivery, subject, name, purpose, journey, template, campaign, sent_at = row
    return _Delivery(
        delivery_id=delivery,
        subject_id=subject,
        channel=name,
        kind=kind,
        purpose=purpose,
        journey=journey,
        template=template,
        campaign=campaign,
        sent_at=sent_at,
    )


def _properties(delivery: _Delivery) -> dict[str, Any]:
    """What every receipt carries; `channel` is what consent is asked for by."""
    return {
        "delivery_id": delivery.delivery_id,
        "channel": delivery.kind,
        "journey": delivery.journey,
        "template": delivery.template,
    }


def _refusable(delivery: _Delivery) -> str:
    return "marketing" if delivery.purpose == "transactional" else delivery.purpose


def _channel(core: Receiving, name: str) -> ChannelDefinition:
    model: ChannelDefinition = core.applied.get("channel", name).model
    return model


def _dated(call: dict[str, Any]) -> dict[str, Any]:
    """The call with its instant read, so that a channel's `receipts` sees one."""
    try:
        return call | {"at": utc(datetime.fromisoformat(call["at"]))}
    except (KeyError, TypeError, ValueError):
        raise BadReceipt("the receipt has no instant `at`", help="write it as in 2026-03-01T12:00:00Z") from None


_DELIVERY = """
select delivery_id, coalesce(subject_id, profile_id), channel, purpose, journey, template, campaign, sent_at
from deliveries where delivery_id = $delivery_id
"""
