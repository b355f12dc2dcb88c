"""Walks: definitions written as YAML in a test, and a house whose people walk through journeys.

with House() as house:
    world = applied(JOURNEY, TRACKING)
    advance(house.warehouse, world, catalog_of(world, Settings()), NOON)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

import spira.collect.tracking
import spira.engage.channels.definition
import spira.engage.journeys.definition
import spira.engage.messages
import spira.segment.kinds  # noqa: F401  (each registers its kinds)
from spira.collect.envelope import Attempt, Emitted, OwnEvent, Result, decode
from spira.definitions.apply import Applied
from spira.definitions.check import check
from spira.definitions.workspace import Workspace, read_definitions
from spira.kernel.clock import FrozenClock
from spira.kernel.jobs import InlineRunner
from spira.kernel.settings import Settings, WorkspaceSettings
from spira.storage.keys import new_keys
from spira.storage.log import BEGINNING, Log, Position, read
from spira.storage.state import open_state
from spira.storage.vault import Vault, seal_value
from spira.storage.warehouse import Warehouse
from spira.testing.houses import NOON, House

SETTINGS = Settings(workspace=WorkspaceSettings(brand="Corner Shop", zone="UTC", language="en", postal_address="1 Way"))

SHOP = """
tracking: shop
events:
  Order Completed: {properties: {revenue: money, store_id: text}}
  Product Added: {properties: {store_id: text}}
traits: {name: {type: text, privacy: contact}, email: {type: text, privacy: contact}, city: text}
---
audience: lapsed
label: Lapsed
who: not did('Order Completed', within => '30 days')
---
channel: email
kind: email
host: 127.0.0.1
port: 2525
sender: Corner Shop <hello@shop.example>
---
template: hello
channel: email
subject: {zh-CN: "{{ name }}，你好", en: "Hello {{ name }}"}
body: hello.mjml
---
template: gift
channel: email
subject: A gift
body: gift.txt
"""
BODIES = {
    "hello.mjml": "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ name }}, {{ city }}</mj-text>"
    '<mj-button href="https://shop.example/?a=1&amp;b=2">Come back</mj-button>'
    '<mj-text><a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text></mj-column></mj-section></mj-body></mjml>',
    "gift.txt": "A gift for {{ name }}. {{ unsubscribe_url }}",
}


def workspace(*texts: str, bodies: Mapping[str, str] = BODIES, settings: Settings = SETTINGS) -> Workspace:
    """The definitions of a few YAML texts."""
    files = [(PurePath(f"file{number}.yaml"), text) for number, text in enumerate(texts)]
    return read_definitions(files, settings, beside=lambda path: bodies.get(path.name))


def applied(*texts: str, generation: int = 1, bodies: Mapping[str, str] = BODIES) -> Applied:
    """The same as if they had been applied; ValueError when they have faults."""
    read = workspace(*texts, bodies=bodies)
    faults = check(read)
    if faults:
        raise ValueError("; ".join(f"{each.code} {each.message}" for each in faults))
    return Applied(generation=generation, definitions=read.definitions)


def member(house: House, profile_id: int, audience: str, at: datetime) -> None:
    """Let a profile enter an audience."""
    warehouse = house.warehouse
    warehouse.execute("insert into members values (?, ?, ?)", [audience, profile_id, at])
    warehouse.execute(
        "insert into membership_changes select coalesce(max(change_id), 0) + 1, ?, ?, true, ? from membership_changes",
        [audience, profile_id, at],
    )


def person(house: House, profile_id: int, at: datetime) -> None:
    """A profile that is there."""
    house.subject(profile_id, "user_id")
    house.warehouse.execute("insert into profiles values (?, null, ?, ?)", [profile_id, at, at])


class Outside:
    """A turn of stage 8 with real stores around a house: log, vault and state in a directory."""

    def __init__(self, house: House, directory: Path, world: Applied, *, settings: Settings = SETTINGS) -> None:
        self.warehouse = house.warehouse
        self.house = house
        self.directory = directory
        self.applied = world
        self.settings = settings
        self.keys = new_keys()
        self.state = open_state(directory / "state.sqlite")
        self.vault = Vault(self.state, self.keys)
        self.log: Any = Log.open(directory / "log", self.keys)
        self.runner: Any = InlineRunner()
        self.clock = FrozenClock(NOON)
        self.public_url = "http://127.0.0.1:1"
        self._read: Position = BEGINNING

    @property
    def as_of(self) -> datetime:
        return self.clock.now()

    def lane(self) -> Warehouse:
        return self.warehouse

    def close(self) -> None:
        self.log.close()
        self.state.close()

    def __enter__(self) -> Outside:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def reachable(self, profile_id: int, address: str, *, consents: bool | None = True, name: str = "") -> int:
        """A profile with an e-mail address (its subject is 1000 more), and a word on marketing e-mail."""
        person(self.house, profile_id, NOON)
        key = self.keys.subject_key("email", address)
        self.vault.put([seal_value(self.keys, "email", address)])
        self.house.subject(1000 + profile_id, "email", key)
        self.warehouse.execute("insert into moved values (?, ?, 0)", [1000 + profile_id, profile_id])
        if consents is not None:
            self.allow(profile_id, consents)
        if name:
            self.vault.put([seal_value(self.keys, "name", name)])
            row = [profile_id, "name", self.keys.subject_key("name", name), NOON]
            self.warehouse.execute("insert into traits values (?, ?, null, ?, ?, 'web', 0)", row)
        return profile_id

    def allow(self, profile_id: int, granted: bool, *, purpose: str = "marketing") -> None:
        """What a person says of e-mail for a purpose, now."""
        self.warehouse.execute("delete from permissions where profile_id = ? and purpose = ?", [profile_id, purpose])
        row = [profile_id, purpose, granted, self.as_of]
        self.warehouse.execute("insert into permissions values (?, ?, 'email', ?, ?)", row)

    def ask(self, profile_id: int, *, step: str = "0", **more: Any) -> int:
        """A message in the outbox; its id."""
        values: dict[str, Any] = {
            "journey": "win_back",
            "channel": "email",
            "template": "hello",
            "purpose": "marketing",
            "held_out": False,
            **more,
        }
        made = int(self.warehouse.value("select count(*) from outbox")) + 1
        row = [made, made, step, profile_id, *(values[name] for name in _ASKED), self.as_of]
        self.warehouse.execute(_ASK, row)
        return made

    def load(self) -> None:
        """Bring what the log says of deliveries and of Spira's own events into the warehouse."""
        chunk = read(self.directory / "log", self.keys, self._read, limit_bytes=1 << 30)
        self._read = chunk.end
        for raw in chunk.records:
            match decode(raw):
                case Attempt() as tried:
                    self._tell(tried.delivery_id, "attempt", tried.at)
                case Result() as told:
                    self._tell(told.delivery_id, "result", told.at, told.outcome, told.provider_id, told.detail)
                case Emitted(events=events):
                    for event in events:
                        self._say(event)
        self.house.load()

    def _tell(self, *values: Any) -> None:
        row = [*values, *([None] * (6 - len(values))), 1]
        self.warehouse.execute("insert into attempts values (?, ?, ?, ?, ?, ?, ?)", row)

    def _say(self, event: OwnEvent) -> None:
        if self.warehouse.value("select count(*) from events where message_id = ?", [event.message_id]):
            return
        hours = (event.at - NOON).total_seconds() / 3600
        known = {name: event.properties[name] for name in _KNOWN if name in event.properties}
        self.house.say(event.subject_id or 0, event.event, hours=hours, **known)
        last = "update events set source = 'spira', message_id = ? where event_id = ?"
        self.warehouse.execute(last, [event.message_id, self.house.events])

    def states(self) -> dict[int, tuple[str, str | None]]:
        """The state and reason of every delivery."""
        found = self.warehouse.query("select delivery_id, state, reason from deliveries order by 1")
        return {delivery: (state, reason) for delivery, state, reason in found}


_ASKED = ("journey", "channel", "template", "purpose", "held_out")
_KNOWN = ("delivery_id", "channel", "purpose", "bounce_type")
_ASK = """
insert into outbox (outbox_id, enrolment_id, step, visit, profile_id, version, journey, channel, template, purpose,
                    held_out, created_at)
values (?, ?, ?, 1, ?, 1, ?, ?, ?, ?, ?, ?)
"""
