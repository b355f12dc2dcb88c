"""Incidents: the clock from their noticing, who was told, what they can't be closed without, sealed words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from spira.kernel.clock import FrozenClock
from spira.kernel.errors import Conflict, NotFound
from spira.kernel.settings import RightsSettings
from spira.storage import audit, resealing
from spira.storage.keys import new_keys
from spira.testing.houses import NOON
from spira.testing.states import empty_state
from spira.unify import incidents
from spira.unify.incidents import INCIDENTS, Facts
from spira.unify.rights import BadRequest

KEYS = new_keys()
TERMS = RightsSettings(pipl_incident_hours=10)
HOUR = timedelta(hours=1)
FACTS = Facts(
    kind="leak",
    data=["location", "contact"],
    people=None,
    happened_at=NOON - 30 * HOUR,
    happened="The list of 13912345678 was sent to the wrong house",
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    with empty_state(tmp_path_factory.mktemp("incidents")) as made:
        yield made


@pytest.fixture
def state(opened):
    with opened.write() as connection:
        connection.execute(sa.delete(INCIDENTS))
    return opened


def filed(state, facts=FACTS, *, noticed_at=NOON - 4 * HOUR, law="pipl"):
    return incidents.file(
        state, KEYS, FrozenClock(NOON), facts, noticed_at=noticed_at, law=law, terms=TERMS, actor="pia"
    )


def told(state, made, whom, *, at=None, clock=NOON, needed=True, words="By letter, no. 7"):
    return incidents.tell(
        state, KEYS, FrozenClock(clock), made.incident_id, whom=whom, needed=needed, at=at, words=words, actor="pia"
    )


def acts(state, made):
    return [(row.action, row.detail) for row in audit.latest(state, limit=50) if row.subject == made.incident_id][::-1]


def test_the_clock_of_an_incident_runs_from_when_it_was_noticed(state):
    """Writing it down hours later gives no hour more; each law has its hours, and the GDPR's are 72."""
    made = filed(state)
    assert (made.due_at, made.filed_at) == (NOON + 6 * HOUR, NOON)
    assert filed(state, law="gdpr").due_at == NOON + 68 * HOUR
    assert not made.is_late(made.due_at)
    assert made.is_late(made.due_at + HOUR)
    assert (made.data, made.sensitive) == (("contact", "location"), True)
    assert not filed(state, replace(FACTS, data=["orders"])).sensitive


def test_telling_the_authority_late_stays_late(state):
    """Once told in time it is never late; told after its deadline it is for good, and the audit says so."""
    in_time, late = filed(state), filed(state)
    in_time = told(state, in_time, "authority", at=NOON + HOUR, clock=NOON + 99 * HOUR)
    late = told(state, late, "authority", clock=NOON + 7 * HOUR)
    assert not in_time.is_late(NOON + 99 * HOUR)
    assert late.is_late(NOON + 99 * HOUR)
    assert acts(state, late)[-1] == ("incident.told", {"whom": "authority", "needed": True, "late": True})


def test_an_incident_is_closed_only_when_nothing_is_missing(state):
    """The authority, the people, how many, and what was done; then nothing of it can be changed any more."""
    made = filed(state)
    assert made.missing(incidents.words_of(state, KEYS, made)) == ("authority", "people", "count", "measures")
    with pytest.raises(Conflict, match="`authority`, `people`, `count`, `measures` is missing"):
        incidents.close(state, KEYS, FrozenClock(NOON), made.incident_id, actor="pia")
    told(state, made, "authority")
    told(state, made, "people", needed=False, words="They were sealed")
    known = replace(FACTS, people=12, measures="It was given back")
    incidents.revise(state, KEYS, FrozenClock(NOON), made.incident_id, known, actor="pia")
    assert acts(state, made)[-1] == ("incident.revise", {"changed": ["measures", "people"], "people": 12})
    done = incidents.close(state, KEYS, FrozenClock(NOON + HOUR), made.incident_id, actor="paul")
    assert (done.closed_at, done.closed_by, done.persons, done.persons_at) == (NOON + HOUR, "paul", "not_needed", None)
    words = incidents.words_of(state, KEYS, done)
    assert (words.measures, words.people, words.authority) == (
        "It was given back",
        "They were sealed",
        "By letter, no. 7",
    )
    for change in (
        lambda: told(state, made, "people"),
        lambda: incidents.revise(state, KEYS, FrozenClock(NOON), made.incident_id, known, actor="pia"),
        lambda: incidents.close(state, KEYS, FrozenClock(NOON), made.incident_id, actor="pia"),
    ):
        with pytest.raises(Conflict, match="is closed"):
            change()


def test_what_is_wrong_is_refused(state):
    """Unknown kinds and data, times that can't be, no words, and an authority that the PIPL wants told."""
    for wrong in (
        {"kind": "theft"},
        {"data": []},
        {"data": ["shoes"]},
        {"people": -1},
        {"happened": "  "},
        {"cause": "x" * 2_001},
        {"happened_at": NOON - HOUR},
    ):
        with pytest.raises(BadRequest):
            filed(state, replace(FACTS, **wrong))
    with pytest.raises(BadRequest, match="in the future"):
        filed(state, noticed_at=NOON + HOUR)
    with pytest.raises(BadRequest, match="no law"):
        filed(state, law="none")
    made = filed(state)
    for wrong in (
        {"whom": "press"},
        {"whom": "people", "words": " "},
        {"whom": "people", "at": NOON - 5 * HOUR},
        {"whom": "people", "at": NOON + HOUR},
        {"whom": "authority", "needed": False},
    ):
        with pytest.raises(BadRequest):
            told(state, made, **wrong)
    assert told(state, filed(state, law="gdpr"), "authority", needed=False).authority == "not_needed"
    with pytest.raises(NotFound):
        incidents.one(state, "inc_nobody")


def test_the_most_pressing_stands_first(state):
    """Open ones by their deadline, then the closed ones."""
    later, sooner = filed(state, law="gdpr"), filed(state)
    done = filed(state, replace(FACTS, people=1, measures="Done"), noticed_at=NOON - 9 * HOUR)
    told(state, done, "authority"), told(state, done, "people")
    incidents.close(state, KEYS, FrozenClock(NOON), done.incident_id, actor="pia")
    found = [each.incident_id for each in incidents.listed(state, limit=9)]
    assert found == [each.incident_id for each in (sooner, later, done)]
    assert len(incidents.listed(state, limit=2)) == 2


def test_what_staff_wrote_is_sealed_and_sealed_again_with_a_new_key(state):
    """A number that slipped into the words is in no column and no row of the audit; a new key opens it as before."""
    made = filed(state)
    told(state, made, "people", words="13912345678 was rung")
    with state.read() as connection:
        kept = str(connection.execute(sa.select(INCIDENTS)).all())
    assert "13912345678" not in kept + str(acts(state, made))
    newer = replace(KEYS, sealing={**KEYS.sealing, 2: b"2" * 32}, current=2)
    while resealing.step(state, newer):
        pass
    assert incidents.words_of(state, newer, made).people == "13912345678 was rung"


def test_who_looked_at_an_older_version_changes_nothing(state):
    """Two open one incident; the first writes, the second is told so and takes no word away; looking again helps."""
    made = filed(state)
    first = replace(FACTS, cause="A wrong address")
    incidents.revise(state, KEYS, FrozenClock(NOON), made.incident_id, first, actor="pia", version=made.version)
    late = replace(FACTS, harm="None that is known")
    with pytest.raises(Conflict, match="somebody else has written"):
        incidents.revise(state, KEYS, FrozenClock(NOON), made.incident_id, late, actor="tom", version=made.version)

    now = incidents.one(state, made.incident_id)
    words = incidents.words_of(state, KEYS, now)
    assert (now.version, words.cause, words.harm) == (2, "A wrong address", "")
    told(state, now, "authority")
    assert incidents.one(state, made.incident_id).version == 3


def test_a_change_between_reading_and_writing_is_refused(state, monkeypatch):
    """Even without a version nobody takes away words that were written while theirs were sealed."""
    made = filed(state)
    read = incidents.words_of

    def overtaken(*given):
        found = read(*given)
        with state.write() as connection:
            connection.execute(sa.update(INCIDENTS).values(version=INCIDENTS.c.version + 1))
        return found

    monkeypatch.setattr(incidents, "words_of", overtaken)
    with pytest.raises(Conflict, match="somebody else has written"):
        incidents.revise(state, KEYS, FrozenClock(NOON), made.incident_id, FACTS, actor="pia")
