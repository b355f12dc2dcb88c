"""Context: the few parts of a call's context that become columns of its event."""

from __future__ import annotations

from typing import Any

import msgspec


class Context(msgspec.Struct, rename="camel"):
    """What is read of a context; the rest of it is skipped."""

    campaign: Any = None
    channel: Any = None
    session_id: Any = None
    traits: msgspec.Raw = msgspec.Raw(b"")


NO_CONTEXT = Context()
_CONTEXT = msgspec.json.Decoder(Context)
_TOUCHPOINTS = {"browser": "web", "web": "web", "mobile": "app", "app": "app", "server": None}
_NO_CAMPAIGN: tuple[str | None, ...] = (None, None, None, None, None)


def read_context(raw: msgspec.Raw) -> Context | None:
    """The context's few parts; None for one that can't be read, such as one with a number beyond all numbers."""
    text = bytes(raw)
    try:
        return _CONTEXT.decode(text) if text[:1] == b"{" else NO_CONTEXT
    except (msgspec.MsgspecError, RecursionError):
        return None


def campaign_of(written: Any) -> tuple[str | None, ...]:
    """Name, source, medium, term and content of a campaign."""
    if not isinstance(written, dict) or not written:
        return _NO_CAMPAIGN
    return tuple(text_of(written.get(part)) for part in ("name", "source", "medium", "term", "content"))


def touchpoint_of(channel: Any) -> str | None:
    """The touchpoint that a client's `channel` means."""
    return _TOUCHPOINTS.get(channel, channel) if isinstance(channel, str) and channel else None


def text_of(written: Any) -> str | None:
    """A text, or a number as one; anything else is nothing."""
    if isinstance(written, str):
        return written or None
    return str(written) if isinstance(written, int | float) and not isinstance(written, bool) else None
