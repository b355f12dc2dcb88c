"""Versions of journeys: people finish on the version they began, so each version is kept.

Reads   `journey_versions`
Writes  `journey_versions`   a row when what a journey does differs from its newest version

A change of label or campaign makes no version. A journey that is no longer applied is
retired: its people leave, since whoever removed it wants it to stop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from spira.engage.journeys.flow import Node, flow
from spira.engage.journeys.model import JourneyDefinition
from spira.storage.warehouse import Warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of one journey; `current` is the one that people enter."""

    name: str
    number: int
    model: JourneyDefinition
    nodes: tuple[Node, ...]
    current: bool


def reconcile(warehouse: Warehouse, journeys: Sequence[JourneyDefinition], as_of: datetime) -> list[Version]:
    """Make the newest versions what is applied; answer them, and older ones that people still walk."""
    newest = {name: (number, mark) for name, number, mark in warehouse.query(_NEWEST)}
    found: list[Version] = []
    for model in journeys:
        number, known = newest.get(model.journey, (0, ""))
        mark = fingerprint(model)
        if mark != known:
            number += 1
            row = {"journey": model.journey, "version": number, "fingerprint": mark, "since": as_of}
            warehouse.execute(_KEEP, row | {"body": model.model_dump_json(by_alias=True, exclude_unset=True)})
        found.append(_version(model, number, current=True))
    current = {(each.name, each.number) for each in found}
    for name, number, body in warehouse.query(_WALKED):
        if (name, number) not in current and name in {each.name for each in found}:
            found.append(_version(JourneyDefinition.model_validate_json(body), number, current=False))
    return found


def fingerprint(model: JourneyDefinition) -> str:
    """A hash of what a journey does, whatever it is called."""
    said = model.model_dump_json(by_alias=True, exclude={"label", "description", "campaign"})
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _version(model: JourneyDefinition, number: int, *, current: bool) -> Version:
    return Version(name=model.journey, number=number, model=model, nodes=flow(model), current=current)


_NEWEST = """
select journey, max(version) as version, arg_max(fingerprint, version) as fingerprint
from journey_versions group by journey
"""
_KEEP = """
insert into journey_versions (journey, version, fingerprint, body, since)
values ($journey, $version, $fingerprint, $body, $since)
"""
_WALKED = """
select journey, version, body from journey_versions
where (journey, version) in (select journey, version from enrolments where state = 'active' or goal_at is null)
order by journey, version
"""
