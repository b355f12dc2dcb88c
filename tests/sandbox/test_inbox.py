from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from spira.engage.channels.email import Email
from spira.engage.delivery.handing import tracked
from spira.engage.links import Links
from spira.engage.receipts import SIGNATURE, sign_body
from spira.engage.render import Rendered
from spira.sandbox.inbox import OPENS, Acted, Inbox
from spira.storage.keys import Keys, new_keys
from spira.testing.channels import MESSAGE

NOON = datetime(2026, 3, 1, 12)
COUNT = 120


class Site(BaseHTTPRequestHandler):
    """Takes receipts, opens, clicks and unsubscribes, and notes them."""

    def do_GET(self) -> None:
        self._note(b"")

    def do_POST(self) -> None:
        self._note(self.rfile.read(int(self.headers["Content-Length"])))

    def _note(self, body: bytes) -> None:
        self.server.calls.append((self.path, body, self.headers.get(SIGNATURE)))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.calls, server.status = [], 200  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def fill(inbox: Inbox, site: ThreadingHTTPServer) -> None:
    """A hundred people get a message with a link and an image."""
    inbox.base_url = f"http://127.0.0.1:{site.server_port}"
    links = Links(key=b"k", base_url=inbox.base_url)
    page = '<html><body><a href="https://shop.example/">Come</a></body></html>'
    messages = []
    for number in range(COUNT):
        to = "hard@example.com" if number == 0 else f"p{number}@example.com"
        html = tracked(Rendered(subject="", text="", html=page), links, number)
        headers = {"List-Unsubscribe": f"<{links.unsubscribe(number)}>"}
        messages.append(
            msgspec.structs.replace(MESSAGE, delivery_id=str(number), address=to, html=html, headers=headers, at=NOON)
        )
    handed = Email(host="127.0.0.1", port=inbox.port).send_all(messages)
    assert {each.outcome for each in handed} == {"sent"}


def lived(keys: Keys, site: ThreadingHTTPServer, *, seed: str = "spira") -> tuple[Acted, list[str]]:
    """One inbox's whole life: what it did, and the paths it called."""
    site.calls.clear()  # type: ignore[attr-defined]
    with Inbox(keys=keys, seed=seed) as inbox:
        fill(inbox, site)
        done = inbox.act(NOON + timedelta(days=1))
        assert inbox.act(NOON + timedelta(days=2)) == Acted()
    return done, sorted(path for path, _, _ in site.calls)  # type: ignore[attr-defined]


def test_people_do_the_same_on_every_run(site: ThreadingHTTPServer) -> None:
    """
    What is opened and clicked hangs on seed and delivery alone; another seed is another world.
    """
    keys = new_keys()
    first, again, other = lived(keys, site), lived(keys, site), lived(keys, site, seed="another")
    assert first == again
    assert first[1] != other[1]
    done = first[0]
    assert done.receipts == COUNT
    assert 0 < done.clicked < done.opened < COUNT
    assert abs(done.opened / COUNT - OPENS) < 0.2


def test_receipts_are_signed_and_say_what_happened(site: ThreadingHTTPServer) -> None:
    """
    One call tells of all messages; the hard bounce is told as one, and is never read.
    """
    keys = new_keys()
    lived(keys, site)
    posted = [call for call in site.calls if call[0].startswith("/receipts")]  # type: ignore[attr-defined]
    ((path, body, signature),) = posted
    assert path == "/receipts/email"
    assert signature == sign_body(keys.derive("receipts:email"), body)
    told = {each["delivery_id"]: each for each in msgspec.json.decode(body)}
    assert (told["0"]["fate"], told["0"]["hard"]) == ("bounced", True)
    assert {each["fate"] for each in told.values()} == {"bounced", "delivered"}


def test_people_take_their_time(site: ThreadingHTTPServer) -> None:
    """
    Soon after noon few have opened their mail; nobody opens before it came.
    """
    with Inbox(keys=new_keys()) as inbox:
        fill(inbox, site)
        assert inbox.act(NOON - timedelta(hours=1)) == Acted()
        early, late = inbox.act(NOON + timedelta(hours=1)), inbox.act(NOON + timedelta(hours=6))
    assert 0 < early.opened < late.opened


def test_what_could_not_be_told_is_told_later(site: ThreadingHTTPServer) -> None:
    """
    While the server answers 503 nothing is lost.
    """
    with Inbox(keys=new_keys()) as inbox:
        fill(inbox, site)
        site.status = 503  # type: ignore[attr-defined]
        assert inbox.act(NOON + timedelta(days=1)) == Acted(failed=1)
        site.status = 200  # type: ignore[attr-defined]
        assert inbox.act(NOON + timedelta(days=1)).receipts == COUNT


def test_a_port_that_is_taken_is_said_so() -> None:
    """
    Starting on a port in use raises, and leaves no thread behind.
    """
    with Inbox(keys=new_keys()) as inbox, pytest.raises(OSError, match="address already in use"):
        Inbox(keys=new_keys(), port=inbox.port).start()
