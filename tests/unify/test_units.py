from __future__ import annotations

import pytest

from spira.kernel.errors import Conflict, NotFound
from spira.storage.state import METADATA
from spira.testing.states import empty_state
from spira.unify import units


@pytest.fixture
def state(tmp_path):
    with empty_state(tmp_path) as made:
        METADATA.create_all(made.engine)
        yield made


def test_below_a_unit_are_all_units_under_it_and_no_other(state):
    """A region holds its stores and their teams; a sibling region's stores are not among them."""
    brand = units.add_unit(state, code="brand", name="Brand")
    north = units.add_unit(state, code="north", name="North", parent_id=brand.unit_id)
    south = units.add_unit(state, code="south", name="South", parent_id=brand.unit_id)
    store = units.add_unit(state, code="1", name="Store 1", parent_id=north.unit_id)
    team = units.add_unit(state, code="1a", name="Team", parent_id=store.unit_id)
    assert units.below(state, north.unit_id) == {north.unit_id, store.unit_id, team.unit_id}
    assert units.below(state, south.unit_id) == {south.unit_id}
    assert units.codes(state)[0] == (brand.unit_id, "brand")


def test_a_code_is_taken_once_and_a_parent_must_exist(state):
    """Two units can't answer to one store's code, and none hangs in the air."""
    units.add_unit(state, code="1", name="Store 1")
    with pytest.raises(Conflict):
        units.add_unit(state, code="1", name="Another")
    with pytest.raises(NotFound):
        units.add_unit(state, code="2", name="Store 2", parent_id=99)
