from __future__ import annotations

import pytest
import sqlalchemy as sa

from spira.kernel.errors import NotFound
from spira.kernel.viewer import Viewer
from spira.server import columns, preferences
from spira.server.errors import Unacceptable
from spira.server.staff import end_access
from spira.testing.cores import staff
from spira.testing.houses import NOON


def viewer(staff_id: str = "ann", *roles: str) -> Viewer:
    return Viewer(staff_id=staff_id, name=staff_id, roles=frozenset(roles or ("analyst",)), units=None, language="en")


def test_nothing_is_chosen_before_somebody_chooses(core):
    """A preference that nobody had is none, and a list shows its own columns."""
    assert preferences.names_in(core.state, "ann", "columns.people") is None
    found = columns.choice(core, viewer(), "people")
    assert not found.own
    assert found.shown == columns.SHEETS["people"].first


def test_a_choice_is_of_the_one_who_made_it(core):
    """What one chose, another does not see; choosing anew takes the place of what was chosen before."""
    preferences.keep_names(core.state, "ann", "columns.people", ["unit", "unit"], at=NOON)
    preferences.keep_names(core.state, "ann", "columns.people", ["email"], at=NOON)
    assert preferences.names_in(core.state, "ann", "columns.people") == ("email",)
    assert preferences.names_in(core.state, "bob", "columns.people") is None


def test_a_choice_is_given_up(core):
    """One preference or all of them can be given up; another's stay."""
    for who, name in (("ann", "a"), ("ann", "b"), ("bob", "a")):
        preferences.keep_names(core.state, who, name, ["x"], at=NOON)
    preferences.forget(core.state, "ann", "a")
    assert preferences.names_in(core.state, "ann", "a") is None
    assert preferences.names_in(core.state, "ann", "b") == ("x",)
    preferences.forget(core.state, "ann")
    assert preferences.names_in(core.state, "ann", "b") is None
    assert preferences.names_in(core.state, "bob", "a") == ("x",)


def test_who_has_no_access_any_more_has_no_preferences(core):
    """When somebody's access ends, what they preferred is not kept."""
    staff(core, "adam", "administrator")
    gone = staff(core, "ann", "analyst").staff_id
    preferences.keep_names(core.state, gone, "a", ["x"], at=NOON)
    end_access(core.state, gone, at=NOON)
    assert preferences.names_in(core.state, gone, "a") is None


def test_what_nobody_can_read_is_as_if_it_had_never_been(core):
    """A value that is no list of names counts as no choice."""
    preferences.keep_names(core.state, "ann", "a", ["x"], at=NOON)
    for value in ("{", '"x"', "7"):
        with core.state.write() as connection:
            connection.execute(sa.update(preferences.PREFERENCES).values(value=value))
        assert preferences.names_in(core.state, "ann", "a") is None


def test_too_much_is_refused(core):
    """Nobody keeps more than a preference may hold."""
    with pytest.raises(Unacceptable):
        preferences.keep_names(core.state, "ann", "a", [f"column-{number}" for number in range(1_000)], at=NOON)


def test_unknown_columns_are_passed_over(core):
    """A choice keeps only what is a column of the list, in the list's order; nothing chosen is a choice as well."""
    found = columns.choose(core, viewer(), "people", ["email", "nonsense", "tag:gone", "unit"])
    assert (found.shown, found.own) == (("unit", "email"), True)
    assert columns.choose(core, viewer(), "people", []).shown == ()
    assert columns.reset(core, viewer(), "people").shown == columns.SHEETS["people"].first


def test_who_serves_people_sees_what_serving_needs(core):
    """Guides and service see telephone and last purchase at first, others see them when they choose to."""
    for role in ("guide", "service"):
        assert {"phone", "last_order", "unit"} <= set(columns.choice(core, viewer("gus", role), "people").shown)
    assert "phone" not in columns.choice(core, viewer("ann", "guide", "administrator"), "people").shown


def test_a_list_is_for_whom_it_is(core):
    """A list that there is not, or that is of people for who sees figures only, is not found."""
    with pytest.raises(NotFound):
        columns.choice(core, viewer(), "nothing")
    with pytest.raises(NotFound):
        columns.choose(core, viewer("rae", "reader"), "people", ["unit"])


def test_every_list_shows_columns_that_it_has():
    """The columns of a default are columns of the list, each once, in its order."""
    for name, sheet in columns.SHEETS.items():
        assert len(set(sheet.columns)) == len(sheet.columns), name
        for first in (sheet.first, sheet.serving):
            assert [each for each in sheet.columns if each in first] == list(first), name


def test_a_choice_is_made_and_given_up_through_the_api(signed_in, form_token):
    """The columns of a list are read, chosen and reset as JSON; what is no list of names is refused."""
    ann = signed_in("ann", "analyst")
    token = {"x-csrf-token": form_token("/audiences")}
    first = ann.get("/api/lists/audiences/columns").json()
    assert not first["own"]
    chosen = ann.put("/api/lists/audiences/columns", json={"shown": ["owner", "members"]}, headers=token).json()
    assert (chosen["shown"], chosen["own"]) == (["members", "owner"], True)
    assert ann.put("/api/lists/audiences/columns", json={"shown": "owner"}, headers=token).status_code == 422
    assert ann.delete("/api/lists/audiences/columns", headers=token).json() == first
    assert ann.get("/api/lists/nothing/columns").status_code == 404
