"""Audiences' pages: whose people are counted, who sees whom, what leaves and how it is written down."""

from __future__ import annotations

import csv
import io
from pathlib import PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.console.drawings import RINGS_HEIGHT, RINGS_WIDTH, rings
from spira.definitions.apply import Applied
from spira.definitions.workspace import read_definitions
from spira.engage.audience_export import ADDRESS, MARK
from spira.engage.sheets import cell
from spira.kernel.viewer import SYSTEM
from spira.storage.audit import latest
from spira.unify import exports

PICKED = {"purpose": "marketing", "channel": "email"}
MINE = "select count(*) from members join profiles using (profile_id) where audience = 'waverers' and unit_id = ?"


def _sheet(answer):
    assert answer.status_code == 200, answer.text[:500]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def _export(world, **form):
    return world.post("/audiences/reachable_by_email/export", data=form)


def test_the_list_says_how_many_and_finds_by_words(english):
    """Each audience with its members; the search looks at labels of both languages, and says when it finds none."""
    page = english("/audiences")
    assert "Reachable by e-mail" in page
    assert ">45<" in page
    found = english("/audiences?q=沉睡")
    assert "Lapsed" in found
    assert "Reachable by e-mail" not in found
    assert "No audience matches" in english("/audiences?q=zzz")


def test_an_audience_can_be_sorted_by_name_and_by_size(english):
    """By name `Champions` stands before `Reachable by e-mail`; by size after it."""
    by_name, by_size = english("/audiences?sort=name"), english("/audiences?sort=members")
    assert by_name.index(">Champions<") < by_name.index(">Reachable by e-mail<")
    assert by_size.index(">Champions<") > by_size.index(">Reachable by e-mail<")


def test_a_workspace_without_audiences_offers_three_to_begin_with(signed_in):
    """The empty list leads to the builder with a condition already in it."""
    page = signed_in("ada", "administrator").get("/audiences").text
    assert page.count('href="/audiences/new?condition=') == 3


def test_an_audience_tells_its_story(english):
    """Figures, the condition, reach with reasons, whom it overlaps with, and who uses it."""
    page = english("/audiences/reachable_by_email")
    for said in ("75.0% of 60 people", "consented(", "Reach", "Overlap", 'href="/audiences/reachable_by_email/edit"'):
        assert said in page
    assert 'href="/journeys/win_back"' in english("/audiences/lapsed")


def test_members_come_page_by_page(world):
    """Following `next` meets every member once, the latest first."""
    path, seen = "/api/audiences/reachable_by_email/members?limit=20", []
    answer = world.get(path).json()
    while True:
        seen += answer["members"]
        if answer["next"] is None:
            break
        answer = world.get(path, params={"limit": 20, "before": answer["next"]}).json()
    assert len({each["profile_id"] for each in seen}) == len(seen) == 45
    assert [each["since"] for each in seen] == sorted((each["since"] for each in seen), reverse=True)
    assert world.get(path, params={"before": "nonsense"}).status_code == 404


@pytest.fixture
def stand_in(core):
    """The stand-in core with one applied audience, of every second person."""
    text = "audience: waverers\nlabel: {zh-CN: 犹豫, en: Waverers}\nwho: orders_90d > 2"
    read = read_definitions([(PurePath("all.yaml"), text)], core.settings)
    core.applied = Applied(generation=1, definitions=read.definitions)
    return core


def test_figures_and_people_are_those_of_the_viewers_unit(stand_in, signed_in):
    """A guide counts, lists and may explain the members of their own store, and nobody else."""
    ours = stand_in.units["B"]
    mine = stand_in.lane().value(MINE, [ours])
    client = signed_in("gus", "guide", unit_id=ours)
    found = client.get("/api/audiences/waverers/facts").json()
    assert 0 < mine == found["standing"]["members"] == found["reach"][0]["people"] < 60
    members = client.get("/api/audiences/waverers/members").json()["members"]
    assert {each["unit_id"] for each in members} == {ours}
    assert len(members) == mine
    why = "/api/audiences/waverers/why?identifier=user_id:h{}"
    assert client.get(why.format(3)).status_code == 200
    assert client.get(why.format(1)).status_code == 404


@pytest.mark.usefixtures("stand_in")
def test_a_reader_sees_figures_and_no_members(signed_in):
    """Who sees figures only gets the page without members, changes, form and export, and no such answers."""
    client = signed_in("rae", "reader")
    page = client.get("/audiences/waverers").text
    assert "/people/p_" not in page
    assert "/export" not in page
    assert 'name="identifier"' not in page
    facts = client.get("/api/audiences/waverers/facts").json()
    assert (facts["standing"]["members"], facts["members"], facts["changes"]) == (60, None, [])
    assert client.get("/api/audiences/waverers/members").status_code == 403
    assert client.get("/api/audiences/waverers/why?identifier=user_id:h1").status_code == 403


@pytest.mark.parametrize("role", ["reader", "guide", "data_engineer"])
def test_only_some_roles_may_take_a_list(stand_in, signed_in, form_token, role):
    """A reader, a guide and a data engineer take nothing away."""
    client = signed_in("x", role)
    form = {"purpose": "analysis", "csrf": form_token("/audiences/waverers")}
    assert client.post("/audiences/waverers/export", data=form).status_code == 403
    assert not [each for each in latest(stand_in.state, limit=20) if each.action == "audience.export"]


def test_addresses_leave_only_on_a_wish_of_who_may_see_them(stand_in, signed_in, form_token):
    """Service takes the addresses of its own store's members, and that they were in clear is written down."""
    ours = stand_in.units["B"]
    client = signed_in("sue", "service", unit_id=ours)
    form = {**PICKED, "csrf": form_token("/audiences/waverers")}
    assert ADDRESS not in _sheet(client.post("/audiences/waverers/export", data=form))[0]
    clear = {**form, "contacts": "yes"}
    assert client.post("/audiences/waverers/export", data=clear).status_code == 422
    reason = "letters, asked for by 13912345678"
    head, *rows = _sheet(client.post("/audiences/waverers/export", data={**clear, "reason": reason}))
    assert head[-2:] == [ADDRESS, MARK]
    assert len(rows) == stand_in.lane().value(MINE, [ours])
    assert "person3@example.com" in {row[-2] for row in rows}
    masked, taken = sorted(exports.latest(stand_in.state, limit=3), key=lambda each: each.in_clear)
    assert {row[-1] for row in rows} == {taken.export_id}
    assert (taken.people, taken.in_clear, masked.in_clear) == (len(rows), True, False)
    assert taken.reason.startswith("letters")
    assert "13912345678" not in taken.reason
    (year,) = exports.years(stand_in.state)
    assert (year.exports, year.people, year.in_clear) == (2, len(rows), 1)
    act = latest(stand_in.state, limit=1)[0]
    assert (act.detail["in_clear"], act.detail["columns"][-2], act.detail["rows"]) == (True, ADDRESS, len(rows))
    assert "@" not in str(act.detail)


def test_why_somebody_is_in_is_told_part_by_part(world):
    """Person 7 allowed e-mail and is in; person 8 was never asked and is not; an unknown one is not found."""
    path = "/api/audiences/reachable_by_email/why"
    inside = world.get(path, params={"identifier": "user_id:u7"}).json()
    assert (inside["since"] is not None, inside["reason"]["holds"]) == (True, True)
    outside = world.get(path, params={"identifier": "user_id:u8"}).json()
    assert (outside["since"], outside["reason"]["holds"]) == (None, False)
    assert world.get(path, params={"identifier": "user_id:nobody"}).status_code == 404


def test_the_page_explains_by_a_form(world):
    """The form gives the same page with the answer in it, and keeps what was typed when nobody is found."""
    english = {"cookie": "spira_language=en"}
    page = world.post("/audiences/lapsed/why", data={"identifier": "user_id:u7"}, headers=english)
    assert page.status_code == 200
    assert 'class="reasons"' in page.text
    missed = world.post("/audiences/lapsed/why", data={"identifier": "user_id:nobody"}, headers=english)
    assert missed.status_code == 404
    assert 'value="user_id:nobody"' in missed.text


def test_a_list_for_writing_has_only_those_who_allow_it_and_is_written_down(world):
    """For marketing forty-five leave, masked, with the tags that were asked for; the audit has count and columns."""
    head, *rows = _sheet(_export(world, **PICKED, tag=["orders_90d"]))
    assert head == ["id", "name", "unit", "since", "orders_90d"]
    assert len(rows) == 45
    assert not any(said in str(rows) for said in ("Person", "@"))
    act = latest(world.core.state, limit=1)[0]
    assert (act.action, act.subject) == ("audience.export", "reachable_by_email")
    assert act.detail["rows"] == 45
    assert act.detail["columns"] == head
    assert act.detail["purpose"] == "marketing"


def test_a_list_of_people_who_never_allowed_it_is_empty(world):
    """Nobody of the lapsed who was not asked leaves for marketing, though all leave for analysis."""
    every = _sheet(world.post("/audiences/lapsed/export", data={"purpose": "analysis"}))
    allowed = _sheet(world.post("/audiences/lapsed/export", data=PICKED))
    held = world.get("/api/audiences/lapsed").json()["count"]
    assert len(every) - 1 == held
    known = {row["profile_id"] for row in world.get("/api/audiences/reachable_by_email/members").json()["members"]}
    assert {row[0] for row in allowed[1:]} == {row[0] for row in every[1:]} & known


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"purpose": "fun"},
        {"purpose": "marketing"},
        {"purpose": "marketing", "channel": "pigeon"},
        {"purpose": "analysis", "tag": ["no_such_tag"]},
        {**PICKED, "contacts": "yes"},
    ],
)
def test_a_wish_that_is_not_whole_is_refused_on_the_page(world, form):
    """Without purpose or channel, with an unknown tag, or with addresses an administrator may not see: no file."""
    answer = _export(world, **form)
    assert answer.status_code in (403, 409)
    assert answer.headers["content-type"].startswith("text/html")
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1+1", "@sum", "\tx", "\rx"])
def test_no_cell_is_a_formula(evil):
    """A text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers, told as text or not."""
    assert cell(evil) == f"'{evil}"
    assert (cell(-1), cell("-1"), cell(-1.5), cell(None), cell("a=b")) == ("-1", "-1", "-1.5", "", "a=b")


def test_a_comparison_adds_up(english):
    """The three parts of two audiences are drawn and told."""
    page = english("/audiences/compare?one=lapsed&two=reachable_by_email")
    assert 'class="rings"' in page
    assert "In both" in page
    three = english("/audiences/compare?one=lapsed&two=reachable_by_email&three=champions")
    assert "In all three" in three
    assert three.count('<circle class="three"') == 5
    assert "no audience `nothing` is applied" in english("/audiences/compare?one=lapsed&two=nothing")


def test_rings_share_what_the_sets_share():
    """Equal sets lie on each other, strangers side by side, a part within the whole."""
    same, apart, within = rings([5, 5], [5]), rings([5, 5], [0]), rings([10, 5], [5])
    assert same[0] == same[1]
    assert apart[1].x - apart[0].x == pytest.approx(apart[0].radius + apart[1].radius, abs=0.2)
    assert within[1].x - within[0].x <= within[0].radius - within[1].radius + 0.2


@given(st.lists(st.integers(0, 50), min_size=7, max_size=7).filter(any))
def test_three_rings_lie_within_the_drawing(parts):
    """Whatever the counts, every circle is whole in it, the largest set the largest."""
    a, b, c, ab, ac, bc, abc = parts
    sizes = [a + ab + ac + abc, b + ab + bc + abc, c + ac + bc + abc]
    found = rings(sizes, [ab + abc, ac + abc, bc + abc])
    for ring in found:
        assert ring.x - ring.radius + 0.2 >= 0
        assert ring.x + ring.radius <= RINGS_WIDTH + 0.2
        assert ring.y - ring.radius + 0.2 >= 0
        assert ring.y + ring.radius <= RINGS_HEIGHT + 0.2
    assert found[sizes.index(max(sizes))].radius == max(ring.radius for ring in found)


def test_an_audience_is_frozen_and_split(fresh_world):
    """Its members keep the tag when the audience has others; an arm is the same when it is split once more."""
    core = fresh_world.core
    tags = "tag: kept\nmanual: flag\n---\ntag: arm\nmanual: choice\nvalues: {A: Mail, B: Post}\n"
    more = "audience: kept_once\nwho: kept\n---\naudience: by_mail\nwho: arm = 'A'\n"
    core.apply(SYSTEM, edits={PurePath("tags/kept.yaml"): tags, PurePath("audiences/kept.yaml"): more})
    core.refresh()
    form = fresh_world.get("/audiences/lapsed/keep").text
    assert 'name="share.arm.A"' in form
    wrong = fresh_world.post("/audiences/lapsed/split", data={"tag": "arm", "seed": "spring", "share.arm.A": "120"})
    assert wrong.status_code == 422
    assert 'value="120"' in wrong.text
    assert fresh_world.post("/audiences/lapsed/freeze", data={"tag": "kept"}, follow_redirects=False).status_code == 303
    told = {"tag": "arm", "seed": "spring", "shares": {"A": 50, "B": 40}}
    split = fresh_world.post("/api/audiences/lapsed/split", json=told).json()
    core.refresh()
    members = {"lapsed": split["members"], "kept_once": split["members"], "by_mail": split["arms"]["A"]}
    for name, count in members.items():
        assert fresh_world.get(f"/api/audiences/{name}").json()["count"] == count
    again = fresh_world.post("/api/audiences/lapsed/split", json=told).json()
    assert (again["changed"], again["arms"]) == (0, split["arms"])
