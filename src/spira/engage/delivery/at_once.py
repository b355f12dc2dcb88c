"""At once: the gate's answer for one message that its reader waits for, such as a code they have just asked for.

Reads   `identifiers`, `suppressions`

A code can't wait for a tick, so it is not laid into `outbox`; it is judged here all the same, by the gate's own
questions for a transactional message, in the gate's order and with the gate's reasons (`delivery.gate`): is there a
channel, is the address one of somebody, is it suppressed. One thing differs, and is said here and nowhere else: a
complaint closes an address for whatever we want to say, and not for what its reader asks for. So whoever marked a
message as spam still reaches their own preferences; an address that bounced for good gets nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spira.engage.channels.base import CHANNELS
from spira.engage.channels.definition import ChannelDefinition
from spira.storage.warehouse import Warehouse

Reason = Literal["no_channel", "unreachable", "suppressed"]
_ASKED_FOR_ANYWAY = ("complaint",)  # suppressions that do not hold against what a reader asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce:
    """The answer: whose address it is, if anybody's; and the first reason against the message, if any."""

    subject_id: int | None
    reason: Reason | None


def judge(lane: Warehouse, channel: ChannelDefinition | None, key: str) -> AtOnce:
    """Whether a message may go to the address with this HMAC by this channel now."""
    if channel is None or channel.kind not in CHANNELS:
        return AtOnce(subject_id=None, reason="no_channel")
    kind = CHANNELS.get(channel.kind).identifier
    asked = {"key": key, "kind": kind, "channel": channel.kind, "anyway": list(_ASKED_FOR_ANYWAY)}
    ((subject, stopped),) = lane.query(_JUDGED, asked)
    if subject is None:
        return AtOnce(subject_id=None, reason="unreachable")
    return AtOnce(subject_id=int(subject), reason="suppressed" if stopped else None)


# One statement whoever it is: how long an answer takes does not tell whether an address is known.
_JUDGED = """
select
    (select min(subject_id) from identifiers where subject_key = $key and kind = $kind),
    exists (
        from suppressions
        where address_key = $key and channel = $channel and not list_contains($anyway::varchar[], reason)
    )
"""
