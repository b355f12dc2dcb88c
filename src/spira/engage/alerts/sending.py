"""Sending: a letter to every address by an e-mail channel, and to a webhook, signed (`engage.signing`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import httpx
import msgspec

from spira.collect.personal import without_addresses
from spira.engage.alerts.kept import Way
from spira.engage.alerts.letters import Letter
from spira.engage.channels.base import CHANNELS, OutgoingMessage, open_channel
from spira.engage.channels.definition import ChannelDefinition
from spira.engage.signing import signed_headers, trusted
from spira.kernel.errors import WorkspaceInvalid
from spira.kernel.settings import AlertsSettings

PATIENCE = 10.0  # seconds; a turn waits for it


class Unsent(Exception):
    """A letter that nobody took; its text says why."""


def ways(settings: AlertsSettings) -> tuple[Way, ...]:
    """The ways that are set."""
    email: tuple[Way, ...] = ("email",) if settings.email else ()
    webhook: tuple[Way, ...] = ("webhook",) if settings.webhook else ()
    return email + webhook


def send(
    way: Way, letter: Letter, settings: AlertsSettings, channels: Sequence[ChannelDefinition], *, at: datetime
) -> None:
    """Hand a letter over; Unsent says why that failed. One that some address took is sent."""
    try:
        if way == "email":
            _mail(letter, settings.email, _channel(settings.channel, channels), at)
        else:
            _post(letter, settings)
    except WorkspaceInvalid as fault:
        raise Unsent(f"{fault}; {fault.help}") from fault


def _channel(name: str, channels: Sequence[ChannelDefinition]) -> ChannelDefinition:
    """The channel that alerts go by."""
    able = [each for each in channels if each.kind in CHANNELS and CHANNELS.get(each.kind).identifier == "email"]
    found = [each for each in able if not name or each.channel == name]
    if not found:
        wanted = f"`{name}`" if name else "any"
        there = ", ".join(each.channel for each in able) or "none"
        raise Unsent(f"there is no e-mail channel {wanted}; there are: {there}")
    return found[0]


def _mail(letter: Letter, addresses: Sequence[str], definition: ChannelDefinition, at: datetime) -> None:
    options = dict(definition.options)
    if "timeout" in CHANNELS.get(definition.kind).__dataclass_fields__:  # type: ignore[attr-defined]
        options["timeout"] = min(PATIENCE, float(options.get("timeout", PATIENCE)))
    messages = [
        OutgoingMessage(
            delivery_id=f"alert-{letter.letter_id}-{number}",
            address=address,
            subject=letter.subject,
            text=letter.text,
            at=at,
            headers={"Auto-Submitted": "auto-generated"},
        )
        for number, address in enumerate(addresses, 1)
    ]
    handed = open_channel(definition.kind, options).send_all(messages)
    if not any(each.outcome in ("sent", "unknown") for each in handed):
        raise Unsent(without_addresses(f"channel {definition.channel}: {handed[0].detail or handed[0].outcome}"))


def _post(letter: Letter, settings: AlertsSettings) -> None:
    post_signed(settings.webhook, settings.secret, letter.letter_id, msgspec.json.encode(letter.body))


def post_signed(url: str, written_secret: str, letter_id: str, body: bytes) -> None:
    """Post JSON, signed; Unsent says why nobody took it."""
    headers = signed_headers(written_secret, letter_id, body)
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=PATIENCE, verify=trusted())
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise Unsent(f"the webhook could not be called: {type(fault).__name__} {fault}") from fault
    if not answer.is_success:
        raise Unsent(f"the webhook answered {answer.status_code}")
