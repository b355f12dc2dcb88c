"""The builder: sentences and text are one condition, with and without script."""

from __future__ import annotations

import html
import json
import re

import pytest

from spira.console.pages import builder as builder_page
from spira.kernel.i18n import catalogue
from spira.kernel.kept import Kept
from spira.segment.conditions.faults import CODES

NEW = "/audiences/new"


def field(page, name):
    """The value that a form's input, select or textarea has."""
    found = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*value="([^"]*)"', page)
    if found is None:
        found = re.search(rf'<textarea[^>]*name="{re.escape(name)}"[^>]*>([^<]*)<', page)
    if found is None:
        inside = re.search(rf'<select[^>]*name="{re.escape(name)}"[^>]*>(.*?)</select>', page, re.DOTALL)
        found = re.search(r'<option value="([^"]*)" selected', inside.group(1)) if inside else None
    return None if found is None else html.unescape(found.group(1))


def form(page):
    """Everything that the builder's form would send, as a browser does."""
    inside = page[page.index('<form id="build"') : page.index("</form>", page.index('<form id="build"'))]
    names = set(re.findall(r'<(?:input|select|textarea)[^>]*name="([^"]+)"', inside))
    return {name: field(inside, name) or "" for name in names}


@pytest.fixture
def builder(signed_in):
    client = signed_in("ann", "administrator", "operator")

    def send(page, **changed):
        return client.post("/audiences/build", data={**form(page), **changed}).text

    send.client = client
    return send


def condition_of(page):
    return field(page, "condition")


def test_a_condition_is_built_by_buttons_alone(builder):
    """Without script: look for a tag, add it, change its value, add an alternative, take it out, undo."""
    page = builder.client.get(NEW).text
    page = builder(page, op="adding:r", looking_for="life")
    assert 'value="add:r:tag:lifecycle"' in page
    assert 'value="add:r:tag:orders_90d"' not in page
    for said in ("下单", "Bought"):  # what an operator calls a completed order, whatever its label is
        assert 'value="add:r:did:Order Completed"' in builder(page, op="adding:r", looking_for=said)
    page = builder(page, op="add:r:tag:lifecycle")
    assert condition_of(page).startswith("lifecycle = '")
    page = builder(page, **{"f:r.0:value": "lapsed"})
    assert condition_of(page) == "lifecycle = 'lapsed'"
    page = builder(page, op="add:r.0+:tag:orders_90d")
    assert condition_of(page) == "lifecycle = 'lapsed' or orders_90d >= 1"
    page = builder(page, op="remove:r.0")
    assert condition_of(page) == "orders_90d >= 1"
    page = builder(page, op="undo")
    assert condition_of(page) == "lifecycle = 'lapsed' or orders_90d >= 1"


def test_what_is_typed_counts_over_what_is_in_the_sentences(builder):
    """The text that was changed wins, and its sentences follow."""
    page = builder.client.get(NEW, params={"condition": "orders_90d >= 5"}).text
    assert ">34</div>" in page
    page = builder(page, condition="orders_90d >= 6")
    assert field(page, "f:r.0:value") == "6"
    assert condition_of(page) == "orders_90d >= 6"


def test_a_part_says_what_the_whole_page_says(builder):
    """What htmx swaps in is what the whole page contains."""
    page = builder.client.get(NEW, params={"condition": "orders_90d >= 5"}).text
    sent = form(page)
    whole = builder.client.post("/audiences/build", data=sent).text
    part = builder.client.post("/audiences/build", data=sent, headers={"hx-request": "true"}).text
    assert part.strip().startswith('<form id="build"')
    without_time = [re.sub(r"\d+\.\d ms", "", each) for each in (whole, part)]
    assert without_time[1].strip() in without_time[0]


def test_a_fault_keeps_the_condition_and_points_at_it(builder):
    """A wrong condition stays in the box, the caret stands under the wrong word, and nothing of it is markup."""
    page = builder.client.get(NEW, params={"condition": "<b> = 1"}).text
    assert "&lt;b&gt; = 1</textarea>" in page
    assert "<b> = 1" not in page
    assert '<pre class="fault"' in page


def test_a_fault_is_told_in_the_language_of_the_page(builder, form_token):
    """Every code of the language has its words in Chinese, with the name in question, its place, and what was meant."""
    client = builder.client
    client.post("/me/preferences", data={"csrf": form_token("/cockpit"), "language": "zh-CN"})
    page = client.get(NEW, params={"condition": "orders_9d >= 5"}).text
    shown = page.split('id="fault" tabindex="0">')[1].split("</pre>")[0]
    assert "error[D305]: 没有这个标签、预测或资料: `orders_9d`" in shown
    assert "^^^^^^^^^" in shown
    assert "= 是不是 `orders_90d`？" in shown
    assert "there is no" not in page
    assert {f"condition_fault.{code}" for code in CODES} <= set(catalogue("spira.console", "zh-CN"))


def test_a_sentence_shows_its_own_fault(builder):
    """The row that is wrong says so beside itself; its neighbours don't."""
    page = builder.client.get(NEW, params={"condition": "lifecycle = 'a' and orders_90d >= 'many'"}).text
    rows = page.split('id="row-r.')[1:]
    assert 'class="problem"' not in rows[0]
    assert 'class="problem"' in rows[1]


@pytest.mark.parametrize("op", ["nonsense", "add:r:tag:none", "remove:r.9", "up:x", "place:r.0:99", "filter:r.0:x:y"])
def test_an_operation_there_is_not_changes_nothing(builder, op):
    """A form that is older than the page, or made by hand, leaves the condition as it is."""
    page = builder.client.get(NEW, params={"condition": "orders_90d >= 5"}).text
    assert condition_of(builder(page, op=op)) == "orders_90d >= 5"


def test_the_past_is_only_ever_texts(builder):
    """What a form says was before is believed as far as it is a list of texts."""
    page = builder.client.get(NEW, params={"condition": "orders_90d >= 5"}).text
    for past in ("nonsense", "{}", json.dumps([1, None]), "[[[[" * 100):
        assert condition_of(builder(page, op="undo", past=past)) == "orders_90d >= 5"


def test_old_addresses_lead_to_the_builder(builder):
    """The preview's address goes on to the builder with its condition."""
    answer = builder.client.get("/audiences/preview?condition=orders_90d+%3E+1", follow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["location"] == "/audiences/new?condition=orders_90d+%3E+1"


def test_values_are_those_of_the_viewers_own_people(signed_in, core):
    """Whoever belongs to a store is told the values of its people; a reader only what several share."""
    client = signed_in("gil", "guide", unit_id=core.units["B"])
    told = client.get("/api/audiences/values", params={"of": "tag:lifecycle"}).json()["values"]
    everyone = core.house.warehouse.value("select count(*) from profiles where unit_id = $unit",
                                          {"unit": core.units["B"]})  # fmt: skip
    assert sum(each["profiles"] for each in told) == everyone
    assert client.get("/api/audiences/values", params={"of": "tag:none"}).json()["values"] == []
    assert client.get("/api/audiences/values", params={"of": "property:Order Completed:store_id"}).status_code == 200


def test_a_reader_is_told_no_value_of_a_few(signed_in, core):
    """A value that fewer than five people have is not offered to who sees figures only."""
    core.house.warehouse.execute("update tags set lifecycle = 'rare' where profile_id = 7")
    client = signed_in("rae", "reader")
    told = client.get("/api/audiences/values", params={"of": "tag:lifecycle"}).json()["values"]
    assert "rare" not in {each["value"] for each in told}
    assert {"repeat", "lapsed"} <= {each["value"] for each in told}


def test_an_audience_beside_it_tells_the_overlap(world):
    """The overlap is counted by the same language: members, and those in both."""
    answer = world.get("/api/audiences/builder", params={"condition": "orders_total >= 1", "beside": "lapsed"}).json()
    members = world.get("/api/audiences/lapsed").json()["count"]
    assert answer["overlap"] == {"audience": "lapsed", "members": members, "both": members}


def test_the_api_edits_as_the_page_does(local):
    """Words and an operation give the next condition, with its sentences and its count."""
    change = {"condition": "orders_90d >= 5", "words": {"r.0:value": "6"}, "operation": "add:r:audience:waverers"}
    told = local.post("/api/audiences/builder", json=change).json()
    assert told["condition"] == "orders_90d >= 6 and in_audience('waverers')"
    assert [each["kind"] for each in told["row"]["parts"]] == ["fact", "member"]
    assert told["preview"]["count"] > 0
    assert local.post("/api/audiences/builder", json={**change, "operation": "explode"}).status_code == 422


def test_a_page_does_not_wait_for_a_count_that_takes_long(fresh_world, monkeypatch):
    """What is not counted in time is left open; the form then asks for it, with and without script."""
    fresh_world.core._kept = Kept(slow=0)
    monkeypatch.setattr(builder_page, "PATIENCE", -1.0)
    page = fresh_world.get(NEW, params={"condition": "orders_total >= 2"}).text
    assert 'class="count tabular skeleton"' in page
    assert 'hx-trigger="load"' in page
    answer = fresh_world.post("/audiences/build", data={**form(page), "op": "update"})
    assert "skeleton" not in answer.text
    assert 'class="count tabular"' in answer.text
    assert 'class="count tabular"' in fresh_world.get(NEW, params={"condition": "orders_total >= 2"}).text


def test_steps_lines_and_moves_have_sentences(builder):
    """Funnels, what was bought together and who moved are drawn as words, and come back as they were written."""
    told = {
        "funnel('Coupon Applied', 'Order Completed', total => '7 days') >= 2": 'name="f:r.0:step_more"',
        "bought_with('Order Completed', products.department = 'A', products.department = 'B')": 'id="row-r.0.f1"',
        "entered_audience('lapsed', within => '7 days')": 'value="entered_audience" selected',
        "streak('Order Completed', within => '30 days') >= 3": 'value="streak" selected',
        "ago(count_of('Order Completed'), '30 days') > 2": 'name="f:r.0:text"',
    }
    for condition, words in told.items():
        page = builder.client.get(NEW, params={"condition": condition}).text
        assert words in page, condition
        assert condition_of(builder(page, op="update")) == condition
    page = builder(builder.client.get(NEW).text, op="adding:r", looking_for="")
    told = re.findall(r'value="add:r:did:([^"]+)"', page)
    assert "Order Completed" in told[:3]  # the brand's own events stand before what Spira tells by itself
    assert condition_of(builder(page, op="add:r:moved")) == "entered_audience('lapsed', within => '7 days')"
