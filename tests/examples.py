"""How many examples a promise is tried with."""

import os

TIMES = float(os.environ.get("SPIRA_EXAMPLES", "1"))


def examples(count: int) -> int:
    """`count` in every run, which draws others each time; `make thorough` tries twenty times as many."""
    return max(1, round(count * TIMES))
