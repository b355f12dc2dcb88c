"""Said: what ties or parts people beside the links that events have shown, as arrays for `ties` and `placing`.

Reads   `identity_ruled`     what staff decided, of whom both ends are known
        `match_candidates`   whom probable matching takes for one
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spira.storage.warehouse import Warehouse

Codes = npt.NDArray[np.int64]  # two subjects in one number, so that they can be sorted and looked up as pairs
Subjects = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Pairs of subjects, all but `bridges` as codes in order.

    `ruled` are those of which staff said something, whatever it was; `same` and `different` those of them that are
    one person and that are two. `bridges` are those that may be one although no link says so. `matched` tells
    whether there are probable matches at all.
    """

    ruled: Codes
    same: Codes
    different: Codes
    bridges: tuple[Codes, Codes]
    matched: bool

    @classmethod
    def read(cls, warehouse: Warehouse) -> Said:
        """What holds now."""
        found = warehouse.arrow(_RULED)
        codes = pair_codes(found["subject_id"].to_numpy(), found["other_id"].to_numpy())
        says = np.array(found["says"].to_pylist(), object)
        same, different = codes[says == "same"], codes[says == "different"]
        sure = warehouse.arrow(_SURE)
        one, two = (
            np.concatenate([decoded, sure[end].to_numpy()]) for decoded, end in zip(ends(same), _ENDS, strict=True)
        )
        return cls(
            ruled=np.unique(codes),
            same=np.unique(same),
            different=np.unique(different),
            bridges=(one, two),
            matched=warehouse.one(_ANY_MATCH) is not None,
        )

    @property
    def last(self) -> int:
        """The largest number of a subject among them."""
        return max(int(each.max(initial=0)) for each in (*ends(self.ruled), *self.bridges))


def pair_codes(one: Subjects, two: Subjects) -> Codes:
    """Each pair as one number, whichever of the two is told first."""
    codes: Codes = np.minimum(one, two).astype(np.int64) << 32 | np.maximum(one, two)
    return codes


def ends(codes: Codes) -> tuple[Codes, Codes]:
    """The two subjects of each pair."""
    return codes >> 32, codes & 0xFFFFFFFF


_ENDS = ("subject_id", "other_id")
_RULED = "select subject_id, other_id, says from identity_ruled where other_id is not null"
_SURE = "select subject_id, other_id from match_candidates where weight >= join_at"
_ANY_MATCH = "select 1 from match_candidates limit 1"
