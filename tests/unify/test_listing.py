from __future__ import annotations

import pytest

from spira.kernel.errors import NotAllowed, NotFound
from spira.kernel.ids import show_profile
from spira.kernel.viewer import Viewer
from spira.testing.cores import StandInCore, fill
from spira.unify import people
from spira.unify.listing import Wanted, beside, contact_key
from spira.unify.unseal import unseal


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    made = StandInCore(tmp_path_factory.mktemp("core"))
    made.units = fill(made)
    yield made
    made.close()


def viewer(*roles: str, units: frozenset[int] | None = None) -> Viewer:
    return Viewer(staff_id="x", name="x", roles=frozenset(roles), units=units, language="en")


def test_a_list_says_of_each_what_was_asked_for(core):
    """Contact values come masked, the last purchase and tags only when they are wanted, for whoever asks."""
    lane = core.lane()
    for role in ("privacy_officer", "analyst"):
        plain = beside(lane, core.vault, viewer(role), [7, 8], Wanted())
        assert plain[7].email == "p***"
        assert (plain[7].phone, plain[7].last_order_at, dict(plain[7].tags)) == (None, None, {})
    more = beside(lane, core.vault, viewer("analyst"), [7, 8], Wanted(orders=True, tags=("orders_90d", "gone")))
    assert dict(more[8].tags) == {"orders_90d": 8 % 7}
    newest = lane.value("select max(ts) from profile_events where profile_id = 8 and event = 'Order Completed'")
    assert more[8].last_order_at == newest
    assert beside(lane, core.vault, viewer("analyst"), [], Wanted(orders=True)) == {}


def test_people_are_called_by_their_number(core):
    """A row has the user id that the brand knows the person by."""
    assert [row.number for row in people.rows(core.lane(), core.vault, viewer("analyst"), [7, 8])] == ["h7", "h8"]


def test_one_value_is_opened_for_who_may_see_it(core):
    """The one who is to be told is told before; the value is that of the address in use."""
    told: list[str] = []
    value = unseal(core.lane(), core.vault, viewer("service"), 7, "email", on_show=told.append)
    assert value == "person7@example.com"
    assert told == [show_profile(7)]


def test_a_value_stays_sealed_for_everybody_else(core):
    """Another role is refused, another unit's person is not found, nor an address that there is not; nobody is told."""
    told: list[str] = []
    with pytest.raises(NotAllowed):
        unseal(core.lane(), core.vault, viewer("administrator"), 7, "email", on_show=told.append)
    for asked, kind in ((viewer("guide", units=frozenset({core.units["B"]})), "email"), (viewer("guide"), "phone")):
        with pytest.raises(NotFound):
            unseal(core.lane(), core.vault, asked, 7, kind, on_show=told.append)
    with pytest.raises(NotFound):
        unseal(core.lane(), core.vault, viewer("guide"), 7, "name", on_show=told.append)
    assert told == []
    assert contact_key(core.lane(), 7, "phone") is None
