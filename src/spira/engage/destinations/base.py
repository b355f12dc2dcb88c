"""What a destination is: one kind of place outside that is told who came into an audience and who left it.

A destination is a frozen dataclass registered under the name that definitions write as `kind:`. Its fields are
the options. `give` hands one batch over: it returns how many were taken and which were refused, raises
`DestinationRefused` for a batch that will never be taken, and `DestinationUnavailable` for one to try again.

A batch's id is the same whenever it is given again, after a kill or a fault: it is the idempotency key. Who may
leave has been decided before; a destination reads no table and keeps no list.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal, TypeVar

import msgspec

from spira.kernel.errors import DestinationUnavailable
from spira.kernel.registry import Registry

Op = Literal["added", "changed", "removed"]
MOST_A_BATCH = 100_000


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """One person: what became of them in the audience, and the values that leave, by the names of the definition."""

    op: Op
    values: dict[str, str | None]


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the people of one run. `mark` is the export's, by which a list that leaks is known again."""

    batch_id: str
    run_id: str
    destination: str
    audience: str
    number: int
    batches: int
    everyone: bool
    at: datetime
    mark: str
    fields: list[str]
    people: list[Given]


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """One person of a batch whom the destination would not take: the place in it, from 0, and why."""

    place: int
    reason: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch."""

    taken: int
    refused: list[Refused] = []


class Destination(ABC):
    """One kind of place outside. `size` is how many people a batch of it has."""

    size: ClassVar[int] = 1_000

    @abstractmethod
    def give(self, batch: Batch) -> Taken:
        """Hand one batch over; the same batch again must leave the place as it is."""

    @abstractmethod
    def probe(self, destination: str, at: datetime) -> None:
        """Reach the place as `give` would, with nobody in it; the same faults."""


D = TypeVar("D", bound=type[Destination])
DESTINATIONS: Registry[type[Destination]] = Registry("kind of destination")


def destination(name: str) -> Callable[[D], D]:
    """Register a destination: `@destination("webhook")` above the dataclass."""

    def register(made: D) -> D:
        DESTINATIONS.add(name, made)
        return made

    return register


def open_destination(kind: str, options: Mapping[str, Any]) -> Destination:
    """The destination of a kind with its options; ValueError says which does not fit."""
    return DESTINATIONS.get(kind)(**options)


def put_off(why: str) -> DestinationUnavailable:
    """A fault that passes."""
    return DestinationUnavailable(why, help="it is tried again by itself")
