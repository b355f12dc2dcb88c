"""A desk for tests of collecting: a workspace's keys, log, state and warehouse, and short ways to fill them."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import httpx

import spira.storage.progress
import spira.unify.tables  # noqa: F401  (registers the tables of the second half of the stage)
from spira.collect import load as loading
from spira.collect import sources
from spira.collect.emit import emit
from spira.collect.intake import Intake
from spira.collect.tracking import TrackingDefinition, plan_of, reconcile
from spira.kernel.clock import FrozenClock
from spira.kernel.jobs import InlineRunner
from spira.kernel.settings import CollectSettings, Settings
from spira.storage import ddl
from spira.storage.keys import make_keys
from spira.storage.log import Log
from spira.storage.state import METADATA
from spira.storage.tables import TABLES
from spira.storage.vault import Vault
from spira.storage.warehouse import open_warehouse
from spira.testing.stores import fresh_state
from spira.unify import identity

NOON = datetime(2026, 3, 1, 12)
RETAIL = {
    "tracking": "retail",
    "events": {
        "Order Completed": {
            "properties": {"order_id": "text", "revenue": "money", "currency": "text", "store_id": "text"},
            "arrays": {
                "products": {
                    "product_id": "text",
                    "quantity": "integer",
                    "price": "money",
                    "value": "money",
                    "department": "text",
                }
            },
        },
        "Measured": {
            "properties": {"weight": "number", "count": "integer", "sure": "boolean", "due": "date", "seen_at": "time"}
        },
    },
    "traits": {"age": "integer", "name": {"type": "text", "privacy": "contact"}, "city": "text"},
}


class Desk:
    """Everything between a client's call and the warehouse's rows."""

    def __init__(self, directory, *, tracking=RETAIL, **limits):
        self.directory = directory
        self.keys = make_keys(directory)
        self.settings = Settings(collect=CollectSettings(**limits))
        self.clock = FrozenClock(NOON)
        self.state = fresh_state(directory / "state.sqlite")
        METADATA.create_all(self.state.engine)
        self.vault = Vault(self.state, self.keys)
        self.log = Log.open(directory / "data" / "log", self.keys)
        self.source = sources.add(self.state, self.clock, "shop")
        self.plan = plan_of([TrackingDefinition.model_validate(tracking)])
        self.backlog = 0
        self.intake = Intake(
            log=self.log, state=self.state, clock=self.clock, settings=self.settings, backlog=lambda: self.backlog
        )
        self.warehouse = self.fresh_warehouse()

    def fresh_warehouse(self):
        """An empty warehouse with every table and column."""
        made = open_warehouse(threads=1)
        for name in TABLES:
            table = TABLES.get(name)
            if table.store == "warehouse":
                made.execute(ddl.create(table))
        reconcile(made, self.plan)
        identity.views(made)
        return made

    def post(self, path, body, *, key=None, headers=None, method="POST", anonymous=False):
        """The answer to one call; a dict is sent as JSON, and the source's key with it."""
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        auth = None if anonymous else (key or self.source.write_key, "")

        async def send():
            transport = httpx.ASGITransport(app=self.intake)
            async with httpx.AsyncClient(transport=transport, base_url="http://test", auth=auth) as client:
                return await client.request(method, path, content=content, headers=headers)

        return asyncio.run(send())

    def batch(self, *calls, **shared):
        """Send calls as one batch that must be taken."""
        answer = self.post("/v1/batch", {"batch": list(calls), **shared})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def emit(self, *events):
        """Let Spira say something itself."""
        return emit(self.log, self.clock, events)

    def load(self, warehouse=None, **more):
        """Bring everything into the warehouse."""
        what = {"join": identity.resolve, "runner": InlineRunner(), **more}
        return loading.load(
            warehouse or self.warehouse,
            state=self.state,
            vault=self.vault,
            log=self.log,
            plan=self.plan,
            settings=self.settings,
            clock=self.clock,
            directory=self.directory,
            scratch=self.directory / "scratch",
            **what,
        )

    def rows(self, sql, params=None):
        """The rows of a query."""
        return self.warehouse.query(sql, params)

    def refused(self):
        """What lies in quarantine: reason and detail, in order."""
        return self.rows("select reason, detail from quarantine order by batch, item")

    def close(self):
        """Close everything."""
        self.warehouse.close()
        self.log.close()
        self.state.close()


def track(event="Order Completed", *, id="m1", user="ann", at="2026-03-01T10:00:00Z", **properties):
    """A track call as a client sends it."""
    return {
        "type": "track",
        "event": event,
        "messageId": id,
        "userId": user,
        "timestamp": at,
        "properties": properties,
    }
