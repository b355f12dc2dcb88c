"""E-mail: by SMTP, over a few connections that are kept for a batch.

channel: email
kind: email
host: 127.0.0.1
port: 1025
sender: Corner Shop <hello@shop.example>
password: env:SMTP_PASSWORD
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.errors import MessageError
from typing import Any, Literal

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from spira.engage.channels.base import (
    GIVE_UP_AFTER,
    Channel,
    Handed,
    OutcomeUnknown,
    OutgoingMessage,
    Receipt,
    channel,
    later,
    read_receipt,
)
from spira.engage.channels.mime import compose, sender_of
from spira.kernel.errors import ChannelRejected, ChannelUnavailable
from spira.kernel.settings import secret

Encryption = Literal["none", "starttls", "tls"]


@channel("email")
@dataclass(frozen=True, slots=True, kw_only=True)
class Email(Channel):
    """One SMTP server. Each command is given up on after `timeout` seconds."""

    identifier = "email"
    events = "Email"

    host: str
    port: int = 25
    sender: str = "no-reply@localhost"
    username: str = ""
    password: str = ""
    encryption: Encryption = "none"
    timeout: float = 20.0
    connections: int = 4

    def __post_init__(self) -> None:
        sender_of(self.sender)
        if self.encryption not in ("none", "starttls", "tls"):
            raise ValueError(f"`{self.encryption}` is no encryption; write none, starttls or tls")
        if not 1 <= self.connections <= 20:
            raise ValueError(f"`{self.connections}` connections can't be opened; write 1 to 20")

    def send(self, message: OutgoingMessage) -> str:
        handed = self.send_all([message])[0]
        match handed.outcome:
            case "failed":
                raise ChannelRejected(handed.detail or "refused")
            case "retry":
                raise ChannelUnavailable(handed.detail or "no answer")
            case "unknown":
                raise OutcomeUnknown(handed.detail or "no answer")
        return handed.provider_id or message.delivery_id

    def send_all(self, messages: Sequence[OutgoingMessage]) -> list[Handed]:
        return asyncio.run(self._send_all(messages))

    def receipts(self, callback: Mapping[str, Any]) -> Iterable[Receipt]:
        return read_receipt(callback)

    async def _send_all(self, messages: Sequence[OutgoingMessage]) -> list[Handed]:
        waiting = list(reversed(messages))
        lines = [self._line(waiting) for _ in range(min(self.connections, len(messages)))]
        handed = {each.delivery_id: each for line in await asyncio.gather(*lines) for each in line}
        return [handed[message.delivery_id] for message in messages]

    async def _line(self, waiting: list[OutgoingMessage]) -> list[Handed]:
        """One connection's work: messages one after the other until there are none, or nobody answers."""
        client = self._client()
        handed: list[Handed] = []
        silent = 0
        while waiting:
            message = waiting.pop()
            if silent >= GIVE_UP_AFTER:
                handed.append(later(message, f"{self.host}:{self.port} does not answer"))
                continue
            one = await self._hand(client, message)
            answered = client.is_connected
            handed.append(one)
            silent = 0 if answered else silent + 1
            if not answered:
                client.close()
                client = self._client()
        with suppress(SMTPException, OSError):
            if client.is_connected:
                await client.quit()
        client.close()
        return handed

    async def _hand(self, client: SMTP, message: OutgoingMessage) -> Handed:
        """One message through an open or reopened connection; every fault becomes an outcome."""
        handed_over = False
        try:
            body = compose(message, sender=self.sender)
            await self._ready(client)
            await client.rcpt(message.address)
            handed_over = True
            answer = await client.data(body)
        except SMTPResponseException as fault:
            with suppress(SMTPException, OSError):
                await client.rset()
            said = f"{fault.code} {_first_line(fault.message)}"
            return _failed(message, said) if 500 <= fault.code < 600 else later(message, said)
        except ChannelUnavailable as fault:
            return later(message, str(fault))
        except (SMTPException, OSError) as fault:
            client.close()
            said = f"{self.host}:{self.port}: {type(fault).__name__}"
            if not handed_over:
                return later(message, said)
            return Handed(delivery_id=message.delivery_id, outcome="unknown", detail=said)
        except (ValueError, MessageError) as fault:  # an address or a header that can't be written
            return _failed(message, str(fault))
        said = _first_line(answer.message)
        return Handed(delivery_id=message.delivery_id, outcome="sent", provider_id=message.delivery_id, detail=said)

    async def _ready(self, client: SMTP) -> None:
        """Connected, signed in and past MAIL FROM; whatever is refused until then is no message's fault."""
        try:
            if not client.is_connected:
                await client.connect()
            await client.mail(sender_of(self.sender).addr_spec)
        except (SMTPException, OSError) as fault:
            if not isinstance(fault, SMTPResponseException):
                client.close()
            raise ChannelUnavailable(f"{self.host}:{self.port}: {type(fault).__name__} {fault}") from fault

    def _client(self) -> SMTP:
        return SMTP(
            hostname=self.host,
            port=self.port,
            timeout=self.timeout,
            local_hostname="localhost",
            use_tls=self.encryption == "tls",
            start_tls=self.encryption == "starttls",
            username=self.username or None,
            password=secret(self.password) if self.password else None,
        )


def _failed(message: OutgoingMessage, why: str) -> Handed:
    return Handed(delivery_id=message.delivery_id, outcome="failed", detail=why)


def _first_line(text: str) -> str:
    return text.splitlines()[0][:200] if text else ""
