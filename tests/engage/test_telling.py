"""Telling recipients: one signed call for each duty, tried again later, and left to staff in the end."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from spira.engage import telling
from spira.engage.signing import signature
from spira.kernel.clock import FrozenClock
from spira.kernel.settings import RightsSettings
from spira.testing.houses import NOON
from spira.testing.states import empty_state
from spira.unify import recipients
from spira.unify.recipients import DUTIES

SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.fixture
def turn(tmp_path, monkeypatch):
    """A turn with a duty towards a recipient that has an address, and one towards a recipient that has none."""
    monkeypatch.setenv("RECIPIENTS", SECRET)
    rights = RightsSettings(
        processors=["Mailer; mail; US; https://mailer.example/hook", "Post; letters; CN"],
        recipient_secret="env:RECIPIENTS",
    )
    with empty_state(tmp_path) as state:
        with state.write() as connection:
            for name in ("Mailer", "Post"):
                row = {"duty_id": f"duty_{name}", "recipient": name, "what": "erasure", "person": "p_1"}
                connection.execute(sa.insert(DUTIES).values(**row, export_id="exp_1", filed_at=NOON, tries=0))
        yield SimpleNamespace(settings=SimpleNamespace(rights=rights), state=state, clock=FrozenClock(NOON))


@pytest.fixture
def calls(monkeypatch):
    """What was posted; `calls.status` is what is answered."""
    made = SimpleNamespace(posted=[], status=200)

    def post(url, *, content, headers, timeout, verify):  # noqa: ARG001  (httpx's own)
        made.posted.append((url, content, headers))
        return httpx.Response(made.status)

    monkeypatch.setattr(httpx, "post", post)
    return made


def waiting(turn):
    return [each.duty_id for each in recipients.duties(turn.state, limit=9, waiting=True)]


def test_a_recipient_with_an_address_is_told_once_by_a_signed_call(turn, calls):
    """By the id in its list and by no value; the other one waits for staff."""
    assert (telling.run(turn), telling.run(turn)) == (1, 0)

    [(url, body, headers)] = calls.posted
    assert url == "https://mailer.example/hook"
    assert msgspec.json.decode(body) == {
        "type": "person.erasure", "duty": "duty_Mailer", "person": "p_1", "list": "exp_1",
        "since": "2026-03-01T12:00:00.000Z",
    }  # fmt: skip
    signed = signature(SECRET, headers["webhook-id"], headers["webhook-timestamp"], body)
    assert (headers["webhook-id"], headers["webhook-signature"]) == ("duty_Mailer", signed)
    assert waiting(turn) == ["duty_Post"]
    assert recipients.by_id(turn.state, ["duty_Mailer"])[0].told_by == "spira"


def test_a_call_that_nobody_takes_is_tried_less_and_less_and_then_left_to_staff(turn, calls):
    """After two minutes, four, and so on; not after three days."""
    calls.status = 503
    seen = []
    for minutes in (0, 1, 2, 4, 6, 3 * 24 * 60):
        turn.clock = FrozenClock(NOON + timedelta(minutes=minutes))
        telling.run(turn)
        seen.append(len(calls.posted))

    assert seen == [1, 1, 2, 2, 3, 4]
    turn.clock = FrozenClock(NOON + timedelta(days=3, minutes=1))
    telling.run(turn)
    assert len(calls.posted) == 4
    assert waiting(turn) == ["duty_Mailer", "duty_Post"]


def test_without_its_secret_nothing_is_sent(turn, calls, monkeypatch):
    """A call that proves nothing is none."""
    monkeypatch.delenv("RECIPIENTS")
    assert (telling.run(turn), calls.posted) == (0, [])


def also(turn, name, count, *, url="https://other.example/hook"):
    """Another recipient with an address, and more duties towards it."""
    rights = turn.settings.rights
    if all(not each.startswith(f"{name};") for each in rights.processors):
        turn.settings.rights = rights.model_copy(update={"processors": [*rights.processors, f"{name}; x; US; {url}"]})
    with turn.state.write() as connection:
        for number in range(count):
            row = {"duty_id": f"duty_{name}_{number}", "recipient": name, "what": "erasure", "person": f"p_{number}"}
            connection.execute(sa.insert(DUTIES).values(**row, export_id="exp_1", filed_at=NOON, tries=0))


def test_who_is_silent_costs_a_turn_one_call_and_keeps_nobody_else_waiting(turn, calls, monkeypatch):
    """However many duties there are towards it, the others are told in the same turn."""
    also(turn, "Mailer", 250)
    also(turn, "Other", 3)
    answer = httpx.post

    def post(url, **more):
        calls.status = 503 if "mailer" in url else 200
        return answer(url, **more)

    monkeypatch.setattr(httpx, "post", post)
    assert telling.run(turn) == 3
    assert sorted(url for url, *_ in calls.posted) == [
        "https://mailer.example/hook",
        *["https://other.example/hook"] * 3,
    ]


def test_no_turn_makes_more_calls_than_it_has_time_for(turn, calls, monkeypatch):
    """What is left comes with the next one."""
    monkeypatch.setattr(telling, "MOST", 2)
    also(turn, "Other", 2)
    assert (telling.run(turn), len(calls.posted)) == (2, 2)
    assert (telling.run(turn), len(calls.posted)) == (1, 3)


def test_what_staff_marked_during_the_call_stays_theirs(turn, calls, monkeypatch):
    """A call and a person who say it at once are no fault."""
    answer = httpx.post

    def post(url, **more):
        recipients.told(turn.state, turn.clock, "duty_Mailer", actor="pia")
        return answer(url, **more)

    monkeypatch.setattr(httpx, "post", post)
    assert (telling.run(turn), len(calls.posted)) == (0, 1)
    assert recipients.by_id(turn.state, ["duty_Mailer"])[0].told_by == "pia"
