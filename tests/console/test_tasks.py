"""What an operator does in a week, done by hand in a real browser: at a desk in Chinese, on a telephone in English."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from pyotp import TOTP
from tests.console.browsing import chromium, needs_chromium, serving, signed_in, sync_api
from tests.console.world import World

from spira.server.staff import by_email, set_preferences
from spira.testing.cores import PASSWORD, staff

pytestmark = [pytest.mark.browser, needs_chromium]
VIEWS = [(1440, "zh-CN"), (390, "en")]
NEW = "tulips by the old harbour"
Page = Any
expect = sync_api.expect


@pytest.fixture(scope="module", autouse=True)  # before the browser, whose loop then runs in this thread
def shop(open_world) -> Iterator[World]:
    """A world of these tests' own: they change it, each its own things."""
    with open_world("shop") as made:
        staff(made.core, "ann", "administrator", "operator")
        staff(made.core, "zoe", "operator")
        staff(made.core, "eve", "operator")
        yield made


@pytest.fixture(scope="module")
def place(shop) -> Iterator[str]:
    with serving(shop.core, shop.app) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module", params=VIEWS, ids=["desk-zh", "phone-en"])
def session(request, browser, place) -> tuple[int, str, Any]:
    """Ann's sign-in by the form: how wide, which language, and what her browser keeps."""
    width, language = request.param
    made = signed_in(browser, place, width=width, language=language)
    kept = made.context.storage_state()
    made.context.close()
    return width, language, kept


@pytest.fixture
def page(session, browser, place, shop) -> Iterator[Page]:
    """A page of Ann's; scripts must not have stumbled by the end."""
    width, language, kept = session
    ann = by_email(shop.core.state, "ann@example.com").staff_id
    set_preferences(shop.core.state, ann, language=language, theme=None)
    context = browser.new_context(viewport={"width": width, "height": 900}, storage_state=kept)
    made = context.new_page()
    said: list[str] = []
    made.on("pageerror", lambda error: said.append(str(error)))
    made.goto(place)
    yield made
    context.close()
    assert said == []


@pytest.fixture
def go(page, place) -> Callable[[str], None]:
    return lambda path: page.goto(place + path)


def look_for(page: Page, text: str) -> None:
    """Type into the search that every page has; narrow pages have it behind a button."""
    if page.locator("#search").is_visible():
        page.fill("#search", text)
        page.press("#search", "Enter")
        return
    page.click("a.tool[href='/search']")
    page.fill("#q", text)
    page.press("#q", "Enter")


def op(page: Page, value: str) -> Any:
    """A button of the builder, by what it does."""
    return page.locator(f"#build button[name=op][value='{value}']").last


def language_of(page: Page) -> str:
    return str(page.get_attribute("html", "lang"))


def switch_language(page: Page) -> None:
    """By the button at the top, which is on every page."""
    before = language_of(page)
    page.click("header.top button[name=language]")
    expect(page.locator("html")).not_to_have_attribute("lang", before)


def test_why_somebody_gets_no_message_is_found_from_the_search_box(page, shop):
    """A user id leads to the person, who has a reason where no message goes and none where one does."""
    look_for(page, "user_id:u4")
    page.wait_for_url(f"**/people/{shop.person('u4')}")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("section[aria-labelledby=reach] .pill.bad")).to_be_visible()
    page.click("a[href='#standings']")
    expect(page.locator("section[aria-labelledby=standings] .pill.bad").first).to_be_in_viewport()
    look_for(page, "user_id:u7")
    page.wait_for_url(f"**/people/{shop.person('u7')}")
    expect(page.locator("section[aria-labelledby=reach] .pill.good")).to_be_visible()


def test_an_audience_is_built_saved_and_found(page, go):
    """Added by search, its words changed, an alternative added and undone; named, planned, applied, and in the list."""
    name = f"often_{language_of(page)[:2]}"
    count = page.locator("#answer .count")
    go("/audiences/new")
    op(page, "adding:r").click()
    page.fill("#looking-for", "orders_90d")
    page.locator("#build .chip[title=orders_90d]").click()
    value = page.locator("#build input[name$=':value']")
    value.fill("1")
    expect(count).to_have_text(re.compile(r"\d"))
    few = count.inner_text()
    page.locator("#build select[name$=':op']").select_option("=")
    expect(page.locator("#condition")).to_have_value("orders_90d = 1")
    expect(count).not_to_have_text(few)
    page.locator("#build select[name$=':op']").select_option(">=")
    value.fill("5")
    expect(page.locator("#condition")).to_have_value("orders_90d >= 5")
    many = count.inner_text()
    op(page, "adding:r").or_(page.locator("#build button.add")).last.click()
    page.fill("#looking-for", "lapsed")
    page.locator("#build .chip[title=lapsed]").click()
    expect(page.locator("#condition")).to_have_value(re.compile("in_audience"))
    page.locator("#build select[name$=':join']").first.select_option("any")
    expect(page.locator("#condition")).to_have_value(re.compile(" or "))
    expect(count).not_to_have_text(many)
    for before in ("orders_90d >= 5 and in_audience('lapsed')", "orders_90d >= 5"):
        op(page, "undo").click()
        expect(page.locator("#condition")).to_have_value(before)
    expect(count).to_have_text(many)
    page.locator("#build .save > summary").click()
    page.fill("#name", name)
    page.fill("#label_en", name)
    page.click("button[value=save]")
    expect(page.locator("form.confirm")).to_be_visible()
    expect(page.locator(".changes .moved b").first).to_have_text(many)
    page.click("form.confirm button.first")
    page.wait_for_url(f"**/audiences/{name}?done=*")
    expect(page.locator("pre.condition")).to_have_text("orders_90d >= 5")
    go("/audiences")
    expect(page.locator(f"table.audiences a[href='/audiences/{name}']")).to_be_visible()


def test_a_tags_value_leads_to_its_people_in_the_builder(page, go):
    """The row of a value has as many people as the builder counts for it."""
    go("/tags")
    page.click("main a[href='/tags/lifecycle']")
    row = page.locator("table.spread tbody tr").first
    people = row.locator("td.num").first.inner_text()
    row.locator("a").first.click()
    page.wait_for_url("**/audiences/new?condition=*")
    expect(page.locator("#condition")).to_have_value(re.compile("^lifecycle = "))
    expect(page.locator("#answer .count")).to_have_text(people)


def test_a_journey_is_read_with_those_held_out(page, go, shop):
    """Its steps unfold; its report sets everybody who was written to against those held out."""
    go("/journeys")
    page.click("main a[href='/journeys/win_back']")
    step = page.locator("li.step.send").first
    step.locator("summary").first.click()
    expect(step.locator("dl.facts").first).to_be_visible()
    page.click("nav.tabbed a[href='/journeys/win_back/report']")
    rows = page.locator("section[aria-labelledby=worth] tbody tr")
    expect(rows).to_have_count(2)
    goals = shop.get("/api/journeys/win_back/report").json()["goals"]
    expect(rows.nth(0).locator("td.num").first).to_have_text(str(goals["treated"]["profiles"]))
    expect(rows.nth(1).locator("td.num").first).to_have_text(str(goals["held_out"]["profiles"]))


def test_a_template_is_seen_as_a_person_and_sent_to_oneself(page, go, shop):
    """The preview is of the person that was looked for; the test message arrives at one's own address."""
    go("/templates/we_miss_you")
    before = len(shop.inbox.messages)
    page.fill("form.pick #q", "user_id:u7")
    page.press("form.pick #q", "Enter")
    page.locator(f"ul.found a[href$='{shop.person('u7')}']").click()
    page.wait_for_url("**as=p_*")
    frame = page.frame_locator("figure.desk iframe")
    expect(frame.locator("body")).not_to_be_empty()
    page.click("form[action='/templates/we_miss_you/test'] button")
    page.wait_for_url("**done=*")
    expect(page.locator("main .note.good")).to_be_visible()
    assert len(shop.inbox.messages) == before + 1
    assert shop.inbox.messages[-1].to == "ann@example.com"


def test_a_withheld_delivery_says_why(page, go):
    """The list is narrowed by a click; one of its lines leads to the check that stopped the message."""
    go("/deliveries")
    page.click("nav.chips a[href*='state=withheld']")
    page.wait_for_url("**state=withheld*")
    expect(page.locator("table.sheet .pill").first).to_be_visible()
    page.locator("table.sheet tbody a[href^='/deliveries/']").first.click()
    page.wait_for_url(re.compile(r"/deliveries/\d+$"))
    expect(page.locator("main .pill.bad")).to_have_count(1)


def test_a_refused_event_says_what_to_do(page, go):
    """From the list to the event as it came, with the steps to make it right."""
    go("/quarantine")
    page.locator("table.sheet tbody a[href^='/quarantine/']").first.click()
    expect(page.locator("pre.raw").first).to_contain_text("userId")
    expect(page.locator("ol.next li").first).to_be_visible()
    page.locator("ol.next a[href^='/sources/']").click()
    page.wait_for_url("**/sources/*")


def test_a_new_sources_key_is_shown_once_and_works(page, go, place, shop):
    """What is sent with the key that was shown is on the live page after the next tick."""
    name = f"till-{language_of(page)[:2].lower()}"
    go("/sources")
    page.click("main a[href='/sources/new']")
    page.fill("#name", name)
    page.click("main button.first")
    key = page.inner_text("#key")
    body = {"type": "track", "event": "Order Completed", "userId": "u7", "messageId": f"first-{name}",
            "timestamp": f"{shop.core.clock.now():%Y-%m-%dT%H:%M:%SZ}",
            "properties": {"order_id": f"first-{name}", "revenue": 9.5}}  # fmt: skip
    assert httpx.post(f"{place}/v1/track", json=body, auth=(key, ""), trust_env=False).status_code == 200
    shop.core.tick()
    page.click(f"main a[href='/live?source={name}']")
    event = page.locator("#events li").first
    expect(event.locator(f"a[href='/people/{shop.person('u7')}']")).to_be_visible()
    event.locator("summary").click()
    expect(event).to_contain_text(f"first-{name}")
    go(f"/sources/{name}")
    assert key not in page.content()


def test_a_definition_is_changed_and_taken_back(page, go):
    """The plan says whom it moves; once applied it is in the history, and going back asks for the number."""
    path = "/definitions/audience/new_customers"
    go(f"{path}?")
    before = page.input_value("#text")
    page.fill("#text", before.replace("< 60", "< 200"))
    page.click("button.first >> nth=-1")
    expect(page.locator(".changes .mono", has_text="new_customers").first).to_be_visible()
    expect(page.locator(".changes .moved b").first).to_have_text(re.compile(r"^[\d,]+$"))
    page.click("form.confirm button.first")
    page.wait_for_url(f"**{path}?done=*")
    expect(page.locator("#text")).to_have_value(re.compile("< 200"))
    go("/definitions/history")
    generations = page.locator("table.sheet tbody a[href^='/definitions/history/']")
    expect(page.locator("table.sheet tbody tr").first).to_contain_text("new_customers")
    number = generations.nth(1).get_attribute("href").rsplit("/", 1)[1]
    generations.nth(1).click()
    page.click("form[action='/definitions/draft'] button")
    go_back = page.locator("form.confirm button.first")
    expect(go_back).to_be_disabled()
    page.fill("#sure", number)
    go_back.click()
    page.wait_for_url("**done=*")
    go(path)
    expect(page.locator("#text")).to_have_value(before)


def test_a_colleague_is_invited_sees_what_the_role_allows_and_leaves(page, go, browser, place):
    """The link sets a password and signs in; the rail has only the role's pages; afterwards nothing opens."""
    email = f"kim-{language_of(page)[:2].lower()}@example.com"
    go("/staff")
    page.click("main a[href='/staff/new']")
    page.fill("#name", "Kim")
    page.fill("#email", email)
    page.check("input[name=roles][value=reader]")
    page.click("main button.first")
    link = page.inner_text("#link")
    theirs = browser.new_context().new_page()
    theirs.goto(link)
    theirs.fill("#password", NEW)
    theirs.click("button.first")
    theirs.wait_for_url(f"{place}/**")
    expect(theirs.locator("nav.rail a[href='/staff']")).to_have_count(0)
    expect(theirs.locator("nav.rail a[href='/people']")).to_have_count(0)
    assert theirs.goto(f"{place}/staff").status == 403
    page.click("main .act a")
    if not re.search(r"/staff/\w+$", page.url):
        page.locator("table.sheet tr", has_text=email).locator("a").click()
    page.fill("#confirm-end", email)
    page.click("form[action$='/end'] button")
    page.wait_for_url("**done=*")
    theirs.goto(f"{place}/cockpit")
    expect(theirs.locator("#email")).to_be_visible()
    theirs.fill("#email", email)
    theirs.fill("#password", NEW)
    theirs.click("button.first")
    expect(theirs.locator(".note.bad")).to_be_visible()
    theirs.context.close()


def test_an_audience_is_taken_as_a_file_and_that_is_written_down(page, go, shop):
    """The file has a line for each member it says; the audit says who took it."""
    go("/audiences/lapsed")
    page.select_option("#purpose", "analysis")
    with page.expect_download() as begun:
        page.click("form.export button")
    with begun.value.path().open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == shop.get("/api/audiences/lapsed/facts").json()["standing"]["members"] > 0
    go("/audit")
    expect(page.locator("main")).to_contain_text("lapsed")


@pytest.mark.parametrize(("name", "width", "language"), [("zoe", 1440, "zh-CN"), ("eve", 390, "en")])
def test_a_second_factor_is_enrolled_and_asked_for(browser, place, name, width, language):
    """The code of the telephone turns it on; from then on the password alone opens nothing."""
    page = signed_in(browser, place, width=width, language=language, name=name)
    page.goto(f"{place}/account")
    page.click("main a[href='/account/second-factor']")
    page.click("form[action='/account/second-factor'] button")
    secret = page.inner_text("#secret").replace(" ", "")
    page.fill("#code", TOTP(secret).now())
    page.click("form[action$='/confirm'] button.first")
    spare = page.inner_text("#codes").split()[0]
    page.context.clear_cookies()
    page.goto(f"{place}/sign-in?next=/people")
    page.fill("#email", f"{name}@example.com")
    page.fill("#password", PASSWORD)
    page.click("button.first")
    page.wait_for_url("**/sign-in/code*")
    page.fill("#code", "000000")
    page.click("button.first")
    expect(page.locator(".note.bad")).to_be_visible()
    page.fill("#code", spare)
    page.click("button.first")
    page.wait_for_url(f"{place}/people")
    page.context.close()


def test_another_language_keeps_what_was_built(page, go):
    """A condition that was typed, counted and never saved is still there in the other language, and after reloading."""
    go("/audiences/new?condition=orders_90d+%3E+1")
    page.fill("#condition", "orders_90d >= 5\nand not in_audience('lapsed')")
    expect(page).to_have_url(re.compile("lapsed"))
    count = page.inner_text("#answer .count")
    switch_language(page)
    expect(page.locator("#condition")).to_have_value(re.compile(r"orders_90d >= 5\s+and not in_audience\('lapsed'\)"))
    expect(page.locator("#answer .count")).to_have_text(count)
    page.reload()
    expect(page.locator("#condition")).to_have_value(re.compile("lapsed"))
    switch_language(page)


def test_another_language_keeps_filters_and_never_leads_nowhere(page, go):
    """A narrowed list stays narrowed; the answer to a form is asked for again with what it was sent."""
    go("/deliveries?state=withheld")
    switch_language(page)
    assert page.url.endswith("/deliveries?state=withheld")
    go("/definitions/audience/lapsed")
    page.fill("#text", page.input_value("#text").replace(">= 30", ">= 31"))
    page.click("form[action='/definitions/draft'] >> nth=0 >> button.first")
    expect(page.locator("form.confirm")).to_be_visible()
    switch_language(page)
    expect(page.locator("form.confirm")).to_be_visible()
    expect(page.locator("main")).to_contain_text(">= 31")


def test_without_script_another_language_keeps_what_was_built(browser, place):
    """The builder's answer to a plain form leads back to the builder with its condition."""
    page = signed_in(browser, place, java_script_enabled=False)
    page.goto(f"{place}/audiences/new")
    page.fill("#condition", "orders_90d >= 5")
    page.click("button[value=update] >> nth=1")
    switch_language(page)
    expect(page.locator("#condition")).to_have_value("orders_90d >= 5")
    page.context.close()
