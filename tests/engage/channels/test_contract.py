from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from spira.engage.channels.base import OutcomeUnknown
from spira.engage.channels.email import Email
from spira.engage.channels.mime import compose
from spira.engage.channels.webhook import Webhook
from spira.sandbox.inbox import Inbox
from spira.storage.keys import new_keys
from spira.testing.channels import MESSAGE, ChannelContract, StandIn


class TestEmail(ChannelContract):
    """E-mail, against a real SMTP server."""

    @pytest.fixture
    def stand_in(self) -> Iterator[StandIn]:  # type: ignore[override]
        with Inbox(keys=new_keys()) as inbox:
            yield StandIn(
                channel=Email(host="127.0.0.1", port=inbox.port, timeout=5),
                arrived=lambda: [(mail.to, mail.delivery_id) for mail in inbox.messages],
                refused="reject@example.com",
                put_off="soft@example.com",
                nobody=Email(host="127.0.0.1", port=1, timeout=1),
            )


class Hook(BaseHTTPRequestHandler):
    """A place of yours that takes JSON."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = {"gone": 410, "busy": 503}.get(body["to"], 200)
        if status == 200:
            self.server.arrived.append((body["to"], self.headers["Idempotency-Key"]))  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class TestWebhook(ChannelContract):
    """The webhook, against a real HTTP server."""

    @pytest.fixture
    def stand_in(self) -> Iterator[StandIn]:  # type: ignore[override]
        server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        server.arrived = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield StandIn(
            channel=Webhook(url=f"http://127.0.0.1:{server.server_port}/hook"),
            arrived=lambda: list(server.arrived),  # type: ignore[attr-defined]
            refused="gone",
            put_off="busy",
            nobody=Webhook(url="http://127.0.0.1:1/", timeout=1),
        )
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_that_takes_the_message_and_says_nothing_leaves_it_unknown() -> None:
    """
    After the text was handed over silence is neither a yes nor a no.
    """
    with Inbox(keys=new_keys(), slow_seconds=3) as inbox:
        channel = Email(host="127.0.0.1", port=inbox.port, timeout=0.3)
        with pytest.raises(OutcomeUnknown):
            channel.send(msgspec.structs.replace(MESSAGE, address="slow@example.com"))


@pytest.mark.parametrize(
    "address", ["", "nobody", "a b@example.com", "x@example.com\r\nBcc: y@example.com", "ä@example.com"]
)
def test_an_address_that_is_none_is_refused_and_adds_no_header(address: str) -> None:
    """
    Nothing that stands in an address can become a header or a second receiver.
    """
    with Inbox(keys=new_keys()) as inbox:
        channel = Email(host="127.0.0.1", port=inbox.port, timeout=5)
        (handed,) = channel.send_all([msgspec.structs.replace(MESSAGE, address=address)])
        assert handed.outcome == "failed"
        assert inbox.messages == []


def test_a_long_address_in_a_header_is_neither_folded_nor_encoded() -> None:
    """
    Receivers read List-Unsubscribe as it stands.
    """
    url = "https://t.example.com/u/" + "x" * 200
    raw = compose(
        msgspec.structs.replace(MESSAGE, headers={"List-Unsubscribe": f"<{url}>"}), sender="Shop <a@shop.example>"
    )
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in raw
    assert raw.isascii()


def test_a_header_with_a_line_break_is_refused() -> None:
    """
    No value can begin a header of its own.
    """
    with pytest.raises(ValueError):
        compose(msgspec.structs.replace(MESSAGE, headers={"List-Id": "a\r\nBcc: b"}), sender="a@shop.example")
