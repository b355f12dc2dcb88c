from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.console.public import brand
from spira.engage import links, sharing
from spira.kernel import colours
from spira.kernel.i18n import negotiated
from spira.storage.log import Log

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HEX = st.from_regex(r"\A#[0-9a-f]{6}\Z")
ADDRESS = 10_001  # the first person's e-mail address, by its subject


@pytest.fixture
def core(core, tmp_path):
    core.log = Log.open(tmp_path / "log", core.keys)
    yield core
    core.log.close()


def made(core) -> links.Links:
    return links.Links(key=core.keys.derive(links.PURPOSE), base_url="")


def centre(core, subject: int = ADDRESS) -> str:
    return made(core).preferences(subject, core.clock.now())


def with_brand(core, **settings) -> None:
    workspace = core.settings.workspace.model_copy(update=settings)
    core.settings = core.settings.model_copy(update={"workspace": workspace})


def checked(page: str) -> list[str]:
    return re.findall(r'name="allow" value="([^"]+)" checked', page)


def test_unsubscribing_asks_first_and_needs_no_session_nor_script(client, core):
    """Looking changes nothing; the button does; the page says for whom, masked; no script, no cookie."""
    path = made(core).unsubscribe(1)
    start = core.log.end()
    page = client.get(path)
    assert page.status_code == 200
    assert "Sea &amp; Sons" in page.text
    assert '<bdi class="address">p***</bdi>' in page.text
    assert "example.com" not in page.text
    assert "<script" not in page.text
    assert core.log.end() == start
    done = client.post(path, data={"from_page": "1"})
    assert "You are unsubscribed" in done.text
    assert core.log.end() > start
    assert "set-cookie" not in {**page.headers, **done.headers}


def test_one_click_unsubscribing_works_as_mail_programs_post_it(client, core):
    """RFC 8058: a post of `List-Unsubscribe=One-Click` without any form token is enough, and is not redirected."""
    answer = client.post(made(core).unsubscribe(2), data={"List-Unsubscribe": "One-Click"}, follow_redirects=False)
    assert answer.status_code == 200
    assert "You are unsubscribed" in answer.text


def test_a_mistake_is_undone_on_the_same_page(client, core):
    """The button that takes it back carries a signed note; reloading sends nothing again."""
    done = client.post(made(core).unsubscribe(1), data={"from_page": "1"})
    said = re.search(r'name="said" value="([^"]+)"', done.text)[1]
    start = core.log.end()
    assert "You are unsubscribed" in client.get(str(done.url)).text
    assert core.log.end() == start
    back = client.post(f"{made(core).unsubscribe(1)}/again", data={"said": said})
    assert "You are subscribed again" in back.text
    assert core.log.end() > start


@pytest.mark.parametrize("hours", [0, 2])
def test_an_undoing_opens_nothing_that_was_closed(client, core, hours):
    """Without a note, with another's, and after an hour, it leads to the preferences and keeps nothing."""
    done = client.post(made(core).unsubscribe(2), data={"from_page": "1"})
    said = re.search(r'name="said" value="([^"]+)"', done.text)[1]
    core.clock.step(timedelta(hours=hours))
    start = core.log.end()
    for told in ("", "forged", said) if hours == 0 else (said,):
        path = made(core).unsubscribe(1 if hours == 0 else 2)
        answer = client.post(f"{path}/again", data={"said": told}, follow_redirects=False)
        assert answer.headers["location"].startswith("/p/")
    assert core.log.end() == start


def test_who_was_not_subscribed_is_told_so_and_not_offered_an_undoing(client, core):
    """Person 4 never agreed: nothing to confirm, and unsubscribing all the same gives nothing back."""
    path = made(core).unsubscribe(4)
    assert "You are not subscribed" in client.get(path).text
    done = client.post(path, data={"from_page": "1"}).text
    assert "That was a mistake" not in done


def test_a_reason_is_one_tap_and_only_one_of_ours(client, core):
    """It is thanked for; a made-up one is kept nowhere."""
    path = made(core).unsubscribe(1)
    start = core.log.end()
    assert client.post(f"{path}/reason", data={"reason": "<script>"}).status_code == 200
    assert core.log.end() == start
    done = client.post(path, data={"from_page": "1"})
    said = re.search(r'name="said" value="([^"]+)"', done.text)[1]
    told = client.post(f"{path}/reason", data={"reason": "too_many", "said": said})
    assert "Thank you" in told.text
    assert "That was a mistake" in told.text


def test_the_preferences_show_what_stands_and_keep_what_is_chosen(client, core):
    """Marketing needs a yes, service a no; what was chosen is shown on reloading though no stage has run."""
    path = centre(core)
    start = core.log.end()
    page = client.get(path)
    assert page.status_code == 200
    assert checked(page.text) == ["marketing.email", "service.email"]
    assert "Orders and account" in page.text
    assert core.log.end() == start
    saved = client.post(path, data={"allow": "service.email", "language": "zh-CN"})
    assert core.log.end() > start
    assert "已保存" in saved.text
    assert checked(saved.text) == ["service.email"]
    assert checked(client.get(str(saved.url)).text) == ["service.email"]


def test_everything_is_refused_with_one_button(client, core):
    """Whatever was checked; only what can't be refused stays on."""
    everything = client.post(centre(core), data={"allow": "marketing.email", "nothing": "1"})
    assert checked(everything.text) == []
    assert "Always on" in everything.text


def test_choosing_what_stands_already_writes_nothing(client, core):
    """Saving without a change is no new word."""
    start = core.log.end()
    page = client.post(centre(core), data={"allow": ["marketing.email", "service.email"]})
    assert "Your choices are in force" in page.text
    assert core.log.end() == start


def test_a_wrong_link_is_a_page_for_people_and_an_old_one_says_so(client, core):
    """404 for one we did not make, 410 for one that was too long ago or of somebody erased; never a cookie."""
    wrong = client.get("/p/nonsense")
    assert (wrong.status_code, "This link does not work" in wrong.text) == (404, True)
    assert client.get(made(core).unsubscribe(1)[:-1] + "!").status_code == 404
    old = made(core).preferences(ADDRESS, core.clock.now() - links.LIVES - timedelta(days=1))
    for path in (old, centre(core, 77_777)):
        page = client.get(path)
        assert (page.status_code, "This link is too old" in page.text) == (410, True)
    assert "set-cookie" not in wrong.headers
    assert client.post("/p/nonsense").status_code == 404


def test_public_pages_give_nothing_away(client, core):
    """No script may run, no search engine keeps them, no referrer leaves, no cookie is set, nothing is stored."""
    for path in (made(core).unsubscribe(1), centre(core), "/u/nonsense"):
        headers = client.get(path).headers
        assert "script-src" not in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert "noindex" in headers["x-robots-tag"]
        assert headers["cache-control"] == "no-store"
        assert "set-cookie" not in headers


def test_the_language_is_the_one_asked_for_or_the_persons_or_the_browsers(client, core):
    """`?lang` first, then the person's trait, then Accept-Language, then the brand; a cookie does not count."""
    path = made(core).unsubscribe(1)
    chinese, english = {"accept-language": "fr, zh-TW;q=0.9, en;q=0.5"}, {"accept-language": "en-GB"}
    client.cookies.set("spira_language", "zh-CN")
    assert '<html lang="en">' in client.get(path).text
    assert '<html lang="zh-CN">' in client.get(path, headers=chinese).text
    row = [1, "language", "en", core.clock.now()]
    core.house.warehouse.execute("insert into traits values (?, ?, ?, null, ?, 'web', 0)", row)
    assert '<html lang="en">' in client.get(path, headers=chinese).text
    assert '<html lang="zh-CN">' in client.get(f"{path}?lang=zh-CN", headers=english).text


@pytest.mark.parametrize(
    ("header", "language"),
    [("", None), ("*", None), ("fr", None), ("zh;q=0, en;q=0.1", "en"), ("en;q=x, zh", "zh-CN"), ("zh-Hant", "zh-CN")],
)
def test_a_browsers_wish_is_read(header, language):
    """Weights count, nonsense does not."""
    assert negotiated(header) == language


@pytest.mark.parametrize(
    "name", ["<b>x</b>", "‮gnp.exe‬", "👩‍👩‍👧‍👦🫠", "متجر البحر", "王" * 2_000, "\"'><script>alert(1)</script>"]
)
@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_a_page_stays_light_whatever_the_brand_is_called(client, core, name, lang):
    """The page with all its styles is under 30 KB, and a name is only text."""
    with_brand(core, brand=name, website="https://shop.example", privacy_contact="privacy@shop.example")
    for path in (made(core).unsubscribe(1), centre(core)):
        page = client.get(f"{path}?lang={lang}")
        styles = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)
        weight = len(page.content) + sum(len(client.get(each).content) for each in styles)
        assert (page.status_code, len(styles)) == (200, 2)
        assert weight < 30_000
        assert "<script" not in page.text
        assert "<b>x" not in page.text
        assert 'href="mailto:privacy@shop.example"' in page.text or "/u/" in path


def test_a_click_leads_where_the_message_did_and_a_forged_one_nowhere(client, core):
    """The target is under the signature; a changed token is answered like a wrong address."""
    path = made(core).clicked(3, 0, "https://shop.example/spring")
    assert client.get(path, follow_redirects=False).headers["location"] == "https://shop.example/spring"
    assert client.get(path[:-2] + "xx", follow_redirects=False).status_code == 404


def test_an_open_always_answers_with_the_image(client, core):
    """Good or forged, the mail program gets its picture."""
    for path in (made(core).opened(4), "/o/nonsense.gif"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")


def test_the_brands_colour_is_only_ever_a_colour(client, core):
    """It is a setting, served as a stylesheet of one line with the text that reads well on it."""
    ours = ":root{--brand:#0b7285;--on-brand:#ffffff;--brand-ink:light-dark(#0b7285,"
    assert client.get("/brand.css").text.startswith(ours)
    with_brand(core, colour="#fff;}body{display:none")
    assert client.get("/brand.css").text.startswith(ours)


@given(HEX)
def test_text_on_any_colour_reads_well(colour):
    """Black or white on it, and it as text on either paper, have a contrast of 4.5 to 1."""
    assert colours.contrast(colours.text_on(colour), colour) >= colours.LEAST
    for paper in (brand.PAPER, brand.NIGHT):
        assert colours.contrast(colours.readable(colour, paper), paper) >= colours.LEAST


def test_a_colour_that_reads_well_already_stays_as_it_is():
    """Only what does not contrast enough is changed; three digits are six; nonsense is our own colour."""
    assert colours.readable("#0b7285", "#ffffff") == "#0b7285"
    assert colours.readable("#ffe066", "#ffffff") != "#ffe066"
    assert colours.read("#ABC") == "#aabbcc"
    assert colours.read("red") == colours.OURS
    assert round(colours.contrast("#000", "#fff")) == 21


@pytest.mark.parametrize(("name", "content", "kind"), [("a.png", PNG, "image/png"), ("b.svg", SVG, "image/svg+xml")])
def test_a_logo_is_served_by_its_content_and_can_not_run(client, core, name, content, kind):
    """It is kept for a year under the name of its content; a script within it has no leave."""
    (core.directory / name).write_bytes(content)
    with_brand(core, logo=name)
    page = client.get(made(core).unsubscribe(1)).text
    address = re.search(r'<img src="(/brand/logo\?v=\w+)"', page)[1]
    answer = client.get(address)
    assert (answer.content, answer.headers["content-type"].partition(";")[0]) == (content, kind)
    assert answer.headers["cache-control"].endswith("immutable")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("name", "content"),
    [("missing.png", None), ("large.png", PNG + b"0" * 200_000), ("keys.png", b'{"sealing": {}}'), ("data/a.png", PNG)],
)
def test_what_is_no_logo_is_not_served(client, core, name, content):
    """A missing, large or foreign file leaves the brand's name in its place."""
    if content is not None:
        (core.directory / name).parent.mkdir(exist_ok=True)
        (core.directory / name).write_bytes(content)
    with_brand(core, logo=name)
    assert client.get("/brand/logo").status_code == 404
    assert "Sea &amp; Sons</bdi>" in client.get(made(core).unsubscribe(1)).text


def test_a_logo_can_not_lead_out_of_the_workspace(client, core, tmp_path_factory):
    """A link of the file system to somewhere else is not followed."""
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.write_bytes(PNG)
    (core.directory / "logo.png").symlink_to(outside)
    with_brand(core, logo="logo.png")
    assert client.get("/brand/logo").status_code == 404


def test_a_browser_that_sends_privacy_control_is_heard_once_and_told_so(client, core):
    """Looking without it keeps nothing; with it two words are kept, and the page says what holds."""
    start = core.log.end()
    assert "Do not sell or share my data" in client.get(centre(core)).text
    assert core.log.end() == start
    page = client.get(centre(core), headers={"Sec-GPC": "1"}).text
    assert core.log.end() > start
    assert "Your browser sends Global Privacy Control" in page
    assert "We do not sell or share your data" in page


def test_data_going_abroad_is_asked_for_alone_where_somebody_abroad_gets_it(client, core):
    """Without anybody abroad there is no such switch; with one it says who, is off, and is refused as it is given."""
    assert "Your data abroad" not in client.get(centre(core)).text
    rights = core.settings.rights.model_copy(update={"processors": ["Mailer; newsletters; US", "Post; letters; CN"]})
    core.settings = core.settings.model_copy(update={"rights": rights})
    page = client.get(centre(core)).text
    assert "<li>Mailer (US): newsletters</li>" in page
    assert "letters (" not in page
    assert 'name="abroad" value="on">' in page
    given = client.post(centre(core), data={"asked_abroad": "1", "abroad": "on"})
    assert 'name="abroad" value="on" checked>' in given.text
    taken = client.post(centre(core), data={"asked_abroad": "1"})
    assert 'name="abroad" value="on">' in taken.text


@pytest.mark.parametrize("way", ["unsubscribe", "clicked"])
def test_privacy_control_is_heard_wherever_a_link_is_signed_for_one_person(client, core, monkeypatch, way):
    """The page behind a message's link hears the browser, and so does the link itself, each by the one means."""
    heard = []
    monkeypatch.setattr(sharing, "hear", lambda _core, subject, note=None: not heard.append((subject, note)))
    path = made(core).unsubscribe(3) if way == "unsubscribe" else made(core).clicked(3, 0, "https://shop.example/")
    client.get(path, follow_redirects=False)
    assert heard == []
    page = client.get(path, headers={"Sec-GPC": "1"}, follow_redirects=False)
    assert heard == [(core.lane().value("select subject_id from deliveries where delivery_id = 3"), None)]
    assert ("Your browser sends Global Privacy Control" in page.text) == (way == "unsubscribe")


def test_sharing_is_refused_and_allowed_with_one_button_each(client, core):
    """The page shows what was chosen before any refresh took it in."""
    off = client.post(f"{centre(core)}/sharing", data={"allow": "no"})
    assert "We do not sell or share your data" in off.text
    on = client.post(f"{centre(core)}/sharing", data={"allow": "yes"})
    assert "You have not objected" in on.text
