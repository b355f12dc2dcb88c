"""Rights: requests, their deadlines, and what is kept of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.kernel.clock import FrozenClock, local
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.settings import Settings
from spira.storage import audit
from spira.storage.keys import new_keys
from spira.testing.houses import NOON
from spira.testing.states import empty_state
from spira.unify import rights
from spira.unify.rights import BadRequest, Sought

KEYS = new_keys()
ANN = KEYS.subject_key("email", "ann@example.com")
SETTINGS = Settings()
DAY = timedelta(days=1)


@pytest.fixture
def state(tmp_path):
    with empty_state(tmp_path) as opened:
        yield opened


def filed(state, right="access", *, clock=None, key=ANN, **more):
    return rights.file_request(
        state,
        KEYS,
        clock or FrozenClock(NOON),
        settings=SETTINGS,
        right=right,
        subject_key=key,
        origin="preferences",
        actor="person",
        **more,
    )


def test_a_request_is_filed_with_its_deadline_and_written_down(state):
    """It is open, owed by its law's deadline, and an act of the audit that names nobody."""
    request = filed(state)
    assert (request.status, request.law, request.due_at) == ("open", "pipl", rights.deadline(NOON, "pipl", SETTINGS))
    assert rights.one(state, request.request_id) == request
    row = audit.latest(state, limit=1)[0]
    assert (row.action, row.subject, row.actor) == ("rights.file", request.request_id, "person")


@given(st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)), st.sampled_from(rights.LAWS), st.booleans())
def test_a_deadline_is_a_midnight_after_enough_days(at, law, extended):
    """Fifteen working days, thirty days or forty-five, and more when extended; it ends at a midnight of the zone."""
    due = rights.deadline(at, law, SETTINGS, extended=extended)
    zone = SETTINGS.workspace.zone
    here = local(due, zone)
    assert (here.hour, here.minute, here.second) == (0, 0, 0)
    first = local(at, zone).date()
    days = [first + DAY * each for each in range(1, (here.date() - first).days)]
    if law == "pipl":
        assert sum(each.weekday() < 5 for each in days) == (30 if extended else 15)
        assert days[-1].weekday() < 5
    else:
        assert len(days) == {"gdpr": (30, 90), "ccpa": (45, 90)}[law][extended]


def test_asking_again_for_what_is_open_gives_the_same_request(state):
    """A second press of the button files nothing; another right, and one that was answered, do."""
    first = filed(state)
    assert filed(state) == first
    assert filed(state, "erasure") != first
    rights.close(state, KEYS, FrozenClock(NOON), first.request_id, actor="paula")
    assert filed(state) != first


def test_what_is_pressing_stands_first_and_what_was_answered_last(state):
    """Open requests come by their deadline, answered ones after them; a search narrows the list."""
    clock = FrozenClock(NOON)
    late = filed(state, "access", clock=clock, law="gdpr")
    soon = filed(state, "erasure", clock=clock)
    done = filed(state, "restriction", clock=clock)
    rights.close(state, KEYS, clock, done.request_id, actor="paula")
    assert [each.request_id for each in rights.listed(state, limit=9)] == [
        each.request_id for each in (soon, late, done)
    ]
    assert [each.right for each in rights.listed(state, limit=9, sought=Sought(status="done"))] == ["restriction"]
    assert rights.listed(state, limit=9, sought=Sought(asked_keys=["0" * 32])) == []
    assert len(rights.listed(state, limit=9, sought=Sought(asked_keys=[ANN], right="access"))) == 1


def test_what_the_person_wrote_is_sealed(state, tmp_path):
    """Corrections and notes come out again with the keys, and no file has them in clear."""
    request = filed(state, "correction", note="my street is wrong", corrections={"street": "Harbour Lane 5"})
    assert rights.details_of(state, KEYS, request).corrections == {"street": "Harbour Lane 5"}
    state.settle()
    assert all(b"Harbour" not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_deadline_is_extended_once_and_an_answer_given_once(state):
    """The second time is refused, and a refusal without a reason is none."""
    clock = FrozenClock(NOON)
    request = filed(state, law="gdpr")
    later = rights.extend(state, clock, request.request_id, settings=SETTINGS, actor="paula")
    assert later.due_at == request.due_at + 60 * DAY
    with pytest.raises(Conflict):
        rights.extend(state, clock, request.request_id, settings=SETTINGS, actor="paula")
    with pytest.raises(BadRequest):
        rights.close(state, KEYS, clock, request.request_id, actor="paula", refused=True)
    refused = rights.close(
        state, KEYS, clock, request.request_id, actor="paula", refused=True, answer="not who they say"
    )
    assert (refused.status, rights.details_of(state, KEYS, refused).answer) == ("refused", "not who they say")
    with pytest.raises(Conflict):
        rights.close(state, KEYS, clock, request.request_id, actor="paula")


def test_a_request_says_when_it_is_late(state):
    """Until its deadline it is not; after it, it is, unless it was answered before."""
    clock = FrozenClock(NOON)
    request = filed(state)
    assert not request.is_late(request.due_at)
    assert request.is_late(request.due_at + timedelta(seconds=1))
    done = rights.close(state, KEYS, clock, request.request_id, actor="paula")
    assert not done.is_late(request.due_at + DAY)


@pytest.mark.parametrize(
    ("right", "more"),
    [
        ("flight", {}),
        ("correction", {}),
        ("access", {"corrections": {"a": "b"}}),
        ("access", {"note": "x" * 2_001}),
        ("correction", {"corrections": {"a": "b" * 501}}),
    ],
)
def test_what_can_not_be_filed_is_said(state, right, more):
    """An unknown right, a correction of nothing, and texts that are too long are refused, and nothing is kept."""
    with pytest.raises(BadRequest):
        filed(state, right, **more)
    assert rights.listed(state, limit=9) == []


def test_a_request_nobody_filed_is_not_found(state):
    """An unknown id is answered as such."""
    with pytest.raises(NotFound):
        rights.one(state, "req_0")
