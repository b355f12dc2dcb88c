"""The map adds up to everyone, each tile's condition chooses its own people, and a few people are nobody's tile."""

from datetime import datetime, timedelta

import pytest

from spira.kernel.viewer import Viewer
from spira.measure import provinces as measured
from spira.measure.provinces import Provinces, provinces
from spira.segment.conditions.catalog import Catalog
from spira.segment.preview import preview
from spira.testing.houses import NOON, House
from spira.testing.workspaces import send, workspace

ANALYST = Viewer(staff_id="ann", name="Ann", roles=frozenset({"analyst"}))
READER = Viewer(staff_id="rea", name="Rea", roles=frozenset({"reader"}))
CATALOG = Catalog(traits={"province": "text", "city": "text"})
WRITTEN = (
    ("山东", None), ("山东省", None), (None, "青岛"), (None, "Qingdao"), ("370000", "杭州"), ("somewhere", "青岛"),
    (None, "O'Fallon"), ("Guangdong", None), (None, "深圳市"), (None, None), ("", "广州"),
)  # fmt: skip


@pytest.fixture
def house():
    with House() as made:
        yield made


def live(house, written, *, unit=None, bought=()):
    """People with the places given, numbered from one; those of `bought` ordered yesterday."""
    for person, (province, city) in enumerate(written, start=1):
        house.put("profiles", profile_id=person, unit_id=unit, first_seen=NOON, last_seen=NOON)
        for name, value in (("province", province), ("city", city)):
            if value is not None:
                house.put("traits", profile_id=person, name=name, value=value, at=NOON)
    for person in bought:
        house.say(person, "Order Completed", hours=-24)


def seen(house, viewer=ANALYST, declared=("province", "city")):
    """The map at noon."""
    return provinces(house.warehouse, viewer, as_of=NOON, declared=declared)


def chosen(house, condition):
    """How many people a condition chooses."""
    return preview(house.warehouse, CATALOG, READER, condition, as_of=NOON, vault=None).count


def counts(found):
    """(code, people, active) of each tile."""
    return [(each.code, each.people, each.active) for each in found.provinces]


def test_the_parts_add_up_to_everyone(house):
    """A province written in four ways is one; a city counts where no province is told; the rest is unknown."""
    live(house, WRITTEN, bought=(1, 3, 8, 10))
    found = seen(house)
    assert counts(found) == [("37", 5, 2), ("44", 2, 1)]
    assert (found.unknown, found.unknown_active) == (4, 1)


def test_each_tile_opens_its_own_people(house):
    """The condition of a tile, in the language for who, chooses as many people as the tile says."""
    live(house, WRITTEN)
    for each in seen(house).provinces:
        assert chosen(house, each.condition) == each.people
    assert [each.condition for each in seen(house, declared=("city",)).provinces] == [None, None]


def test_a_text_with_a_quote_stays_a_text(house):
    """A place is written by strangers: a quote in it ends no text of the condition."""
    live(house, [(None, "Xi'an"), (None, "西安")])
    (only,) = seen(house, declared=("city",)).provinces
    assert only.condition == "city in ('Xi''an', '西安')"
    assert chosen(house, only.condition) == 2


def test_nobody_with_a_place_is_no_map(house):
    """Without a place, or with none that can be read, there is nothing to draw."""
    live(house, [(None, None)])
    assert seen(house) is None
    house.put("traits", profile_id=1, name="city", value="Paris", at=NOON)
    assert seen(house) is None


def test_staff_of_a_unit_see_their_own_people(house):
    """The map of a unit has the people of the unit."""
    live(house, [("山东", None)] * 3, unit=7)
    house.put("profiles", profile_id=50, unit_id=8, first_seen=NOON, last_seen=NOON)
    house.put("traits", profile_id=50, name="province", value="广东", at=NOON)
    theirs = Viewer(staff_id="gus", name="Gus", roles=frozenset({"guide"}), units=frozenset({7}))
    assert counts(seen(house, theirs)) == [("37", 3, 0)]
    assert seen(house, theirs).unknown == 0


def test_a_reader_is_told_of_no_few_people(house):
    """A province of four is unknown to a reader, and so is a part of a province that leaves a few."""
    live(house, [("山东", None)] * 9 + [("广东", None)] * 4 + [("江苏", None)] * 6 + [(None, None)] * 2, bought=(1, 2))
    found = seen(house, READER)
    assert counts(found) == [("37", 9, None), ("32", 6, 0)]
    assert (found.unknown, found.unknown_active) == (6, None)


def test_an_unknown_rest_of_a_few_takes_a_province_with_it(house):
    """What is left over never says how few a hidden province has."""
    live(house, [("山东", None)] * 9 + [("江苏", None)] * 6 + [("广东", None)] * 2)
    found = seen(house, READER)
    assert counts(found) == [("37", 9, 0)]
    assert found.unknown == 8
    house.warehouse.execute("delete from traits where value <> '广东'")
    assert seen(house, READER) is None


def test_rare_texts_beyond_the_commonest_are_unknown(house, monkeypatch):
    """Free text has no end: only so many ways of writing are read, and the sum still holds."""
    monkeypatch.setattr(measured, "COMMONEST", 1)
    live(house, [("山东", None)] * 3 + [("广东", None)])
    found = seen(house)
    assert counts(found) == [("37", 3, 0)]
    assert found.unknown == 1


def test_a_whole_workspace_tells_its_provinces(tmp_path):
    """From what clients send to the tiles: traits that were told, orders, and the figures of the cockpit."""
    plan = (
        "tracking: shop\ntraits: {province: text, city: text}\nevents:\n"
        "  Order Completed: {properties: {revenue: money}}\n"
    )
    now = datetime(2026, 3, 1)
    with workspace(tmp_path, {"tracking/shop.yaml": plan}, at=now) as core:
        at = (now - timedelta(days=3)).isoformat() + "Z"
        calls = [
            {"type": "identify", "userId": f"u{n}", "messageId": f"i{n}", "timestamp": at, "traits": traits}
            for n, traits in enumerate([{"province": "浙江省"}, {"city": "宁波"}, {"city": "Hangzhou"}, {}])
        ]
        calls.append({"type": "track", "event": "Order Completed", "userId": "u1", "messageId": "o", "timestamp": at,
                      "properties": {"revenue": 1}})  # fmt: skip
        send(core, calls)
        core.refresh()
        found = provinces(core.lane(), ANALYST, as_of=core.clock.now(), declared=("province", "city"))
        assert isinstance(found, Provinces)
        assert (counts(found), found.unknown) == ([("33", 3, 1)], 1)
        asked = preview(
            core.lane(), core.catalog, ANALYST, found.provinces[0].condition, as_of=core.clock.now(), vault=core.vault
        )
        assert asked.count == 3
