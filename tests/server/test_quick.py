"""The quick way to the facts: as the framework's route answers, and never more than the token may read."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import anyio
import httpx
import pytest

from spira.kernel.ids import show_profile
from spira.segment import facts_copy
from spira.server import sessions
from spira.server.api.facts import OPT
from spira.server.app import asgi
from spira.server.staff import by_email
from spira.testing.cores import NOON, staff
from spira.unify.facts import Scope


@pytest.fixture
def asked(app, core):
    """What a token of somebody with a role is answered: `asked("ann", "operator")("user_id:h1")`."""
    whole = httpx.ASGITransport(app=asgi(app, core), raise_app_exceptions=False)

    async def get(path, head):
        async with httpx.AsyncClient(transport=whole, base_url="http://spira.test") as client:
            return await client.get(path, headers=head)

    def of(name, role, *, scope=None, unit_id=None, days=None):
        made = staff(core, name, role, unit_id=unit_id)
        token = sessions.make_token(core.state, made.staff_id, name="app", at=NOON, scope=scope, days=days)
        head = {"authorization": f"Bearer {token}"}
        return lambda text, end="/facts": anyio.run(get, f"/api/profiles/{quote(text, safe='')}{end}", head)

    return of


def copy(core, at=NOON):
    facts_copy.compute(core.house.warehouse, core.facts, at)


def test_the_copy_and_the_warehouse_answer_the_same(core, asked):
    """Before the copy is made and after, by each kind of name, answers and headers are the same; nobody is 404."""
    ann = asked("ann", "operator")
    texts = ("user_id:h1", "email:PERSON1@example.com", show_profile(1), show_profile(10_001), "user_id:nobody", "?")
    before = [ann(text) for text in texts]
    copy(core)
    after = [ann(text) for text in texts]
    assert [each.status_code for each in after] == [200, 200, 200, 200, 404, 404]
    assert [each.json() for each in before] == [each.json() for each in after]
    assert after[0].json()["tags"]["orders_90d"] == 1
    assert after[0].json()["as_of"] == "2026-03-01T12:00:00.000Z"
    assert set(before[0].headers) == set(after[0].headers)


def test_an_answer_says_of_which_refresh_it_is(core, asked):
    """What came since the refresh is in the next one's answer, which says so."""
    ann = asked("ann", "operator")
    copy(core)
    core.house.warehouse.execute("insert into members values ('lapsed', 2, ?)", [NOON])
    core.house.warehouse.execute("insert into membership_changes values (9999, 'lapsed', 2, true, ?)", [NOON])
    assert ann("user_id:h2").json()["audiences"] == []
    copy(core, NOON + timedelta(minutes=1))
    told = ann("user_id:h2").json()
    assert (told["as_of"], told["audiences"]) == ("2026-03-01T12:01:00.000Z", ["lapsed"])


def test_a_token_with_a_scope_reads_facts_within_it_and_nothing_else(core, asked):
    """The address of the whole person answers with the facts; every other route is closed, and so is the list."""
    app = asked("ann", "operator", scope=Scope(tags=("lifecycle",), audiences=(), consents=False))
    copy(core)
    told = [app("user_id:h1").json(), app(show_profile(1), "").json()]
    assert told[0] == told[1]
    assert set(told[0]["tags"]) == {"lifecycle"}
    assert (told[0]["audiences"], told[0]["consents"]) == ([], [])
    core.facts.usable = False
    assert app("user_id:h1").json() == told[0]
    assert app(show_profile(1), "").json() == told[0]
    for path in ("/notes", "/why", "/identity"):
        assert app(show_profile(1), path).status_code == 403
    assert app("", "").status_code in (403, 404)


def test_a_token_taken_back_is_refused_at_once(core, asked):
    """So is one whose maker's access ended, and one that is over; a role without people is refused."""
    copy(core)
    ann = asked("ann", "operator")
    assert ann("user_id:h1").status_code == 200
    owner = by_email(core.state, "ann@example.com").staff_id
    sessions.revoke_token(core.state, owner, sessions.tokens_of(core.state, owner)[0].id)
    assert ann("user_id:h1").status_code == 401
    assert asked("reader", "reader")("user_id:h1").status_code == 403


def test_a_token_that_is_over_is_refused_though_it_was_just_good(core, asked, wall):
    """The end of a token counts to the second."""
    copy(core)
    ann = asked("ann", "operator", days=1)
    wall.step(timedelta(days=1, seconds=-1))
    assert ann("user_id:h1").status_code == 200
    wall.step(timedelta(seconds=2))
    assert ann("user_id:h1").status_code == 401


def test_a_guide_is_told_of_their_own_stores_people(core, asked):
    """Another store's person is as unknown as nobody."""
    copy(core)
    guide = asked("gus", "guide", unit_id=core.units["B"])
    assert [guide(f"user_id:h{number}").status_code for number in (3, 1)] == [200, 404]


def test_facts_are_counted_apart(core, asked):
    """They take nothing of the other requests' number, and have one of their own."""
    copy(core)
    security = core.settings.security.model_copy(update={"requests_per_minute": 30, "facts_per_minute": 60})
    core.settings = core.settings.model_copy(update={"security": security})
    ann = asked("ann", "operator")
    codes = [ann("user_id:h1").status_code for _ in range(61)]
    assert codes == [200] * 60 + [429]
    assert ann("user_id:h1").json()["code"] == "E005"
    assert OPT["cost"] == "facts"
