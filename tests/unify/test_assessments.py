"""Impact assessments: kept for three years, due again, and what the law wants one of."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from spira.kernel.clock import FrozenClock
from spira.kernel.errors import Conflict, NotFound
from spira.storage import audit
from spira.testing.houses import NOON
from spira.testing.states import empty_state
from spira.unify import assessments
from spira.unify.rights import BadRequest

TODAY = NOON.date()
DAY = timedelta(days=1)


@pytest.fixture
def state(tmp_path):
    with empty_state(tmp_path) as opened:
        yield opened


def made(state, subject="purpose:marketing", **more):
    told = {"made_on": TODAY, "result": "go", "risks": "Too many messages", "measures": "Caps"}
    told |= {"review_on": TODAY + 365 * DAY, "zone": "UTC", "actor": "pia", **more}
    return assessments.record(state, FrozenClock(NOON), subject=subject, **told)


def test_an_assessment_can_not_be_deleted_within_three_years(state):
    """Not before they are over since it was written down, whatever day it is of; both are acts of the audit."""
    number = made(state, made_on=TODAY - 2000 * DAY)
    for days in (0, 365, 3 * 365):
        with pytest.raises(Conflict, match="three years"):
            assessments.delete(state, FrozenClock(NOON + days * DAY), number, actor="pia")
    assert [each.may_go for each in assessments.listed(state, NOON)] == [False]
    over = NOON + assessments.KEPT
    assert [each.may_go for each in assessments.listed(state, over)] == [True]
    assessments.delete(state, FrozenClock(over), number, actor="pia")
    assert assessments.listed(state, over) == []
    assert [row.action for row in audit.latest(state, limit=2)] == ["assessment.delete", "assessment.file"]
    with pytest.raises(NotFound):
        assessments.delete(state, FrozenClock(over), number, actor="pia")


def test_what_needs_an_assessment_says_whether_it_has_one_that_counts(state):
    """None, one that is due again, one that stands; the newest of a thing counts, what lacks one comes first."""
    made(state, "model:churn", made_on=TODAY - 400 * DAY, review_on=TODAY - 35 * DAY, result="stop")
    made(state, made_on=TODAY - 700 * DAY, review_on=TODAY - 300 * DAY)
    made(state, result="measures")
    needed = {"purpose:marketing": ("chooses",), "model:churn": ("scores",), "processor:Mailer": ("abroad",)}
    found = assessments.due(needed, assessments.listed(state, NOON), TODAY)
    assert [(each.subject, each.standing, each.result) for each in found] == [
        ("processor:Mailer", "none", None),
        ("model:churn", "outdated", "stop"),
        ("purpose:marketing", "stands", "measures"),
    ]
    assert assessments.due(needed, [], date.min)[0].standing == "none"


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "perhaps"},
        {"made_on": TODAY + DAY},
        {"review_on": TODAY},
        {"risks": " "},
        {"result": "measures", "measures": ""},
        {"measures": "x" * 4_001},
    ],
)
def test_what_is_wrong_is_refused(state, wrong):
    """An unknown result, days that can't be, and words that are missing or too many; nothing is written."""
    with pytest.raises(BadRequest):
        made(state, **wrong)
    assert assessments.listed(state, NOON) == []
