"""Houses: a small warehouse in memory, and short ways of saying what happened in it.

For tests of whatever comes after loading: subjects, links, events and traits are put where the
loader would put them.

    with House() as house:
        house.subject(1, "user_id")
        house.say(1, "Order Completed", hours=-3)
        house.load()
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import spira.collect.places
import spira.collect.tables
import spira.engage.tables
import spira.segment.tables
import spira.unify.restrictions
import spira.unify.tables  # noqa: F401  (imported so that every table is registered)
from spira.storage import ddl, progress  # noqa: F401  (likewise)
from spira.storage.tables import TABLES, Column
from spira.storage.warehouse import Warehouse, open_warehouse
from spira.unify import identity
from spira.unify.ties import Ties

NOON = datetime(2026, 3, 1, 12)
EXTRA = (
    Column(name="store_id", type="VARCHAR"),
    Column(name="purpose", type="VARCHAR"),
    Column(name="channel", type="VARCHAR"),
    Column(name="bounce_type", type="VARCHAR"),
    Column(name="delivery_id", type="BIGINT"),
    Column(name="address_key", type="VARCHAR"),
    Column(name="revenue", type="DECIMAL(18,4)"),
    Column(name="household", type="VARCHAR"),
    Column(name="household_role", type="VARCHAR"),
)

_EMPTY: dict[str, object] = {"VARCHAR": "", "TIMESTAMP": NOON, "BOOLEAN": False, "DATE": NOON.date(), "BLOB": b""}


def at(hours: float) -> datetime:
    """An instant so many hours after noon."""
    return NOON + timedelta(hours=hours)


class House:
    """A warehouse with every table, filled by hand as the loader would."""

    def __init__(self) -> None:
        self.warehouse: Warehouse = open_warehouse(threads=1)
        self._made = [name for name in TABLES if TABLES.get(name).store == "warehouse"]
        for name in self._made:
            self.warehouse.execute(ddl.create(TABLES.get(name)))
        for column in EXTRA:
            self.warehouse.execute(ddl.add_column("events", column))
        identity.views(self.warehouse)
        self.ties = Ties()
        self.events = 0
        self.batch = 0
        self._pending: list[tuple[Any, ...]] = []

    def subject(self, subject: int, kind: str = "anonymous_id", key: str | None = None) -> None:
        """An identifier, if it is new."""
        if not self.warehouse.value("select count(*) from identifiers where subject_id = ?", [subject]):
            self.warehouse.execute(
                "insert into identifiers values ($1, $2, $3, $4, $5, $6, try_cast('0x' || $3[1:16] as ubigint))",
                [subject, kind, key or f"{subject:032x}", None if kind == "email" else f"{kind}-{subject}", NOON, 0],
            )

    def link(self, one: int, two: int, *, hours: float = 0, event: int | None = None) -> None:
        """A pair seen together in the batch that is being made."""
        self._pending.append((one, two, "event", event if event is not None else 0, at(hours), "web"))

    def say(self, subject: int, event: str, *, hours: float, **properties: object) -> int:
        """An event of a subject in the batch that is being made; its id."""
        self.events += 1
        values = {
            "event_id": self.events,
            "message_id": f"m{self.events}",
            "type": "track",
            "event": event,
            "ts": at(hours),
            "received_at": at(hours),
            "source": "web",
            "subject_id": subject,
            "profile_id": self.profile_of(subject),
            "batch": self.batch + 1,
            **properties,
        }
        names = ddl.names(values)
        marks = ", ".join("?" * len(values))
        self.warehouse.execute(f"insert into events ({names}) values ({marks})", list(values.values()))
        return self.events

    def line(self, event: int, subject: int) -> None:
        """A line of an event that was said."""
        about = {"event_id": event, "subject_id": subject, "profile_id": self.profile_of(subject)}
        self.put("order_lines", line=1, event="Order Completed", ts=NOON, **about)

    def profile_of(self, subject: int) -> int:
        """The profile that a subject belongs to now, as the loader writes it beside an event."""
        found: int | None = self.warehouse.value("select profile_id from moved where subject_id = ?", [subject])
        return subject if found is None else found

    def put(self, table: str, **values: object) -> None:
        """A row of any table, by column; columns that must not be null and are not given are 0 or empty."""
        for column in TABLES.get(table).columns:
            if column.required and column.name not in values:
                values[column.name] = _EMPTY.get(column.type, 0)
        marks = ", ".join("?" * len(values))
        self.warehouse.execute(
            f"insert into {ddl.quote(table)} ({ddl.names(values)}) values ({marks})", [*values.values()]
        )

    def tell(self, subject: int, name: str, value: str | None, *, hours: float, **more: object) -> None:
        """A trait told by an identify of a subject."""
        event = self.say(subject, "identify", hours=hours)
        self.warehouse.execute(
            "insert into trait_facts values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                event,
                subject,
                name,
                value,
                more.get("vault_key"),
                at(hours),
                "web",
                more.get("priority", 0),
                self.batch + 1,
            ],
        )

    def load(self) -> identity.Resolved:
        """End the batch as the loader does: links resolved, and the batch's own profiles marked as changed."""
        self.batch += 1
        warehouse = self.warehouse
        with warehouse.transaction():
            warehouse.execute(
                "create or replace temp table batch_links (subject_id bigint, other_id bigint, rule varchar,"
                " event_id bigint, ts timestamp, source varchar)"
            )
            for row in self._pending:
                warehouse.execute("insert into batch_links values (?, ?, ?, ?, ?, ?)", list(row))
            self._pending = []
            resolved = identity.resolve(warehouse, self.batch, self.ties)
            warehouse.execute(
                "insert into changes select distinct profile_id, batch from profile_events where batch = ?",
                [self.batch],
            )
        return resolved

    def people(self, subjects: Iterable[int]) -> set[frozenset[int]]:
        """Who is one with whom among the subjects."""
        now: dict[int, int] = dict(self.warehouse.query("select subject_id, profile_id from moved"))
        groups: dict[int, set[int]] = {}
        for subject in subjects:
            groups.setdefault(now.get(subject, subject), set()).add(subject)
        return {frozenset(each) for each in groups.values()}

    def clear(self) -> House:
        """Empty every table, which is quicker than another house."""
        for name in self._made:
            self.warehouse.execute(f"truncate {ddl.quote(name)}")
        self.events, self.batch, self._pending, self.ties = 0, 0, [], Ties()
        return self

    def close(self) -> None:
        self.warehouse.close()

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def two_audiences(house: House, *, since: datetime) -> None:
    """Audience `a` has 1 to 60, `b` 41 to 100, of 200; the first 40 like tea, and so does every tenth."""
    house.clear()
    if "taste" not in house.warehouse.columns("tags"):
        house.warehouse.execute("alter table tags add column taste varchar")
    for person in range(1, 201):
        house.put("profiles", profile_id=person, unit_id=1 + person % 2, first_seen=since, last_seen=since)
        house.put("tags", profile_id=person, taste="tea" if person <= 40 or person % 10 == 0 else "coffee")
        for name, first, last in (("a", 1, 60), ("b", 41, 100)):
            if first <= person <= last:
                house.put("members", audience=name, profile_id=person, since=since)
