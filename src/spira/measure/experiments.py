"""What an action was worth: the difference between those treated and those held out.

Shares are compared with Newcombe's hybrid score interval (R. G. Newcombe, Statistics in
Medicine 17, 1998, method 10), which stays honest for small groups and shares near 0 or 1.
Where the groups are too small for any statement, the answer says so instead of a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

ENOUGH = 30  # profiles in the smaller group below which no difference is claimed
_CONFIDENCE, _POWER = 0.975, 0.8
MOST = 10_000_000  # beyond which there is no sense in saying how many more people it would take


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One group: how many profiles, and how many of them reached the goal."""

    profiles: int
    reached: int

    @property
    def share(self) -> float | None:
        """The part that reached the goal; None of nobody."""
        return self.reached / self.profiles if self.profiles else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Treated minus held out, as a share, with its interval. `verdict` is the sentence's key for pages."""

    treated: Arm
    held_out: Arm
    value: float | None
    low: float | None
    high: float | None
    verdict: str


def wilson(reached: int, profiles: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (E. B. Wilson, 1927); (0, 1) of nobody."""
    if profiles == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = reached / profiles
    middle = share + z * z / (2 * profiles)
    reach = z * sqrt(share * (1 - share) / profiles + z * z / (4 * profiles * profiles))
    scale = 1 + z * z / profiles
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def newcombe(treated: Arm, held_out: Arm, *, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of `treated.share - held_out.share`; both arms must hold somebody."""
    first, second = treated.reached / treated.profiles, held_out.reached / held_out.profiles
    low_1, high_1 = wilson(treated.reached, treated.profiles, confidence=confidence)
    low_2, high_2 = wilson(held_out.reached, held_out.profiles, confidence=confidence)
    gap = first - second
    low = gap - sqrt((first - low_1) ** 2 + (high_2 - second) ** 2)
    high = gap + sqrt((high_1 - first) ** 2 + (second - low_2) ** 2)
    return low, high


def difference(treated: Arm, held_out: Arm) -> Difference:
    """Compare the two groups; the verdict is one of `too_few`, `no_difference`, `better`, `worse`."""
    if not treated.profiles or not held_out.profiles:
        return Difference(treated=treated, held_out=held_out, value=None, low=None, high=None, verdict="too_few")
    low, high = newcombe(treated, held_out)
    value = treated.reached / treated.profiles - held_out.reached / held_out.profiles
    if min(treated.profiles, held_out.profiles) < ENOUGH:
        verdict = "too_few"
    elif low > 0:
        verdict = "better"
    else:
        verdict = "worse" if high < 0 else "no_difference"
    return Difference(treated=treated, held_out=held_out, value=value, low=low, high=high, verdict=verdict)


def people_needed(*, gap: float, spread: float, least: float, treated: int, held_out: int) -> int | None:
    """How many more people, in the proportion so far, show a difference of `gap` with 95 % confidence, 4 times in 5.

    `spread` is the variance of the difference for each person held out, `least` how many must be held out whatever
    the difference. None where nothing can be said, or where it would take more than ten million.
    """
    if not gap or not held_out or not treated:
        return None
    sure = NormalDist().inv_cdf(_CONFIDENCE) + NormalDist().inv_cdf(_POWER)
    wanted = max(spread * (sure / gap) ** 2, least)
    more = ceil(wanted * (1 + treated / held_out)) - treated - held_out
    return more if 0 < more <= MOST else None
