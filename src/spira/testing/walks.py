"""Walks: definitions written as YAML in a test, and a house whose people walk through journeys.

with House() as house:
    world = applied(JOURNEY, TRACKING)
    advance(house.warehouse, world, catalog_of(world, Settings()), NOON)
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath

import spira.collect.tracking
import spira.engage.channels.definition
import spira.engage.journeys.definition
import spira.engage.messages
import spira.segment.kinds  # noqa: F401  (each registers its kinds)
from spira.definitions.apply import Applied
from spira.definitions.check import check
from spira.definitions.workspace import Workspace, read_definitions
from spira.kernel.settings import Settings, WorkspaceSettings
from spira.testing.houses import House

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
