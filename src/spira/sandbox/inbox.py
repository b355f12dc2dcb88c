"""The inbox: a real SMTP server that stands in for everyone's mail, and for what people do with it.

Its part of an address before the `@` decides: `reject` is refused, `soft` put off, `slow` answered
late, `hard` bounces, `complain` marks as spam. What others do is drawn from a seed and the
delivery's id, the same on every run: most mail arrives, some is opened, some of that clicked.

`act(now)` does what is due by then, as the outside would: signed receipts are posted, links and
images fetched over HTTP, one-click unsubscribes posted. It reads no store of Spira's.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session

from spira.engage.channels.mime import DELIVERY_HEADER
from spira.engage.receipts import SIGNATURE, sign_body
from spira.kernel.clock import iso, utc
from spira.kernel.ids import stable_share
from spira.storage.keys import Keys

BOUNCES, OPENS, CLICKS, UNSUBSCRIBES, COMPLAINS = 0.015, 0.45, 0.25, 0.02, 0.002
LATEST_OPEN = timedelta(hours=6)


@dataclass(slots=True)
class Mail:
    """One message that arrived, and what its reader has still to do."""

    to: str
    delivery_id: str
    subject: str
    at: datetime
    raw: bytes
    image: str | None
    links: list[str]
    unsubscribe: str | None
    told: bool = False
    read: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What was done: receipts posted, messages opened, links clicked, unsubscribes, and calls that failed."""

    receipts: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Counts:
    receipts: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Serving:
    """The server's thread and what stops it."""

    ready: threading.Event = field(default_factory=threading.Event)
    loop: asyncio.AbstractEventLoop | None = None
    stopped: asyncio.Event | None = None
    thread: threading.Thread | None = None
    fault: OSError | None = None


class Inbox:
    """Everyone's mail. `start` it, point the channel at `port`, set `base_url`, and let it `act`."""

    def __init__(
        self,
        *,
        keys: Keys,
        seed: str = "spira",
        port: int = 0,
        channel: str = "email",
        keep: Path | None = None,
        slow_seconds: float = 30.0,
    ) -> None:
        self.port = port
        self.base_url = ""
        self.messages: list[Mail] = []
        self._secret = keys.derive(f"receipts:{channel}")
        self._seed = seed
        self._channel = channel
        self._keep = keep
        self._slow_seconds = slow_seconds
        self._serving = _Serving()
        self._connections: set[SMTP] = set()

    def start(self) -> None:
        """Listen on 127.0.0.1; `port` is the real one afterwards."""
        self._serving = _Serving()
        self._serving.thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="inbox", daemon=True)
        self._serving.thread.start()
        self._serving.ready.wait()
        if self._serving.fault is not None:
            raise self._serving.fault

    def stop(self) -> None:
        """Stop listening; what arrived stays."""
        serving = self._serving
        if serving.loop is not None and serving.stopped is not None and serving.thread is not None:
            serving.loop.call_soon_threadsafe(serving.stopped.set)
            serving.thread.join()
        self._serving = _Serving()

    def __enter__(self) -> Inbox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def act(self, now: datetime) -> Acted:
        """Do everything that people and providers have done by `now`; what fails is done the next time."""
        counts = _Counts()
        with httpx.Client(base_url=self.base_url, timeout=30, follow_redirects=False) as http:
            waiting = list(self.messages)
            self._tell(http, [mail for mail in waiting if not mail.told and mail.at <= now], counts)
            for mail in waiting:
                if mail.told and not mail.read and self._opens_at(mail) <= now:
                    self._read(http, mail, counts)
        return Acted(
            receipts=counts.receipts,
            opened=counts.opened,
            clicked=counts.clicked,
            unsubscribed=counts.unsubscribed,
            failed=counts.failed,
        )

    def _tell(self, http: httpx.Client, mails: list[Mail], counts: _Counts) -> None:
        """Post the provider's receipts, all in one call."""
        if not mails:
            return
        calls = [self._receipt(mail) for mail in mails]
        body = msgspec.json.encode(calls)
        headers = {SIGNATURE: sign_body(self._secret, body), "Content-Type": "application/json"}
        if self._call(lambda: http.post(f"/receipts/{self._channel}", content=body, headers=headers), counts):
            counts.receipts += len(calls)
            for mail in mails:
                mail.told = True
                mail.read = self._bounces(mail)

    def _receipt(self, mail: Mail) -> dict[str, Any]:
        told: dict[str, Any] = {"delivery_id": mail.delivery_id, "fate": "delivered", "at": iso(mail.at)}
        if self._bounces(mail):
            return told | {"fate": "bounced", "hard": True, "detail": "550 5.1.1 no such person"}
        if mail.to.startswith("complain"):
            return told | {"fate": "complained"}
        return told

    def _read(self, http: httpx.Client, mail: Mail, counts: _Counts) -> None:
        """Open the message, or leave it; some click, a few unsubscribe."""
        if not self._draw(mail, "open", OPENS):
            mail.read = True
            return
        if mail.image and not self._call(lambda: http.get(mail.image or ""), counts):
            return
        counts.opened += 1
        if mail.links and self._draw(mail, "click", CLICKS):
            counts.clicked += self._call(lambda: http.get(mail.links[0]), counts)
        if mail.unsubscribe and self._draw(mail, "unsubscribe", UNSUBSCRIBES):
            one_click = {"List-Unsubscribe": "One-Click"}
            counts.unsubscribed += self._call(lambda: http.post(mail.unsubscribe or "", data=one_click), counts)
        mail.read = True

    def _bounces(self, mail: Mail) -> bool:
        return mail.to.startswith("hard") or self._draw(mail, "bounce", BOUNCES)

    def _opens_at(self, mail: Mail) -> datetime:
        return mail.at + LATEST_OPEN * stable_share(self._seed, "when", mail.delivery_id)

    def _draw(self, mail: Mail, what: str, share: float) -> bool:
        return stable_share(self._seed, what, mail.delivery_id) < share

    def _call(self, call: Callable[[], httpx.Response], counts: _Counts) -> bool:
        try:
            if call().status_code < 400:
                return True
        except httpx.HTTPError:
            pass
        counts.failed += 1
        return False

    # The server's side; aiosmtpd calls these by name.

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        """Refuse and put off by the local part."""
        if address.startswith("reject"):
            return "550 5.1.1 no such person"
        if address.startswith("soft"):
            return "451 4.2.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take the message."""
        if any(address.startswith("slow") for address in envelope.rcpt_tos):
            await asyncio.sleep(self._slow_seconds)
        raw = envelope.original_content or b""
        for address in envelope.rcpt_tos:
            self._arrive(address, raw)
        return "250 taken"

    def _arrive(self, address: str, raw: bytes) -> None:
        self.messages.append(read_mail(address, raw))
        if self._keep is not None:
            self._keep.mkdir(parents=True, exist_ok=True)
            (self._keep / f"{len(self.messages):06}.eml").write_bytes(raw)

    async def _serve(self) -> None:
        serving = self._serving
        serving.loop, serving.stopped = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await serving.loop.create_server(self._connection, "127.0.0.1", self.port)
        except OSError as fault:
            serving.fault = fault
            serving.ready.set()
            return
        self.port = server.sockets[0].getsockname()[1]
        serving.ready.set()
        await serving.stopped.wait()
        server.close()
        for connection in list(self._connections):
            if connection.transport is not None:
                connection.transport.close()
        await asyncio.sleep(0)

    def _connection(self) -> SMTP:
        made = SMTP(self, hostname="sandbox", loop=self._serving.loop, enable_SMTPUTF8=True)
        self._connections.add(made)
        return made


def read_mail(address: str, raw: bytes) -> Mail:
    """A message as its reader's program sees it: links, image and one-click address."""
    parsed = message_from_bytes(raw, policy=default)
    assert isinstance(parsed, EmailMessage)
    part = parsed.get_body(("html",))
    page = part.get_content() if part is not None else ""
    date = parsed["Date"]
    one_click = re.search(r"<(https?://[^>]+)>", str(parsed.get("List-Unsubscribe", "")))
    image = re.search(r'<img[^>]*src="([^"]*/o/[^"]+)"', page)
    return Mail(
        to=address,
        delivery_id=str(parsed.get(DELIVERY_HEADER, "")),
        subject=str(parsed["Subject"]),
        at=utc(date.datetime),
        raw=raw,
        image=unescape(image.group(1)) if image else None,
        links=[unescape(each) for each in re.findall(r'href="([^"]*/c/[^"]+)"', page)],
        unsubscribe=one_click.group(1) if one_click else None,
    )
