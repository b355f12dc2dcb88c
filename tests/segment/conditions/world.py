"""A small world for the language's tests: a catalog, its tables, and a way to fill them.

The tables have the shapes that the stages write; here they are plain tables under the
names of the views, since the views' own work is tested where they are made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from spira.segment.conditions.catalog import Catalog, EventSchema
from spira.storage.warehouse import Warehouse

NOON = datetime(2026, 3, 10, 12)
MERGED = 1_000_000  # added to a person's id: another identifier of theirs
BOUGHT, SAW, COUPON = "Order Completed", "Product Viewed", "Coupon Applied"
PROPERTIES = {
    "pieces": "integer",
    "revenue": "money",
    "rating": "number",
    "category": "text",
    "place": "text",
    "is_gift": "boolean",
    "due": "time",
    "born": "date",
}
PRODUCTS = {"department": "text", "value": "money", "quantity": "integer"}
GIFTS = {"kind": "text"}
SQL = {
    "boolean": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "money": "DECIMAL(18,4)",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
    "date": "DATE",
}


def catalog(zone: str = "UTC") -> Catalog:
    """What the tests' expressions may speak of."""
    return Catalog(
        events={
            BOUGHT: EventSchema(properties=PROPERTIES, arrays={"products": PRODUCTS, "gifts": GIFTS}),
            SAW: EventSchema(properties=PROPERTIES),
            COUPON: EventSchema(properties={"coupon": "text"}),
        },
        tags={"level": "text", "spent": "money", "visits": "integer", "seen_at": "time", "share": "number"},
        scores={"churn": "number", "next_order": "time"},
        traits={"city": "text", "age": "integer", "城市": "text", "zone": "text"},
        audiences=frozenset({"vip", "asleep"}),
        zone=zone,
    )


@dataclass
class Person:
    """One profile: its events as dicts (lines under the arrays' names) and what is known of it."""

    id: int
    events: list[dict] = field(default_factory=list)
    tags: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    traits: dict = field(default_factory=dict)
    audiences: frozenset[str] = frozenset()
    permissions: dict = field(default_factory=dict)
    moves: list = field(default_factory=list)
    unit: int | None = None


def event(name: str, hours_ago: float = 1, *, id: int = 0, **properties) -> dict:
    """An event some hours before NOON."""
    return {"event_id": id, "event": name, "ts": NOON - timedelta(hours=hours_ago), **properties}


def make_tables(warehouse: Warehouse) -> None:
    """Create every table the language reads, empty."""
    typed = ", ".join(f"{name} {SQL[kind]}" for name, kind in PROPERTIES.items())
    head = "event_id BIGINT, event VARCHAR, ts TIMESTAMP, subject_id BIGINT"
    warehouse.execute(
        f"create table profile_events ({head}, received_at TIMESTAMP, type VARCHAR, source VARCHAR,"
        f" touchpoint VARCHAR, domain VARCHAR, campaign VARCHAR, profile_id BIGINT, {typed}, coupon VARCHAR)"
    )
    for view, fields in (("profile_order_lines", PRODUCTS), ("profile_gifts_lines", GIFTS)):
        lines = ", ".join(f"{name} {SQL[kind]}" for name, kind in fields.items())
        warehouse.execute(f"create table {view} ({head}, line INTEGER, profile_id BIGINT, {lines})")
    warehouse.execute("create table profiles (profile_id BIGINT, unit_id BIGINT)")
    tags = ", ".join(f"{name} {SQL[kind]}" for name, kind in catalog().tags.items())
    warehouse.execute(f"create table tags (profile_id BIGINT, {tags})")
    warehouse.execute('create table scores (profile_id BIGINT, model VARCHAR, value DOUBLE, "at" TIMESTAMP)')
    warehouse.execute('create table traits (profile_id BIGINT, name VARCHAR, value VARCHAR, "at" TIMESTAMP)')
    warehouse.execute("create table members (audience VARCHAR, profile_id BIGINT, since TIMESTAMP)")
    warehouse.execute(
        'create table membership_changes (audience VARCHAR, profile_id BIGINT, entered BOOLEAN, "at" TIMESTAMP)'
    )
    warehouse.execute("create table permissions (profile_id BIGINT, purpose VARCHAR, channel VARCHAR, granted BOOLEAN)")
    warehouse.execute("create table moved (subject_id BIGINT, profile_id BIGINT)")
    warehouse.execute("create temp table changed (profile_id BIGINT)")


TABLES = (
    "profile_events profile_order_lines profile_gifts_lines profiles tags scores traits members membership_changes"
    " permissions moved changed"
)


def fill(warehouse: Warehouse, people: list[Person]) -> None:
    """Put these people, and nobody else, into the tables."""
    for table in TABLES.split():
        warehouse.execute(f"delete from {table}")
    insert(warehouse, "profiles", [{"profile_id": each.id, "unit_id": each.unit} for each in people])
    insert(warehouse, "tags", [{"profile_id": each.id, **each.tags} for each in people])
    for table, rows in _facts(people).items():
        insert(warehouse, table, rows)
    own = [{**without_lines(found), **_whose(each, found)} for each in people for found in each.events]
    insert(warehouse, "profile_events", own)
    insert(warehouse, "moved", [{"subject_id": MERGED + each.id, "profile_id": each.id} for each in people])
    for array, view in (("products", "profile_order_lines"), ("gifts", "profile_gifts_lines")):
        insert(
            warehouse, view, [line for each in people for found in each.events for line in _lines(each, found, array)]
        )


def _facts(people: list[Person]) -> dict[str, list[dict]]:
    scores = [
        {"profile_id": each.id, "model": name, "at" if isinstance(value, datetime) else "value": value}
        for each in people
        for name, value in each.scores.items()
    ]
    traits = [
        {"profile_id": each.id, "name": name, "value": str(value)}
        for each in people
        for name, value in each.traits.items()
    ]
    members = [{"audience": name, "profile_id": each.id} for each in people for name in sorted(each.audiences)]
    allowed = [
        {"profile_id": each.id, "purpose": purpose, "channel": channel, "granted": granted}
        for each in people
        for (purpose, channel), granted in each.permissions.items()
    ]
    moves = [
        {"audience": name, "profile_id": each.id, "entered": entered, "at": at}
        for each in people
        for name, entered, at in each.moves
    ]
    return {"membership_changes": moves, "scores": scores, "traits": traits, "members": members, "permissions": allowed}


def without_lines(found: dict) -> dict:
    """The event without its arrays."""
    return {name: value for name, value in found.items() if name not in ("products", "gifts")}


def _whose(person: Person, found: dict) -> dict:
    """Every second event was done by another identifier, which was merged into the person later."""
    subject = person.id + (MERGED if found["event_id"] % 2 else 0)
    return {"subject_id": subject, "profile_id": person.id}


def _lines(person: Person, found: dict, array: str) -> list[dict]:
    head = {name: found[name] for name in ("event_id", "event", "ts")} | _whose(person, found)
    return [{**head, "line": number, **line} for number, line in enumerate(found.get(array, []))]


def insert(warehouse: Warehouse, table: str, rows: list[dict]) -> None:
    """Insert rows of the same or different columns in one statement."""
    if not rows:
        return
    names = sorted({name for row in rows for name in row})
    marks = ", ".join(f"({', '.join('?' for _ in names)})" for _ in rows)
    listed = ", ".join(f'"{name}"' for name in names)
    warehouse.execute(
        f"insert into {table} ({listed}) values {marks}", [row.get(name) for row in rows for name in names]
    )
