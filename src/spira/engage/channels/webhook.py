"""Webhook: post each message as JSON to a URL of yours.

channel: warehouse_bot
kind: webhook
url: https://example.org/hook
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from spira.engage.channels.base import Channel, OutcomeUnknown, OutgoingMessage, Receipt, channel, read_receipt
from spira.engage.signing import trusted
from spira.kernel.errors import ChannelRejected, ChannelUnavailable


@channel("webhook")
@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook(Channel):
    """One `url`, given up on after `timeout` seconds. The delivery id is the idempotency key."""

    identifier = "user_id"

    url: str
    timeout: float = 10.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError(f"`{self.url}` is not an http or https URL")

    def send(self, message: OutgoingMessage) -> str:
        body = {"to": message.address, "subject": message.subject, "text": message.text, "html": message.html}
        headers = {"Idempotency-Key": message.delivery_id}
        try:
            answer = httpx.post(self.url, json=body, headers=headers, timeout=self.timeout, verify=trusted())
        except httpx.InvalidURL as fault:
            raise ChannelRejected(f"`{self.url}` can't be called: {fault}") from fault
        except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
            raise ChannelUnavailable(f"{self.url} did not answer: {fault}") from fault
        except httpx.HTTPError as fault:
            raise OutcomeUnknown(f"{self.url} did not finish its answer: {fault}") from fault
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            raise ChannelUnavailable(f"{self.url} answered {answer.status_code}")
        if not answer.is_success:
            raise ChannelRejected(f"{self.url} answered {answer.status_code}")
        return message.delivery_id

    def receipts(self, callback: Mapping[str, Any]) -> Iterable[Receipt]:
        return read_receipt(callback)
