"""Making the warehouse fit the definitions, and telling what a draft of them would do to people."""

from __future__ import annotations

from spira.collect import tracking
from spira.collect.tracking import Plan as EventPlan
from spira.definitions.apply import Applied
from spira.definitions.plan import Change, Plan, plan
from spira.definitions.workspace import Workspace
from spira.engage import walking
from spira.engage.journeys import report
from spira.kernel.settings import Settings
from spira.segment.catalog import catalog_of, understood, understood_world, written_in
from spira.segment.conditions.catalog import Catalog
from spira.segment.impact import assessments
from spira.storage.warehouse import Warehouse
from spira.unify import identity


def take_up(warehouse: Warehouse, applied: Applied, events: EventPlan, settings: Settings) -> Catalog:
    """Give declared properties their columns and the views their shape; the catalogue of what may be said.

    The tags' own columns are made by their first computation, which puts rows and columns in place together.
    """
    tracking.reconcile(warehouse, events)
    identity.views(warehouse)
    return catalog_of(applied, settings)


def plan_for_people(warehouse: Warehouse, applied: Applied, workspace: Workspace) -> Plan:
    """What applying the files would change, with the people that each change concerns beside it.

    `warehouse` is a lane that no stage is using.
    """

    def inside(change: Change) -> dict[str, int]:
        return {"mid-journey": report.walking(warehouse, change.name)}

    def lay(lane: Warehouse) -> None:
        now = understood(written_in(applied), zone=workspace.settings.workspace.zone)
        walking.lay(lane, (now, understood_world(workspace.world())))

    people = assessments(warehouse, workspace, lay=lay)
    return plan(applied, workspace, assess={**people, "journey": inside})
