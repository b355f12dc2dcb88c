"""Two or three audiences beside each other: who is in which, and what sets each apart."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.kernel.viewer import Viewer
from spira.segment.audience_compare import compare
from spira.segment.conditions.catalog import Catalog
from spira.testing.cores import ROOT
from spira.testing.houses import House, two_audiences

NOW = datetime(2026, 3, 20, 15, 30)
NEAR = Viewer(staff_id="n", name="N", roles=frozenset({"guide"}), units=frozenset({1}))


@pytest.fixture(scope="module")
def house():
    with House() as made:
        yield made


def test_two_audiences_lie_beside_each_other(house):
    """Only the one, only the other, both; and what either has more of."""
    two_audiences(house, since=NOW)
    found = compare(house.warehouse, ROOT, ("a", "b"), Catalog(tags={"taste": "text"}))
    assert [(each.within, each.people) for each in found.regions] == [(("a",), 40), (("b",), 40), (("a", "b"), 20)]
    assert [(each.audience, each.members) for each in found.audiences] == [("a", 60), ("b", 60)]
    assert [[more.value for more in each.more] for each in found.audiences] == [["tea"], ["coffee"]]
    assert found.people == 100


@settings(max_examples=examples(25))
@given(st.lists(st.sets(st.sampled_from("abc")), min_size=1, max_size=12))
def test_three_audiences_are_told_apart_as_sets_are(house, homes):
    """Every region has those who are in exactly its audiences, for the whole brand and for a unit."""
    house.clear()
    for person, names in enumerate(homes, 1):
        house.put("profiles", profile_id=person, unit_id=1 + person % 2, first_seen=NOW, last_seen=NOW)
        for name in names:
            house.put("members", audience=name, profile_id=person, since=NOW)
    for viewer, step in ((ROOT, 1), (NEAR, 2)):
        seen = [names for person, names in enumerate(homes, 1) if step == 1 or (1 + person % 2) in viewer.units]
        found = compare(house.warehouse, viewer, ("a", "b", "c"), Catalog())
        assert len(found.regions) == 7
        for each in found.regions:
            assert each.people == sum(names == set(each.within) for names in seen)
        for each in found.audiences:
            assert each.members == sum(each.audience in names for names in seen)
