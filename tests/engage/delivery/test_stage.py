from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from spira.definitions.apply import Applied
from spira.engage.delivery.fold import MOST_TRIES
from spira.engage.delivery.handing import Dispatched, DispatchTask
from spira.engage.delivery.stage import run
from spira.kernel.errors import LogUnavailable
from spira.kernel.jobs import Job
from spira.sandbox.inbox import Inbox
from spira.testing.houses import House
from spira.testing.walks import SHOP, Outside, applied, workspace


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with House() as house, Outside(house, tmp_path, applied(SHOP)) as made:
        yield made


@pytest.fixture
def inbox(outside: Outside) -> Iterator[Inbox]:
    with Inbox(keys=outside.keys, slow_seconds=5) as made:
        outside.applied = applied(SHOP.replace("port: 2525", f"port: {made.port}\ntimeout: 0.5"))
        yield made


class DyingRunner:
    """Runs the job and dies before it can tell what came of it."""

    def __init__(self, *, before: bool) -> None:
        self._before = before

    def run(self, job: Job[Any, Any], task: Any) -> Any:
        if not self._before:
            job.run(task)
        raise KeyboardInterrupt


def test_a_message_is_rendered_for_its_person_and_sent(outside: Outside, inbox: Inbox) -> None:
    """
    The name comes out of the vault, links lead through us, and the receiver gets its one-click address.
    """
    outside.ask(outside.reachable(1, "one@example.com", name="王小明 <b>"))
    run(outside)
    assert outside.states() == {1: ("sent", None)}
    (mail,) = inbox.messages
    assert mail.subject == "Hello 王小明 <b>"
    assert (mail.to, mail.delivery_id, mail.at) == ("one@example.com", "1", outside.as_of)
    assert len(mail.links) == 1
    assert mail.unsubscribe is not None
    assert mail.unsubscribe.startswith("http://127.0.0.1:1/u/")
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in mail.raw
    assert max(len(line) for line in mail.raw.split(b"\r\n")) <= 998
    assert mail.raw.isascii()


@pytest.mark.usefixtures("inbox")
def test_one_bad_address_and_one_slow_one_do_not_stop_the_others(outside: Outside) -> None:
    """
    The refused one has failed, the one put off is tried again, the one without an answer is unknown for good.
    """
    for profile, name in enumerate(("reject", "soft", "good", "slow", "fine"), start=1):
        outside.ask(outside.reachable(profile, f"{name}@example.com"))
    run(outside)
    found = outside.states()
    assert [found[each][0] for each in range(1, 6)] == ["failed", "queued", "sent", "unknown", "sent"]
    outside.clock.step(timedelta(minutes=1))
    outside.load()
    run(outside)
    assert {each: state for each, (state, _) in outside.states().items()} == {
        1: "failed",
        2: "queued",
        3: "sent",
        4: "unknown",
        5: "sent",
    }
    assert outside.warehouse.query("select delivery_id, tries from deliveries where tries > 1") == [(2, 2)]
    bounced = "select delivery_id, bounce_type, subject_id from events where event = 'Email Bounced'"
    assert outside.warehouse.query(bounced) == [(1, "hard", 1001)]


def test_a_server_that_is_down_is_tried_again_and_then_given_up(outside: Outside) -> None:
    """
    Nothing is lost while it is down; after the last try the delivery has failed, and says why.
    """
    outside.applied = applied(SHOP.replace("port: 2525", "port: 1"))
    outside.ask(outside.reachable(1, "one@example.com"), purpose="service")
    states = []
    for _ in range(MOST_TRIES):
        run(outside)
        states.append(outside.states()[1][0])
        outside.clock.step(timedelta(hours=3))
        outside.load()
    assert states == ["queued"] * (MOST_TRIES - 1) + ["failed"]
    assert "127.0.0.1:1" in outside.warehouse.value("select detail from deliveries")


@pytest.mark.parametrize("before", [True, False])
def test_a_death_in_the_middle_of_a_call_sends_nothing_twice(outside: Outside, inbox: Inbox, before: bool) -> None:
    """
    The message is unknown afterwards, whether or not it went out, and no later tick sends it.
    """
    outside.ask(outside.reachable(1, "one@example.com"))
    kept, outside.runner = outside.runner, DyingRunner(before=before)
    with pytest.raises(KeyboardInterrupt):
        run(outside)
    outside.runner = kept
    for _ in range(3):
        outside.load()
        outside.clock.step(timedelta(hours=1))
        run(outside)
    assert outside.states() == {1: ("unknown", None)}
    assert len(inbox.messages) == (0 if before else 1)


def test_the_log_alone_tells_what_was_sent(outside: Outside, inbox: Inbox) -> None:
    """
    A warehouse restored from before the dispatch takes the log's word, and sends nothing again.
    """
    for profile in (1, 2):
        outside.ask(outside.reachable(profile, f"p{profile}@example.com"))
    run(outside)
    outside.warehouse.execute("delete from deliveries")
    outside.warehouse.execute("delete from progress")
    outside.load()
    run(outside)
    assert outside.states() == {1: ("sent", None), 2: ("sent", None)}
    assert len(inbox.messages) == 2


def test_nothing_is_sent_when_the_attempt_can_not_be_kept(outside: Outside, inbox: Inbox) -> None:
    """
    With a full disk the message stays queued, and goes when there is room again.
    """

    class FullLog:
        def append(self, records: object) -> None:  # noqa: ARG002
            raise LogUnavailable("no space left")

    outside.ask(outside.reachable(1, "one@example.com"))
    kept, outside.log = outside.log, FullLog()
    with pytest.raises(LogUnavailable):
        run(outside)
    outside.log = kept
    assert (outside.states(), inbox.messages) == ({1: ("queued", None)}, [])
    run(outside)
    assert len(inbox.messages) == 1


def test_a_template_that_fails_stops_only_its_own_message(outside: Outside, inbox: Inbox) -> None:
    """
    The fault is told in the delivery's detail.
    """
    bodies = {"hello.mjml": "{% if %}", "gift.txt": "A gift"}
    read = workspace(SHOP.replace("port: 2525", f"port: {inbox.port}"), bodies=bodies)
    outside.applied = Applied(generation=1, definitions=read.definitions)
    outside.ask(outside.reachable(1, "one@example.com"), template="hello")
    outside.ask(outside.reachable(2, "two@example.com"), template="gift")
    run(outside)
    assert outside.states() == {1: ("failed", None), 2: ("sent", None)}
    assert "template hello" in outside.warehouse.value("select detail from deliveries where delivery_id = 1")


@pytest.mark.usefixtures("inbox")
def test_folding_twice_changes_nothing(outside: Outside) -> None:
    """
    Results that were already written, and read again from the log, leave every row as it was.
    """
    for profile, name in enumerate(("reject", "soft", "good"), start=1):
        outside.ask(outside.reachable(profile, f"{name}@example.com"))
    run(outside)
    everything = "select * from deliveries order by delivery_id"
    before = outside.warehouse.query(everything)
    outside.load()
    run(outside)
    run(outside)
    assert outside.warehouse.query(everything) == before


@pytest.mark.usefixtures("inbox")
def test_the_task_names_no_more_people_than_it_sends_to(outside: Outside) -> None:
    """
    Addresses and names in clear leave the core only for those who are written to now.
    """
    tasks: list[DispatchTask] = []

    class Watching:
        def run(self, job: Job[Any, Any], task: DispatchTask) -> Dispatched:
            tasks.append(task)
            return job.run(task)  # type: ignore[no-any-return]

    outside.runner = Watching()
    outside.ask(outside.reachable(1, "one@example.com", name="One"))
    outside.ask(outside.reachable(2, "two@example.com", consents=False, name="Two"))
    run(outside)
    assert [(item.address, item.values) for task in tasks for item in task.items] == [
        ("one@example.com", {"name": "One"})
    ]
