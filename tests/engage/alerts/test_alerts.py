"""Alerts: told once when something begins and once when it ends, through real servers, whatever stops and starts."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from spira.collect import sources
from spira.collect.hooks.definition import Signing
from spira.collect.hooks.signing import NotProven, prove
from spira.engage.alerts import kept, stage
from spira.engage.alerts.finding import BREAK, listening_since
from spira.kernel.clock import RealClock, iso
from spira.kernel.errors import Conflict
from spira.kernel.i18n import LANGUAGES, catalogue
from spira.kernel.jobs import InlineRunner
from spira.kernel.settings import AlertsSettings
from spira.sandbox.inbox import Inbox
from spira.storage.keys import make_keys
from spira.testing.workspaces import SOURCE, order, send, workspace
from spira.unify import incidents, rights
from spira.unify.incidents import Facts
from spira.worker.core import Core
from spira.worker.standstill import Standstill

NOON = datetime(2026, 3, 2, 12)
SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes, ok").decode()


class Receiver(HTTPServer):
    """A program that takes alerts, answering what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/alerts"

    def told(self) -> list[dict]:
        return [each for _, body in self.calls for each in json.loads(body)["alerts"]]

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver(monkeypatch):
    monkeypatch.setenv("ALERTS", SECRET)
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def core(tmp_path):
    with workspace(tmp_path / "shop", {}, at=NOON) as made:
        sources.adjust(made.state, SOURCE, mode=None, silent_minutes=10)
        yield made


def tell(core, **alerts) -> None:
    """Set who is told."""
    core.settings = core.settings.model_copy(update={"alerts": AlertsSettings(**alerts)})


def later(core, **time) -> None:
    """Step the clock on, load, and run the stage."""
    core.step_clock(core.clock.now() + timedelta(**time))
    core.load()
    with core.exclusive():
        stage.run(Turn(core))


class Turn:
    """A turn of the stage alone."""

    def __init__(self, core) -> None:
        self.applied, self.settings, self.state = core.applied, core.settings, core.state
        self.public_url, self.warehouse, self.as_of = core.public_url, core.worker_lane, core.clock.now()


def heard(core, number: int = 1) -> None:
    """An event of the source, now."""
    send(core, [order("anna", iso(core.clock.now()), message_id=f"o{number}-{core.clock.now()}")])


def test_a_silence_is_mailed_once_when_it_begins_and_once_when_it_ends(tmp_path):
    """Through a real mail server: each address gets one letter, and ticks in between send nothing."""
    inbox = Inbox(keys=make_keys(tmp_path))
    inbox.start()
    channel = f"channel: post\nkind: email\nhost: 127.0.0.1\nport: {inbox.port}\nsender: ops@shop.example\n"
    try:
        with workspace(tmp_path / "shop", {"channels/post.yaml": channel}, at=NOON) as core:
            sources.adjust(core.state, SOURCE, mode=None, silent_minutes=10)
            tell(core, email=["ada@shop.example", "ben@shop.example"])
            heard(core)
            later(core, minutes=9)
            assert inbox.messages == []
            for _ in range(3):
                core.step_clock(core.clock.now() + timedelta(minutes=2))
                core.tick()
            assert [mail.to for mail in inbox.messages] == ["ada@shop.example", "ben@shop.example"]
            assert "Source shop is silent" in inbox.messages[0].subject
            heard(core)
            for _ in range(2):
                later(core, minutes=1)
            assert len(inbox.messages) == 4
            assert "heard again" in inbox.messages[-1].subject
            assert b"auto-generated" in inbox.messages[-1].raw
            assert [each.sent for each in stage.send_test(core, at=core.clock.now())] == [True]
            assert "A test of the alerts" in inbox.messages[-1].subject
    finally:
        inbox.stop()


def test_a_webhook_is_signed_as_standard_webhooks_are(core, receiver):
    """What is posted proves itself to a hook of Spira's own, and with another secret it does not."""
    tell(core, webhook=receiver.url, secret="env:ALERTS")
    later(core, minutes=11)
    ((headers, body),) = receiver.calls
    now = RealClock().now()
    assert prove(Signing(scheme="standard", secret=["env:ALERTS"]), headers, body, now=now) == headers["webhook-id"]
    with pytest.raises(NotProven):
        prove(Signing(scheme="standard", secret=["env:ALERTS"]), headers, body + b" ", now=now)
    (told,) = receiver.told()
    assert (told["kind"], told["subject"], told["phase"]) == ("silent", SOURCE, "began")
    assert told["detail"] == {"last_seen": None, "usual_seconds": 600}
    assert told["url"].endswith("/sources/shop")


def test_a_restart_neither_repeats_nor_forgets(core, receiver):
    """What nobody took is told after a restart, under the same id; what was told is not told again."""
    tell(core, webhook=receiver.url, secret="env:ALERTS")
    receiver.status = 503
    later(core, minutes=11)
    alerts, directory = core.settings.alerts, core.directory
    assert kept.latest(core.state, limit=5)[0].told[0].fault == "the webhook answered 503"
    core.close()
    for status in (204, 204):
        receiver.status = status
        with Core.open(directory, runner=InlineRunner()) as again:
            tell(again, **alerts.model_dump())
            later(again, minutes=2)
    first, second = (headers["webhook-id"] for headers, _ in receiver.calls)
    assert first == second


def test_what_nobody_takes_is_tried_less_and_less_and_given_up(core, receiver):
    """A receiver that is down is called after 1, 2, 5, 15, 30 and 60 minutes, and not at all after three days."""
    tell(core, webhook=receiver.url, secret="env:ALERTS")
    receiver.status = 500
    later(core, minutes=11)
    began, tries = core.clock.now(), []
    for _ in range(180):
        before = len(receiver.calls)
        core.step_clock(core.clock.now() + timedelta(minutes=1))
        stage.settle(core, [_silence()], kinds=("silent",), at=core.clock.now())
        if len(receiver.calls) > before:
            tries.append((core.clock.now() - began) // timedelta(minutes=1))
    assert tries == [1, 3, 8, 23, 53, 113, 173]
    later(core, days=3)
    assert kept.latest(core.state, limit=1)[0].told[0].due_at is None


def _silence():
    return kept.Trouble(kind="silent", subject=SOURCE, detail={})


def test_nothing_is_written_in_a_tick_in_which_nothing_happens(core):
    """A quiet tick leaves the state as it was, so that nothing that pages remember is thrown away."""
    later(core, minutes=11)
    before = core.state.written
    assert stage.run(Turn(core)) == 0
    assert core.state.written == before
    assert [each.kind for each in kept.latest(core.state, limit=9)] == ["silent"]


def test_a_way_that_is_set_later_is_told_what_lasts(core, receiver):
    """Who is named while a source is silent is told so, and of nothing that was over before."""
    later(core, minutes=11)
    heard(core)
    later(core, minutes=1)
    later(core, minutes=20)
    tell(core, webhook=receiver.url, secret="env:ALERTS")
    later(core)
    assert [(each["kind"], each["phase"]) for each in receiver.told()] == [("silent", "began")]


def test_an_unusual_share_in_quarantine_is_told_and_ends(core, receiver):
    """Fifty refused calls that are a fifth of all are an alert; it ends when fewer than a tenth are refused."""
    tell(core, webhook=receiver.url, secret="env:ALERTS")
    send(core, [{"type": "track", "userId": "anna", "messageId": f"bad{n}"} for n in range(49)])
    later(core)
    assert receiver.calls == []
    send(core, [{"type": "track", "userId": "anna", "messageId": "bad49"}])
    later(core)
    later(core)
    (told,) = receiver.told()
    assert (told["kind"], told["detail"]["refused"], told["detail"]["share"]) == ("refused", 50, 1.0)
    heard(core)
    later(core, minutes=9)
    heard(core)
    later(core, hours=2)
    ended = [each["kind"] for each in receiver.told() if each["phase"] == "ended"]
    assert ended == ["refused"]


def test_damage_of_the_log_is_told_and_has_no_end(core, receiver):
    """A stretch that could not be read is told once; that it is shown no longer is not told."""
    tell(core, webhook=receiver.url, secret="env:ALERTS")
    heard(core)
    core.worker_lane.execute(
        "insert into log_damage by name select 'core' as log, 1 as segment, 77 as position, 12 as length, "
        "'damaged' as why, $at as at, 1 as batch",
        {"at": core.clock.now()},
    )
    for days in (0, 1, 40):
        sources.adjust(core.state, SOURCE, mode=None, silent_minutes=43_200)
        heard(core)
        later(core, days=days)
        heard(core)
        later(core)
    told = [(each["kind"], each["subject"], each["phase"]) for each in receiver.told() if each["kind"] == "damage"]
    assert told == [("damage", "core/1/77", "began")]


def test_a_standstill_is_told_by_the_schedule_and_ends_with_a_tick(core, receiver):
    """Turns that failed for five minutes are an alert, which says no word of the fault but its name."""
    tell(core, webhook=receiver.url, secret="env:ALERTS")
    standstill = Standstill(core)
    for minutes in (0, 4, 1):
        core.step_clock(core.clock.now() + timedelta(minutes=minutes))
        standstill.failed(RuntimeError("Anna's number is 13800138000"))
    assert [each["detail"]["fault"] for each in receiver.told()] == ["RuntimeError"]
    assert b"Anna" not in receiver.calls[0][1]
    later(core)
    standstill.worked()
    assert [(each["kind"], each["phase"]) for each in receiver.told()] == [("stuck", "began"), ("stuck", "ended")]


def test_deadlines_of_the_law_are_told_before_they_are_over(core, receiver):
    """An incident a day before the authority has to know, a request some days before its answer; ids, and no words."""
    tell(core, webhook=receiver.url, secret="env:ALERTS")
    facts = Facts(kind="leak", data=["contact"], people=1, happened_at=None, happened="Anna was named")
    now, terms = core.clock.now(), core.settings.rights
    made = incidents.file(
        core.state, core.keys, core.clock, facts, noticed_at=now, law="gdpr", terms=terms, actor="pia"
    ).incident_id
    asked = rights.file_request(
        core.state, core.keys, core.clock, settings=core.settings, right="access", subject_key="k" * 32,
        origin="staff", actor="pia", law="gdpr", note="Anna",
    ).request_id  # fmt: skip
    sources.adjust(core.state, SOURCE, mode=None, silent_minutes=43_200)
    later(core, hours=47)
    assert receiver.told() == []
    later(core, hours=1)
    told = {"whom": "authority", "needed": True, "at": None, "words": "Form no. 7", "actor": "pia"}
    incidents.tell(core.state, core.keys, core.clock, made, **told)
    later(core, hours=1)
    later(core, days=25)
    assert [(each["kind"], each["phase"], each["subject"]) for each in receiver.told()] == [
        ("incident", "began", made),
        ("incident", "ended", made),
        ("request", "began", asked),
    ]
    assert receiver.told()[0]["url"].endswith(f"/incidents/{made}")
    assert all(b"Anna" not in body for _, body in receiver.calls)


def test_who_was_off_heard_nobody(core):
    """After a break nobody was listening, a silence counts from when somebody listened again."""
    lane = core.worker_lane
    assert listening_since(lane, at=NOON) == NOON
    assert listening_since(lane, at=NOON + BREAK) == NOON
    after = NOON + 2 * BREAK + timedelta(seconds=1)
    assert listening_since(lane, at=after) == after


def test_a_test_without_a_way_says_so(core):
    """Who tests what is not set is told where it is set."""
    with pytest.raises(Conflict):
        stage.send_test(core, at=NOON)


def test_a_test_says_what_is_wrong(core, receiver, monkeypatch):
    """No channel, a refusing receiver and a secret that is none are each told by their way."""
    tell(core, email=["ada@shop.example"], webhook=receiver.url, secret="env:ALERTS")
    receiver.status = 401
    tried = {each.way: each.fault for each in stage.send_test(core, at=NOON)}
    assert tried == {
        "email": "there is no e-mail channel any; there are: none",
        "webhook": "the webhook answered 401",
    }
    monkeypatch.setenv("ALERTS", "not base64!")
    assert "not base64" in {each.way: each.fault for each in stage.send_test(core, at=NOON)}["webhook"]


def test_the_words_of_letters_are_in_both_languages():
    """A text exists in both languages, with holes that are filled."""
    chinese, english = (catalogue("spira.engage", language) for language in LANGUAGES)
    assert set(chinese) == set(english)
