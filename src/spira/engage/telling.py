"""Telling: recipients hear of erasures, corrections and restrictions by a signed call, where they have an address.

Reads   `recipient_duties` (state), the setting `rights.processors`
Writes  `recipient_duties` (state), the world

    POST the recipient's address, signed as Standard Webhooks do (`engage.signing`)
    {"type": "person.erasure", "duty": "duty_…", "person": "p_…", "list": "exp_…", "since": "2026-03-01T12:00:00.000Z"}

A call that nobody takes is tried again after two, four, eight and up to sixty minutes, for three days; after that it
stays with staff, on the page of exports. Whoever did not take one call is called no more in that turn, since a turn
waits for each. The duty's id is the call's, so a recipient who hears it twice knows.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from spira.engage.alerts.sending import Unsent, post_signed
from spira.kernel.clock import Clock, iso
from spira.kernel.errors import Conflict, WorkspaceInvalid
from spira.kernel.settings import Settings
from spira.storage.state import State
from spira.unify import recipients
from spira.unify.recipients import Duty

GIVEN_UP = timedelta(days=3)
MOST = 20  # calls a turn; each may cost the patience of one
LONGEST_WAIT = timedelta(minutes=60)
BY = "spira"
_log = logging.getLogger("spira.engage")


class Turn(Protocol):
    """What telling needs of a turn."""

    @property
    def settings(self) -> Settings: ...
    @property
    def state(self) -> State: ...
    @property
    def clock(self) -> Clock: ...


def run(turn: Turn) -> int:
    """Tell those who are due; how many were."""
    rights = turn.settings.rights
    addresses = {each.name: each.url for each in recipients.every(rights) if each.url}
    if not addresses:
        return 0
    at = turn.clock.now()
    done, calls, silent = 0, 0, set[str]()
    for duty in _due(turn.state, list(addresses), at):
        if calls >= MOST or duty.recipient in silent:
            continue
        calls += 1
        try:
            post_signed(addresses[duty.recipient], rights.recipient_secret, duty.duty_id, body_of(duty))
        except (Unsent, WorkspaceInvalid) as fault:
            _log.warning("the recipient %s could not be told: %s", duty.recipient, fault)
            recipients.tried(turn.state, duty.duty_id, at=at)
            silent.add(duty.recipient)
        else:
            with suppress(Conflict):  # staff said meanwhile that they had told them
                recipients.told(turn.state, turn.clock, duty.duty_id, actor=BY)
                done += 1
    return done


def body_of(duty: Duty) -> bytes:
    """What a recipient is told: whom it is about by the id in their list, and nothing else of the person."""
    return msgspec.json.encode(
        {
            "type": f"person.{duty.what}",
            "duty": duty.duty_id,
            "person": duty.person,
            "list": duty.export_id,
            "since": iso(duty.filed_at),
        }
    )


def _due(state: State, names: Sequence[str], at: datetime) -> list[Duty]:
    """What is to be told now, the least tried first; asked for by recipient, so that no long list hides another's."""
    waiting = [each for name in names for each in recipients.untold(state, [name], since=at - GIVEN_UP)]
    waiting.sort(key=lambda each: (each[1], each[0].filed_at, each[0].duty_id))
    return [duty for duty, tries, tried_at in waiting if _is_due(tries, tried_at, at)]


def _is_due(tries: int, tried_at: datetime | None, at: datetime) -> bool:
    return tried_at is None or at - tried_at >= min(timedelta(minutes=2**tries), LONGEST_WAIT)
