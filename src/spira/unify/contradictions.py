"""Contradictions: what the rule of `unify.joining` finds that somebody should look at, kept in arrays.

Among millions there are many, so they are told by the thousand and not one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.integer]
REASONS = ("shared", "torn", "several", "against", "likely", "crowd", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two holders who contradict each other over `via`, or one value that joins nobody; numbers as in the graph."""

    reason: str
    kind: str
    one: int
    two: int
    via: int | None = None
    links: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Conflicts as columns: `reason` is a place in `REASONS`, `kind` one among the graph's, or -1; `via` may be -1."""

    reason: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    one: npt.NDArray[np.int64]
    two: npt.NDArray[np.int64]
    via: npt.NDArray[np.int64]
    links: npt.NDArray[np.int64]


class Teller:
    """Collects conflicts. `names` are those of the graph's kinds."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._told: list[npt.NDArray[np.int64]] = []

    def tell(
        self,
        reason: str,
        kind: Numbers | int,
        one: Numbers,
        two: Numbers,
        *,
        via: Numbers | int = -1,
        links: Numbers | int = 0,
    ) -> None:
        """Take in some conflicts of one reason; a number where an array could stand is the same for all."""
        rows = np.empty((6, one.size), np.int64)
        rows[0] = REASONS.index(reason)
        rows[1], rows[2], rows[3] = kind, np.minimum(one, two), np.maximum(one, two)
        rows[4], rows[5] = via, links
        self._told.append(rows)

    def take(self, conflicts: Iterable[Conflict]) -> None:
        """Take in conflicts that were told one by one."""
        for each in conflicts:
            kind = self._names.index(each.kind) if each.kind in self._names else -1
            one, two = np.array([each.one]), np.array([each.two])
            self.tell(each.reason, kind, one, two, via=-1 if each.via is None else each.via, links=each.links)

    def told(self) -> Told:
        """All of them in the order of what they are about; of those that are told twice the last."""
        rows = np.concatenate(self._told, axis=1) if self._told else np.empty((6, 0), np.int64)
        order = np.lexsort((rows[4] << 24 | rows[0] << 16 | (rows[1] + 1), rows[2] << 32 | rows[3]))
        rows = rows[:, order]
        last = np.ones(order.size, np.bool_)
        last[:-1] = (rows[:5, 1:] != rows[:5, :-1]).any(axis=0)
        reason, kind, one, two, via, links = rows[:, last]
        return Told(reason=reason, kind=kind, one=one, two=two, via=via, links=links)

    def conflicts(self) -> list[Conflict]:
        """The same one by one."""
        told = self.told()
        rows = zip(
            *(each.tolist() for each in (told.reason, told.kind, told.one, told.two, told.via, told.links)), strict=True
        )
        return [
            Conflict(
                reason=REASONS[reason],
                kind="" if kind < 0 else self._names[kind],
                one=one,
                two=two,
                via=None if via < 0 else via,
                links=links,
            )
            for reason, kind, one, two, via, links in rows
        ]
