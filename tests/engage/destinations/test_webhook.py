"""Destination webhook: signed batches, each taken once."""

import subprocess
import sys

import msgspec
import pytest

from spira.engage.destinations.webhook import Webhook
from spira.kernel.errors import DestinationRefused, DestinationUnavailable
from spira.sandbox.receiver import receiving
from spira.testing.destinations import BATCH, DestinationContract, StandInDestination

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def receiver(monkeypatch):
    """A system that takes audiences, with the secret that we have too."""
    monkeypatch.setenv("CRM_SECRET", SECRET)
    with receiving(SECRET) as made:
        yield made


class TestWebhook(DestinationContract):
    @pytest.fixture
    def place(self, receiver, monkeypatch):
        """A receiver, one where nobody listens, and one that has another secret."""
        monkeypatch.setenv("OTHER_SECRET", "b3RoZXI=")

        def there():
            return [(each["op"], each["id"]) for batch in receiver.batches for each in batch["people"]]

        return StandInDestination(
            destination=Webhook(url=receiver.url, secret="env:CRM_SECRET"),
            there=there,
            nobody=Webhook(url="http://127.0.0.1:1/", secret="env:CRM_SECRET"),
            refusing=Webhook(url=receiver.url, secret="env:OTHER_SECRET"),
        )


def test_whom_the_receiver_names_is_refused_and_the_others_are_taken(receiver):
    """
    Its answer says whom it would not take and why, by their places.
    """
    receiver.refuse = frozenset({"p_two"})
    taken = Webhook(url=receiver.url, secret="env:CRM_SECRET").give(BATCH)
    assert taken.taken == len(BATCH.people) - 1
    assert [(each.place, each.reason) for each in taken.refused] == [(2, "not wanted here")]
    assert sorted(receiver.people) == ["p_one", "p_three"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_receiver_that_asks_for_patience_is_tried_again(receiver, status):
    """
    Trouble that passes is told apart from a refusal.
    """
    receiver.answers = [status]
    with pytest.raises(DestinationUnavailable):
        Webhook(url=receiver.url, secret="env:CRM_SECRET").give(BATCH)


def test_a_receiver_that_finds_fault_refuses(receiver):
    """
    A 4xx is for good.
    """
    receiver.answers = [422]
    with pytest.raises(DestinationRefused, match="422"):
        Webhook(url=receiver.url, secret="env:CRM_SECRET").give(BATCH)


def test_an_answer_of_another_form_refuses_nobody(receiver, monkeypatch):
    """
    Many systems answer with something of their own.
    """
    monkeypatch.setattr(receiver, "take", lambda _headers, _body: (200, b"OK \xff"))
    batch = msgspec.structs.replace(BATCH, batch_id="run_2-00001")
    assert Webhook(url=receiver.url, secret="env:CRM_SECRET").give(batch).taken == len(BATCH.people)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"url": "ftp://x", "secret": "env:A"}, "not an http"),
        ({"url": "http://x", "secret": "plain"}, "does not stand in a file"),
        ({"url": "http://x", "secret": "env:A", "batch": 0}, "people a batch"),
    ],
)
def test_options_that_make_no_sense_are_told(options, wrong):
    """
    The fault says what to write.
    """
    with pytest.raises(ValueError, match=wrong):
        Webhook(**options)


def test_a_child_that_gives_reads_no_stores():
    """
    What hands batches over knows no warehouse, no state and no conditions, so it begins soon and stays small.
    """
    code = "import sys, spira.engage.destinations.job; print(*(each for each in sys.modules if each in sys.argv))"
    heavy = ["duckdb", "sqlalchemy", "sqlglot", "spira.engage.reach", "spira.engage.alerts.sending"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
