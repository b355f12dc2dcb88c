"""A whole workspace for the console's tests: the example's definitions over sixty people's ninety days.

Everything is real: the core, its stages, a mail server. One world lives its days once for a whole test
run, all workers of it; each open world is a copy. `world` is shared by the tests of a worker, which
therefore leave it as they found it, or use `fresh_world`.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.testing import TestClient

from spira.collect import links, sources
from spira.collect.imports import tables as imports
from spira.collect.imports.tables import Beginning
from spira.collect.links import NewLink
from spira.collect.mapping.build import RowFault
from spira.engage.destinations import kept
from spira.kernel.clock import iso
from spira.kernel.ids import show_profile, stable_share
from spira.kernel.jobs import InlineRunner
from spira.kernel.viewer import SYSTEM
from spira.sandbox.inbox import Inbox
from spira.server.staff import NewStaff, add_staff, by_email
from spira.storage.keys import make_keys, new_keys
from spira.testing.apps import lent_app
from spira.testing.workspaces import SOURCE, send
from spira.unify import rights
from spira.worker.core import Core
from spira.worker.giving import Giving

EXAMPLE = Path(__file__).parents[2] / "examples" / "retail"
DAY = datetime(2026, 6, 1, 9)
PEOPLE, DAYS = 60, 90
DEPARTMENTS = ("GROCERY", "PRODUCE", "MEAT", "DAIRY")
POSTER = NewLink(target="https://shop.example/spring", code="door", name="Door", campaign="spring", touchpoint="store")
_LIKELY = """
insert into match_candidates
values (?, ?, 3.5, 6.6, 'matching:people', 'mod_1', '[["email","email","same before the @",5.5]]', '2026-06-01')
"""
SERVICE = """\
hook: service
source: shop
sign: {scheme: standard, secret: "env:SERVICE_SECRET"}
events:
  - when: {$.type: [ticket.opened, ticket.closed]}
    event: Ticket Written
    user_id: {path: $.customer, as: text, required: true}
"""
LAKE = """\
destination: lake
label: {zh-CN: 数据湖, en: Lake}
kind: files
address: lake
audience: lapsed
purpose: analysis
fields: {id: id, since: since, orders: tag.orders_90d}
"""
SETTINGS = """\
[workspace]
brand = "Corner Shop"
zone = "UTC"
language = "en"
currency = "USD"
clock = "manual"
postal_address = "1 Corner Street, Springfield"
"""


class World:
    """An open workspace with its application; `inbox` has every message that was sent."""

    def __init__(self, core: Core, inbox: Inbox, app: Litestar) -> None:
        self.core = core
        self.inbox = inbox
        self.app = app
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def get(self, path: str, **more: Any) -> Any:
        """Ask as an administrator without a unit, and without what an earlier answer had the client keep."""
        self.client.cookies.clear()
        return self.client.get(path, headers={"authorization": "Bearer local", **more.pop("headers", {})}, **more)

    def post(self, path: str, **more: Any) -> Any:
        """Post as an administrator without a unit; a bearer token needs no form token."""
        self.client.cookies.clear()
        return self.client.post(path, headers={"authorization": "Bearer local", **more.pop("headers", {})}, **more)

    def likely(self) -> str:
        """Two users who are taken for likely one person: the id of the pair."""
        keys = [self.core.keys.subject_key("user_id", each) for each in ("u8", "u9")]
        asked = "select subject_id from identifiers where subject_key in (?, ?) order by subject_id"
        with self.core.exclusive():
            lane = self.core.worker_lane
            one, two = (each for (each,) in lane.query(asked, keys))
            lane.execute("delete from match_candidates")
            lane.execute(_LIKELY, [one, two])
        return f"{show_profile(one)}.{show_profile(two)}"

    def person(self, name: str = "u7") -> str:
        """The outside id of the person with a user id."""
        return show_profile(self.core.lane().value(_PROFILE, {"name": name}))

    def imported(self) -> str:
        """The id of an import with a row at fault."""
        what = Beginning(
            source=SOURCE, mapping="orders", fingerprint="", kind="file", part="old.csv", identity="x", actor="local"
        )
        begun = imports.begin(self.core.state, self.core.clock, what)
        fault = RowFault(row=7, column="paid", value="", reason="this is no number", cells={"paid": "ten"})
        imports.keep_faults(self.core.state, self.core.clock, self.core.keys, begun.import_id, [fault])
        return begun.import_id

    def asked(self) -> str:
        """The id of a request by right."""
        return rights.file_request(
            self.core.state,
            self.core.keys,
            self.core.clock,
            settings=self.core.settings,
            right="access",
            subject_key=self.core.keys.subject_key("user_id", "u7"),
            origin="staff",
            actor="local",
        ).request_id

    def given(self) -> str:
        """The id of the one run of the destination."""
        return kept.runs(self.core.state, "lake", limit=1)[0].run_id

    def happened(self) -> str:
        """The id of an incident with personal data."""
        told = {"kind": "leak", "data": ["contact", "location"], "happened": "A list was mislaid", "people": 12}
        return str(self.post("/api/incidents", json=told).json()["incident_id"])

    def noted(self) -> str:
        """The number of a note about a person."""
        made = self.post(f"/api/profiles/{self.person()}/notes", json={"text": "Tea"})
        return str(made.json()["note_id"])

    def colleague(self) -> str:
        """The id of somebody who is invited and has not signed in."""
        known = by_email(self.core.state, "mo@example.com")
        new = NewStaff(email="mo@example.com", name="Mo", roles=("operator",))
        return (known or add_staff(self.core.state, new, at=DAY)).staff_id


def lived_once(shared: Path) -> Path:
    """The directory of a world that has lived its days, in a folder of all workers; the first to ask makes it."""
    directory = shared / "lived-once"
    with (shared / "lived-once.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not directory.exists():
            begun = shared / "living"
            _live(begun)
            begun.rename(directory)
    return directory


@contextmanager
def open_copy(lived: Path, directory: Path) -> Iterator[World]:
    """A world of one's own in `directory`, with a mail server that is its own too; half a second."""
    shutil.copytree(lived, directory, dirs_exist_ok=True)
    with Inbox(keys=new_keys(), slow_seconds=30) as inbox:
        _lead_mail_to(inbox.port, directory)
        with (
            Core.open(directory, runner=InlineRunner()) as core,
            lent_app(core, local_token="local") as app,
        ):
            yield World(core, inbox, app)


def _live(directory: Path) -> None:
    """The example, applied, and what its people did; ten seconds."""
    shutil.copytree(EXAMPLE, directory, dirs_exist_ok=True)
    (directory / "spira.toml").write_text(SETTINGS, encoding="utf-8")
    make_keys(directory)
    (directory / "hooks").mkdir()
    (directory / "hooks" / "service.yaml").write_text(SERVICE, encoding="utf-8")
    (directory / "destinations").mkdir()
    (directory / "destinations" / "lake.yaml").write_text(LAKE, encoding="utf-8")
    with Inbox(keys=new_keys()) as inbox:
        _lead_mail_to(inbox.port, directory)
        with Core.open(directory, runner=InlineRunner()) as core:
            core.step_clock(DAY)
            core.apply(SYSTEM)
            sources.add(core.state, core.clock, SOURCE, touchpoint="store")
            links.add(core.state, core.clock, POSTER, by="local")
            _spend_days(core)
            kept.start(core.state, "lake", print=core.applied.get("destination", "lake").model.print, by="local",
                       reason="Weekly figures", most=100, at=core.clock.now())  # fmt: skip
            Giving(core, runner=InlineRunner()).look()


def _lead_mail_to(port: int, directory: Path) -> None:
    """Write an inbox's port into the channel's file, and into what is applied of it, as if it had always been so."""
    channel = directory / "channels" / "email.yaml"
    before = channel.read_text(encoding="utf-8")
    after = re.sub(r"port: \d+", f"port: {port}", before)
    channel.write_text(after, encoding="utf-8")
    state = directory / "data" / "state.sqlite"
    if state.exists():
        with closing(sqlite3.connect(state)) as applied, applied:
            applied.execute("update definitions set body = replace(body, ?, ?)", [before.strip(), after.strip()])


def _spend_days(core: Core) -> None:
    calls = [_register(number) for number in range(PEOPLE)]
    calls += [each for number in range(PEOPLE) for each in _orders(number)]
    calls += [_consent(number) for number in range(PEOPLE) if number % 4]
    calls += [
        {"type": "track", "event": "Order Completed", "userId": f"u{n}", "messageId": f"bad-{n}",
         "timestamp": iso(DAY - timedelta(days=n)), "properties": {"revenue": "much"}}
        for n in (1, 2, 3)
    ]  # fmt: skip
    calls += [
        {"type": "track", "event": "Shelf Visited", "userId": f"u{n}", "messageId": f"shelf-{n}",
         "timestamp": iso(DAY - timedelta(days=n)), "properties": {"shelf": "tea"}}
        for n in (1, 2)
    ]  # fmt: skip
    send(core, calls)
    core.tick()
    for _ in range(4):
        core.step_clock(core.clock.now() + timedelta(days=1))
        core.tick()


def _register(number: int) -> dict[str, Any]:
    traits = {"name": f"Person {number}", "email": f"u{number}@example.com", "age": f"{20 + number % 4 * 10}s"}
    if number in (7, 17):
        traits["address"] = "1 Harbour Lane"
    return {"type": "identify", "userId": f"u{number}", "messageId": f"id-{number}", "traits": traits,
            "timestamp": iso(DAY - timedelta(days=DAYS))}  # fmt: skip


def _consent(number: int) -> dict[str, Any]:
    return {"type": "track", "event": "Consent Given", "userId": f"u{number}", "messageId": f"yes-{number}",
            "timestamp": iso(DAY - timedelta(days=DAYS - 1)),
            "properties": {"purpose": "marketing", "channel": "email"}}  # fmt: skip


def _orders(number: int) -> Iterator[dict[str, Any]]:
    for order in range(number % 9):
        share = stable_share("order", number, order)
        at = DAY - timedelta(days=1 + int(share * (DAYS - 2)) + (35 if number % 5 == 0 else 0), hours=order)
        value = round(5 + share * 40, 2)
        line = {"product_id": f"p{order}", "quantity": 1, "price": value, "value": value,
                "department": DEPARTMENTS[(number + order) % 4], "brand": "National"}  # fmt: skip
        yield {"type": "track", "event": "Order Completed", "userId": f"u{number}", "messageId": f"o-{number}-{order}",
               "timestamp": iso(at), "properties": {"order_id": f"{number}-{order}", "revenue": value,
               "currency": "USD", "store_id": "367", "products": [line]}}  # fmt: skip


_PROFILE = """
select coalesce(moved.profile_id, subject_id) from identifiers left join moved using (subject_id)
where kind = 'user_id' and value = $name
"""
