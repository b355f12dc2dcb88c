"""What a channel is: one way to reach a person, in one file, with its options and its `send`.

A channel is a frozen dataclass registered under the name that definitions write as `kind:`.
Its fields are the options. `send` hands over one message and returns the provider's id for
it, raises `ChannelRejected` for a message that will never be taken, `ChannelUnavailable` for
one to try again, and `OutcomeUnknown` when it can't tell whether the message was taken.

The gate has been passed before a channel is called. A channel reads no table and keeps no list.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

import msgspec

from spira.kernel.errors import ChannelRejected, ChannelUnavailable, SpiraError
from spira.kernel.registry import Registry

Fate = Literal["delivered", "opened", "clicked", "bounced", "complained"]
Outcome = Literal["sent", "failed", "retry", "unknown"]
GIVE_UP_AFTER = 2  # unanswered calls in a row, after which the rest of a batch waits for another time


class OutcomeUnknown(SpiraError):
    """The provider was handed the message and did not say whether it took it."""

    code = "E312"
    status = 502


class OutgoingMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One rendered message for one address. `headers` are for channels that have such."""

    delivery_id: str
    address: str
    text: str
    subject: str = ""
    html: str = ""
    at: datetime
    headers: dict[str, str] = {}


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of handing one message over."""

    delivery_id: str
    outcome: Outcome
    provider_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a provider said became of a delivery."""

    delivery_id: int
    fate: Fate
    at: datetime
    detail: str | None = None
    hard: bool = False


class Channel(ABC):
    """One way to reach people. `identifier` is the kind of identifier it writes to."""

    identifier: ClassVar[str]
    events: ClassVar[str] = "Message"  # receipts become events such as `Message Delivered`

    @abstractmethod
    def send(self, message: OutgoingMessage) -> str:
        """Hand one message over; the provider's id for it."""

    def send_all(self, messages: Sequence[OutgoingMessage]) -> list[Handed]:
        """Hand several over, one after the other; a fault of one does not stop the others."""
        handed: list[Handed] = []
        silent = 0
        for message in messages:
            if silent >= GIVE_UP_AFTER:
                handed.append(later(message, "the provider does not answer"))
                continue
            handed.append(outcome_of(message, self.send))
            silent = silent + 1 if handed[-1].outcome in ("retry", "unknown") else 0
        return handed

    def receipts(self, callback: Mapping[str, Any]) -> Iterable[Receipt]:  # noqa: ARG002  (for channels that read it)
        """What a provider's call tells of; a channel without receipts knows of none."""
        return ()


C = TypeVar("C", bound=type[Channel])
CHANNELS: Registry[type[Channel]] = Registry("kind of channel")


def channel(name: str) -> Callable[[C], C]:
    """Register a channel: `@channel("webhook")` above the dataclass."""

    def register(made: C) -> C:
        CHANNELS.add(name, made)
        return made

    return register


def outcome_of(message: OutgoingMessage, send: Callable[[OutgoingMessage], str]) -> Handed:
    """The outcome of one call: the fault it raised, or the provider's id, as data."""
    try:
        return Handed(delivery_id=message.delivery_id, outcome="sent", provider_id=send(message))
    except ChannelRejected as fault:
        return Handed(delivery_id=message.delivery_id, outcome="failed", detail=str(fault))
    except ChannelUnavailable as fault:
        return later(message, str(fault))
    except OutcomeUnknown as fault:
        return Handed(delivery_id=message.delivery_id, outcome="unknown", detail=str(fault))


def later(message: OutgoingMessage, why: str) -> Handed:
    """To be tried again."""
    return Handed(delivery_id=message.delivery_id, outcome="retry", detail=why)


def open_channel(kind: str, options: Mapping[str, Any]) -> Channel:
    """The channel of a kind with its options; ValueError says which does not fit."""
    return CHANNELS.get(kind)(**options)


def read_receipt(callback: Mapping[str, Any]) -> Iterable[Receipt]:
    """The form of receipts that needs no provider: {"delivery_id", "fate", "at"}, and "hard" for bounces."""
    match callback:
        case {"delivery_id": str(delivery_id), "fate": str(fate), "at": datetime() as at} if (
            delivery_id.isdigit() and fate in _FATES
        ):
            detail = callback.get("detail")
            yield Receipt(
                delivery_id=int(delivery_id),
                fate=_FATES[fate],
                at=at,
                detail=detail if isinstance(detail, str) else None,
                hard=callback.get("hard") is True,
            )


_FATES: Mapping[str, Fate] = {
    "delivered": "delivered",
    "opened": "opened",
    "clicked": "clicked",
    "bounced": "bounced",
    "complained": "complained",
}
