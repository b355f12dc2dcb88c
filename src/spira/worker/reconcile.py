"""Making the warehouse fit the definitions, and telling what a draft of them would do to people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from spira.collect import tracking
from spira.collect.tracking import Plan as EventPlan
from spira.definitions.apply import Applied
from spira.definitions.plan import Assess, Plan, plan
from spira.definitions.workspace import Workspace
from spira.kernel.settings import Settings
from spira.segment.catalog import catalog_of
from spira.segment.conditions.catalog import Catalog
from spira.storage.log import Position
from spira.storage.warehouse import Warehouse
from spira.unify import identity


def take_up(warehouse: Warehouse, applied: Applied, events: EventPlan, settings: Settings) -> Catalog:
    """Give declared properties their columns and the views their shape; the catalogue of what may be said.

    The tags' own columns are made by their first computation, which puts rows and columns in place together.
    """
    tracking.reconcile(warehouse, events)
    identity.views(warehouse)
    return catalog_of(applied, settings)


def plan_with_people(
    warehouse: Warehouse, applied: Applied, workspace: Workspace, assess: Mapping[str, Assess]
) -> Plan:
    """The plan, with the people that each change concerns beside it."""
    return plan(applied, workspace, assess=assess)


def loaded_position(warehouse: Warehouse) -> Position:
    """Up to where the log has been loaded."""
    row = warehouse.one("select segment, position from loaded where log = 'core'")
    return Position(segment=row[0], offset=row[1]) if row else Position(segment=0, offset=0)


def instant(warehouse: Warehouse) -> datetime | None:
    """The latest instant any stage has spoken of."""
    found: datetime | None = warehouse.value("select max(as_of) from progress")
    return found
