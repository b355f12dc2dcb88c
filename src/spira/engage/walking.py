"""Walking: who is in the middle of a journey that a definition matters to.

Reads   `enrolments`, `journey_versions`
Writes  `walking`, a temporary table of its own lane

A definition matters to a journey that enters from it or asks for it at the exit or a branch, be it through
other tags and audiences. People finish on the version they began, so it is those versions that are read,
both by what is applied and by what is planned.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from spira.definitions.kinds import Reference
from spira.engage.journeys.model import JourneyDefinition
from spira.engage.uses import journey_use
from spira.segment.analysed import Analysed
from spira.storage.warehouse import Warehouse


def lay(warehouse: Warehouse, known: Sequence[Analysed]) -> None:
    """Make the temporary table `walking` (kind, name, profile_id), by each reading of the tags and audiences."""
    rows = []
    for journey, version, body in warehouse.query(_WALKED):
        model = JourneyDefinition.model_validate_json(body)
        for kind, name in sorted(set[Reference]().union(*(matters(model, each) for each in known))):
            rows.append({"journey": journey, "version": version, "kind": kind, "name": name})
    with warehouse.registered("matters_rows", pa.Table.from_pylist(rows, schema=_MATTERS)):
        warehouse.execute(_LAY)


def matters(model: JourneyDefinition, known: Analysed) -> frozenset[Reference]:
    """Every tag and audience that a journey's way depends on, be it through others."""
    use = journey_use(model, known.catalog)
    found: set[Reference] = set()
    ahead = [*(("tag", each) for each in use.tags), *(("audience", each) for each in use.audiences)]
    while ahead:
        kind, name = here = ahead.pop()
        if here in found:
            continue
        found.add(here)
        analysis = (known.tags if kind == "tag" else known.audiences).get(name)
        if analysis is not None:
            ahead += [("tag", each) for each in analysis.reads.tags]
            ahead += [("audience", each) for each in analysis.reads.audiences]
    return frozenset(found)


_MATTERS = pa.schema([("journey", pa.string()), ("version", pa.int32()), ("kind", pa.string()), ("name", pa.string())])
_WALKED = """
select journey, version, body from journey_versions
semi join (select distinct journey, version from enrolments where state = 'active') using (journey, version)
order by journey, version
"""
_LAY = """
create or replace temp table walking as
select distinct kind, name, profile_id
from enrolments join matters_rows using (journey, version)
where state = 'active'
"""
