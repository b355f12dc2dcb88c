"""Giving: the job that hands one batch to a destination, in a child.

What it needs is in its task, values in clear included, and it keeps nothing. A batch may be given again when a
child dies over it: its id is the same.
"""

from __future__ import annotations

from typing import Any

import msgspec

import spira.engage.destinations.files
import spira.engage.destinations.webhook  # noqa: F401  (a child knows the built-in destinations)
from spira.collect.personal import without_addresses
from spira.engage.destinations.base import Batch, Refused, Taken, open_destination
from spira.kernel.jobs import job


class GiveTask(msgspec.Struct, frozen=True, kw_only=True):
    """One batch for one destination."""

    kind: str
    options: dict[str, Any]
    batch: Batch


@job("engage.give", task=GiveTask, result=Taken)
def give(task: GiveTask) -> Taken:
    """Hand a batch over; what the destination says of single people is told without their addresses."""
    taken = open_destination(task.kind, task.options).give(task.batch)
    refused = [Refused(place=each.place, reason=without_addresses(each.reason)) for each in taken.refused]
    return Taken(taken=taken.taken, refused=refused)
