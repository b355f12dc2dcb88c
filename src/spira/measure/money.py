"""What an action was worth in money: the mean per person of those treated, less that of those held out.

Means are compared with Welch's interval (B. L. Welch, Biometrika 34, 1947), which lets the two groups differ in
size and in spread. Money has a long tail: a few people make most of a sum, and a mean of few people is then far
from normal. Cochran's rule (Sampling Techniques, 3rd edition, 1977, section 2.15) says how many a mean needs:
more than 25 times the square of the skewness. Below that, as below thirty people, no difference is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist

from spira.measure.experiments import ENOUGH, people_needed

COCHRAN = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyArm:
    """One group, and what its people paid; somebody who paid nothing counts as 0."""

    people: int = field(default=0, metadata={"help": "people in the group"})
    paying: int = field(default=0, metadata={"help": "those of them who paid at all"})
    total: float = field(default=0.0, metadata={"help": "what they paid together, refunds taken off"})
    mean: float | None = field(default=None, metadata={"help": "per person, those who paid nothing included"})
    deviation: float | None = field(default=None, metadata={"help": "the standard deviation of it"})
    skewness: float | None = field(default=None, metadata={"help": "how long its tail is; None where all are alike"})

    @property
    def least(self) -> float | None:
        """How many people its mean needs to be trusted; None where nobody can say."""
        if self.skewness is None:
            return ENOUGH if self.people and self.paying == self.people else None
        return max(ENOUGH, COCHRAN * self.skewness**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyDifference:
    """Treated minus held out, per person and for all treated, each with its 95 % interval."""

    treated: MoneyArm = field(metadata={"help": "those who may be written to"})
    held_out: MoneyArm = field(metadata={"help": "those who are not, to compare with"})
    value: float | None = field(metadata={"help": "the difference of the means; None where a group is empty"})
    low: float | None = field(metadata={"help": "the lower end of its 95 % interval"})
    high: float | None = field(metadata={"help": "the upper end"})
    total: float | None = field(metadata={"help": "the same for everyone treated: what the journey brought in"})
    total_low: float | None = field(metadata={"help": "the lower end of its 95 % interval"})
    total_high: float | None = field(metadata={"help": "the upper end"})
    verdict: str = field(metadata={"help": "too_few, too_uneven, no_difference, better or worse"})
    more_needed: int | None = field(
        metadata={"help": "how many more people would show the difference seen; None where that can't be said"}
    )


def money_difference(treated: MoneyArm, held_out: MoneyArm) -> MoneyDifference:
    """Compare what two groups paid; the verdict claims nothing of groups too small or too uneven for a mean."""
    if treated.deviation is None or held_out.deviation is None or treated.mean is None or held_out.mean is None:
        return _nothing(treated, held_out)
    low, high = welch(treated, held_out)
    value = treated.mean - held_out.mean
    verdict = _verdict(treated, held_out, low, high)
    return MoneyDifference(
        treated=treated,
        held_out=held_out,
        value=value,
        low=low,
        high=high,
        total=value * treated.people,
        total_low=low * treated.people,
        total_high=high * treated.people,
        verdict=verdict,
        more_needed=None if verdict in ("better", "worse") else _more(treated, held_out, value),
    )


def welch(treated: MoneyArm, held_out: MoneyArm, *, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of `treated.mean - held_out.mean`; both groups must hold at least two people."""
    first, second = _squared_error(treated), _squared_error(held_out)
    gap = (treated.mean or 0.0) - (held_out.mean or 0.0)
    if not first + second:
        return gap, gap
    freedom = (first + second) ** 2 / (first**2 / (treated.people - 1) + second**2 / (held_out.people - 1))
    reach = student(freedom, confidence=confidence) * sqrt(first + second)
    return gap - reach, gap + reach


def student(freedom: float, *, confidence: float = 0.95) -> float:
    """The two-sided quantile of Student's t (Abramowitz and Stegun, 1972, 26.7.5); exact to 0.001 from 8 up."""
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def _squared_error(arm: MoneyArm) -> float:
    return (arm.deviation or 0.0) ** 2 / arm.people


def _verdict(treated: MoneyArm, held_out: MoneyArm, low: float, high: float) -> str:
    if min(treated.people, held_out.people) < ENOUGH:
        return "too_few"
    if any(arm.least is None or arm.people < arm.least for arm in (treated, held_out)):
        return "too_uneven"
    if low > 0:
        return "better"
    return "worse" if high < 0 else "no_difference"


def _more(treated: MoneyArm, held_out: MoneyArm, value: float) -> int | None:
    if treated.least is None or held_out.least is None or treated.deviation is None or held_out.deviation is None:
        return None
    times = treated.people / held_out.people
    return people_needed(
        gap=value,
        spread=treated.deviation**2 / times + held_out.deviation**2,
        least=max(held_out.least, treated.least / times),
        treated=treated.people,
        held_out=held_out.people,
    )


def _nothing(treated: MoneyArm, held_out: MoneyArm) -> MoneyDifference:
    return MoneyDifference(
        treated=treated,
        held_out=held_out,
        value=None,
        low=None,
        high=None,
        total=None,
        total_low=None,
        total_high=None,
        verdict="too_few",
        more_needed=None,
    )
