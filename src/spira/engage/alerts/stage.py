"""The last stage of a tick: find what is wrong, remember what began and ended, and tell it.

Reads   what `finding` reads, `alerts`, `alert_notices`
Writes  `alerts`, `alert_notices`, the world

A letter that nobody takes is tried again after 1, 2, 5, 15, 30 and then every 60 minutes, for three
days, so that a mail server that is away costs a turn ten seconds now and then, and not each time.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from spira.definitions.apply import Applied
from spira.engage.alerts import finding, kept, sending
from spira.engage.alerts.kept import AlertKind, Trouble, Way
from spira.engage.alerts.letters import House, Letter, letter, trial
from spira.engage.alerts.sending import Unsent
from spira.kernel.errors import Conflict
from spira.kernel.settings import Settings
from spira.storage.state import State
from spira.storage.warehouse import Warehouse

FOUND_HERE: tuple[AlertKind, ...] = ("silent", "refused", "damage", "stuck", "incident", "request", "destination")
_log = logging.getLogger("spira.alerts")


class Telling(Protocol):
    """What telling needs of a turn, or of the core."""

    @property
    def applied(self) -> Applied: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def state(self) -> State: ...
    @property
    def public_url(self) -> str: ...


class AlertTurn(Telling, Protocol):
    """What the stage needs of a turn."""

    @property
    def warehouse(self) -> Warehouse: ...
    @property
    def as_of(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of a test by one way."""

    way: Way
    sent: bool
    fault: str | None


def run(turn: AlertTurn) -> int:
    """One tick of alerts; how many began or ended. That it runs says that no stage before it fails."""
    at, real = turn.as_of, turn.settings.workspace.clock == "real"
    since = finding.listening_since(turn.warehouse, at=at) if real else None
    known = kept.open_now(turn.state)
    found = [
        *finding.silences(turn.warehouse, turn.state, as_of=at, since=since, known=known),
        *finding.refusals(turn.warehouse, as_of=at, known=known),
        *finding.losses(turn.warehouse, as_of=at),
        *finding.destinations(turn.state, turn.applied.of("destination"), turn.settings.alerts, as_of=at),
        *finding.deadlines(turn.state, as_of=at, warn=timedelta(days=turn.settings.rights.warn_days)),
    ]
    return settle(turn, found, kinds=FOUND_HERE, at=at)


def settle(house: Telling, found: Sequence[Trouble], *, kinds: Sequence[AlertKind], at: datetime) -> int:
    """Remember what of these kinds began and ended, and tell what is due; how many began or ended."""
    ways = sending.ways(house.settings.alerts)
    moved = kept.settle(house.state, found, kinds=kinds, ways=ways, at=at)
    for way in ways:
        notices = kept.due(house.state, way, at=at)
        if notices:
            fault = _hand(house, way, letter(house_of(house), notices, at=at), at)
            kept.mark(house.state, way, notices, at=at, fault=fault)
    return moved


def send_test(house: Telling, *, at: datetime) -> tuple[Tried, ...]:
    """Send a test by every way that is set; Conflict when there is none."""
    ways = sending.ways(house.settings.alerts)
    if not ways:
        raise Conflict(
            "no way of telling alerts is set",
            help="set `email` or `webhook` under `[alerts]`, on the Settings page too",
        )
    told = trial(house_of(house), at=at)
    faults = [(way, _hand(house, way, told, at)) for way in ways]
    return tuple(Tried(way=way, sent=fault is None, fault=fault) for way, fault in faults)


def house_of(house: Telling) -> House:
    """Whose letters they are."""
    workspace, server = house.settings.workspace, house.settings.server
    base = house.public_url or server.public_url or f"http://{server.host}:{server.port}"
    return House(brand=workspace.brand, language=workspace.language, zone=workspace.zone, base_url=base.rstrip("/"))


def _hand(house: Telling, way: Way, told: Letter, at: datetime) -> str | None:
    """Send a letter; why nobody took it, or None."""
    try:
        sending.send(way, told, house.settings.alerts, house.applied.of("channel"), at=at)
    except Unsent as fault:
        _log.warning("an alert could not be told by %s: %s", way, fault)
        return str(fault)
    return None
