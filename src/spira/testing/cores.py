"""A stand-in core: real stores in a temporary directory, people put straight into the tables.

For tests of pages and of the API; the stages do not run in it. `fill` makes the same people
every time: two stores, one person in three of store B, the last ten belonging to no store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import sqlalchemy as sa
from argon2 import PasswordHasher

import spira.measure.tables  # noqa: F401  (imported so that every table is registered)
from spira.collect.identifiers import KEY_HEAD
from spira.definitions.apply import Applied
from spira.definitions.plan import Plan
from spira.definitions.workspace import Edits
from spira.kernel.clock import FrozenClock
from spira.kernel.errors import Conflict
from spira.kernel.i18n import Language
from spira.kernel.ids import stable_share
from spira.kernel.settings import Settings, WorkspaceSettings
from spira.kernel.viewer import Viewer
from spira.measure.summary import Summary, summary
from spira.segment.conditions.catalog import Catalog, EventSchema
from spira.server.staff import NewStaff, Staff, add_staff
from spira.server.tables import STAFF
from spira.storage.backup import Manifest
from spira.storage.keys import Keys
from spira.storage.state import METADATA, State
from spira.storage.vault import Vault, seal_value
from spira.storage.warehouse import Warehouse
from spira.testing.houses import NOON, House
from spira.testing.states import empty_state, fixed_keys
from spira.unify import units
from spira.unify.erase import Stores
from spira.unify.facts_store import FactsStore
from spira.worker.paths import Paths
from spira.worker.report import Run, SystemReport, system_report
from spira.worker.stages import STAGES, of_refresh, of_tick

T = TypeVar("T")
PASSWORD = "a quiet sea in spring"
STATES = ("user", "first_order", "repeat", "lapsed")
DEPARTMENTS = ("GROCERY", "PRODUCE", "DRUG GM", "MEAT")
ROOT = Viewer(staff_id="root", name="Root", roles=frozenset({"administrator", "operator"}), units=None, language="en")


class StandInCore:
    """What `spira.server` needs of a core, over small real stores. Close it."""

    def __init__(self, directory: Path, *, language: Language = "en", brand: str = "Sea & Sons") -> None:
        self.directory = directory
        (directory / "spira.toml").touch()  # a workspace without a definition
        self.settings = Settings(
            workspace=WorkspaceSettings(brand=brand, language=language, zone="UTC", currency="USD")
        )
        self.clock = FrozenClock(NOON)
        self.state: State = empty_state(directory)
        METADATA.create_all(self.state.engine)
        self.keys: Keys = fixed_keys()
        self.vault = Vault(self.state, self.keys)
        self.house = House()
        self.log: Any = None
        self.applied = Applied(generation=0)
        self.catalog = _CATALOG
        self.asked: list[str] = []
        self.facts = FactsStore(directory / "facts.sqlite")
        self.public_url = ""
        self.paths = Paths(directory)
        self._turns = threading.RLock()
        self._lanes: list[Warehouse] = []
        self._local = threading.local()

    def lane(self) -> Warehouse:
        """This thread's own lane."""
        if not hasattr(self._local, "lane"):
            self._local.lane = self.house.warehouse.lane()
            self._lanes.append(self._local.lane)
        lane: Warehouse = self._local.lane
        return lane

    def meanwhile(self, find: Callable[[Warehouse], T]) -> Future[T]:
        """Read at once, on this thread's lane: two threads of one lane would see the same."""
        read: Future[T] = Future()
        read.set_result(find(self.lane()))
        return read

    def kept(self, _question: Hashable, find: Callable[[], T]) -> T:
        """Nothing is kept: tests change what answers stand on."""
        return find()

    def soon(self, _question: Hashable, find: Callable[[], T], *, within: float) -> T | None:  # noqa: ARG002
        """Nothing is put off either."""
        return find()

    def exclusive(self) -> threading.RLock:
        """The lock that turns would run under."""
        return self._turns

    def stores(self) -> Stores:
        """What erasing needs; `log` must have been put in place."""
        return Stores(
            warehouse=self.house.warehouse,
            state=self.state,
            vault=self.vault,
            keys=self.keys,
            log=self.log,
            log_directory=self.paths.log,
            clock=self.clock,
            load=lambda: None,
        )

    def backup(self, to: Path) -> Manifest:
        """An empty file, and what a manifest looks like."""
        to.write_bytes(b"")
        return Manifest(format=1, created_at=self.clock.now(), segment=1, keys=self.keys.fingerprint, files={})

    def summary(self) -> Summary:
        """The real summary of the little there is."""
        return summary(self.lane(), as_of=self.clock.now(), audiences=("waverers",), tags=3)

    def refresh(self, *, full: bool = False) -> dict[str, Run]:
        """Only says that it was asked."""
        self.asked.append("refresh full" if full else "refresh")
        return {stage.name: Run(stage=stage.name).finished(self.clock.now(), 0.01, 3) for stage in of_refresh()}

    def tick(self) -> dict[str, Run]:
        """Only says that it was asked."""
        self.asked.append("tick")
        return {stage.name: Run(stage=stage.name).finished(self.clock.now(), 0.01, 3) for stage in of_tick()}

    def step_clock(self, to: datetime) -> datetime:
        """Move the clock on."""
        return self.clock.step(to)

    def plan(self, edits: Edits | None = None) -> Plan:  # noqa: ARG002  (the protocol's word)
        """Nothing would change, whatever the edits."""
        return Plan(base=self.applied.generation, changes=(), fingerprint="")

    def apply(self, viewer: Viewer, *, edits: Edits | None = None, fingerprint: str | None = None) -> Plan:
        """Only says that it was asked."""
        if fingerprint:
            raise Conflict("the definitions have changed since this plan was made", help="look at the new plan")
        self.asked.append(f"apply by {viewer.staff_id}" + "".join(f", {path}" for path in edits or {}))
        return self.plan()

    def report(self) -> SystemReport:
        """A report of stages that ran once."""
        return system_report(
            self.lane(),
            stages=STAGES,
            runs=self.refresh(),
            now=self.clock.now(),
            manual=True,
            generation=self.applied.generation,
            backlog=0,
            children=(4711, 4712),
            paths=Paths(self.directory),
        )

    async def intake(self, _scope: Any, _receive: Any, send: Any) -> None:
        """Answers every collection call with success."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"success":true}'})

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()
        self.facts.close()
        self.house.close()
        self.state.close()


def staff(core: StandInCore, name: str, *roles: Any, unit_id: int | None = None) -> Staff:
    """Somebody who may sign in with PASSWORD as `name`@example.com."""
    made = add_staff(
        core.state,
        NewStaff(email=f"{name}@example.com", name=name.capitalize(), roles=roles, unit_id=unit_id),
        at=NOON,
    )
    with core.state.write() as connection:
        known = sa.update(STAFF).where(STAFF.c.staff_id == made.staff_id)
        connection.execute(known.values(password_hash=_HASHED))
    return made


# Of the kind that is stored, but quick to make and to check: signing in is what many tests begin with.
_HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def fill(core: StandInCore, people: int = 120) -> dict[str, int]:
    """Two stores, and persons with orders, tags, consents, deliveries and enrolments; the units' ids by code."""
    brand = units.add_unit(core.state, code="brand", name="Brand")
    stores = {
        code: units.add_unit(core.state, code=code, name=f"Store {code}", parent_id=brand.unit_id) for code in "AB"
    }
    warehouse = core.house.warehouse
    for column in ("lifecycle VARCHAR", "orders_90d BIGINT", "favourite_department VARCHAR"):
        warehouse.execute(f"alter table tags add column {column}")
    profiles, tags, events, identifiers, sealed, permissions, deliveries, enrolments = ([] for _ in range(8))
    for person in range(1, people + 1):
        unit = None if person > people - 10 else stores["B" if person % 3 == 0 else "A"].unit_id
        address = f"person{person}@example.com"
        key = core.keys.subject_key("email", address)
        first = NOON - timedelta(days=person % 90 + 1)
        profiles.append({"profile_id": person, "unit_id": unit, "first_seen": first, "last_seen": NOON})
        identifiers += [
            _identifier(person, "user_id", core.keys.subject_key("user_id", f"h{person}"), f"h{person}", first),
            _identifier(person + 10_000, "email", key, None, first),
        ]
        sealed.append(seal_value(core.keys, "email", address))
        state = STATES[int(stable_share("state", person) * 4)]
        tags.append(
            {
                "profile_id": person,
                "lifecycle": state,
                "orders_90d": person % 7,
                "favourite_department": DEPARTMENTS[person % 4],
            }
        )
        for order in range(person % 7):
            events.append(_order(person, order))
        permissions.append(
            {
                "profile_id": person,
                "purpose": "marketing",
                "channel": "email",
                "granted": person % 4 > 0,
                "since": first,
            }
        )
        deliveries.append(_delivery(person, key))
        enrolments.append(_enrolment(person))
    moved = [_moved(row["subject_id"]) for row in identifiers if row["kind"] == "email"]
    rows = {
        "profiles": profiles,
        "identifiers": identifiers,
        "moved": moved,
        "tags": tags,
        "events": [{**event, "event_id": number, "message_id": f"m{number}"} for number, event in enumerate(events, 1)],
        "permissions": permissions,
        "deliveries": deliveries,
        "enrolments": enrolments,
        "members": [_member(person) for person in range(1, people + 1) if person % 2],
        "membership_changes": [_change(person) for person in range(1, people + 1) if person % 9 == 0],
    }
    for table, each in rows.items():
        warehouse.append(table, pa.Table.from_pylist(each))
    warehouse.execute(f"update identifiers set key_head = {KEY_HEAD}")
    core.vault.put(sealed)
    return {"brand": brand.unit_id, **{code: unit.unit_id for code, unit in stores.items()}}


def _identifier(subject: int, kind: str, key: str, value: str | None, seen: datetime) -> dict[str, Any]:
    return {"subject_id": subject, "kind": kind, "subject_key": key, "value": value, "first_seen": seen, "batch": 1}


_CATALOG = Catalog(
    events={"Order Completed": EventSchema(properties={"revenue": "money", "store_id": "text"})},
    tags={"lifecycle": "text", "orders_90d": "integer", "favourite_department": "text"},
    audiences=frozenset({"waverers", "lapsed"}),
)


def _moved(subject: int) -> dict[str, Any]:
    return {"subject_id": subject, "profile_id": subject - 10_000, "batch": 1}


def _permission(person: int, since: datetime) -> dict[str, Any]:
    allowed = {"purpose": "marketing", "channel": "email", "granted": person % 4 > 0}
    return {"profile_id": person, "since": since, **allowed}


def _order(person: int, order: int) -> dict[str, Any]:
    at = NOON - timedelta(days=(person * 7 + order * 11) % 58, hours=order + 1)
    return {
        "type": "track",
        "event": "Order Completed",
        "ts": at,
        "received_at": at,
        "source": "shop",
        "touchpoint": "store",
        "subject_id": person,
        "profile_id": person,
        "batch": 1,
        "revenue": 20 + (person * 13 + order * 29) % 90,
    }


def _delivery(person: int, key: str) -> dict[str, Any]:
    at = NOON - timedelta(days=person % 20, hours=1)
    withheld = "no_consent" if person % 4 == 0 else "frequency_cap" if person % 11 == 0 else None
    return {
        "delivery_id": person,
        "profile_id": person,
        "subject_id": person + 10_000,
        "address_key": key,
        "channel": "email",
        "template": "we_miss_you",
        "journey": "win_back",
        "version": 1,
        "step": "0",
        "purpose": "marketing",
        "state": "withheld" if withheld else "delivered",
        "reason": withheld,
        "created_at": at,
        "tries": 0 if withheld else 1,
        "sent_at": None if withheld else at,
        "delivered_at": None if withheld else at + timedelta(seconds=4),
        "opened_at": at + timedelta(hours=2) if not withheld and person % 3 == 0 else None,
        "clicked_at": at + timedelta(hours=3) if not withheld and person % 9 == 0 else None,
    }


def _enrolment(person: int) -> dict[str, Any]:
    at = NOON - timedelta(days=person % 20, hours=2)
    goal = at + timedelta(days=3) if person % 5 == 0 else None
    return {
        "enrolment_id": person,
        "journey": "win_back",
        "version": 1,
        "profile_id": person,
        "key": "",
        "entered_at": at,
        "held_out": person % 10 == 1,
        "state": "ended" if goal else "active",
        "step": "1",
        "visit": 1,
        "goal_at": goal,
    }


def _member(person: int) -> dict[str, Any]:
    return {"audience": "waverers", "profile_id": person, "since": NOON - timedelta(days=person % 30)}


def _change(person: int) -> dict[str, Any]:
    at = NOON - timedelta(hours=person % 20)
    return {"change_id": person, "audience": "lapsed", "profile_id": person, "entered": person % 2 == 0, "at": at}
