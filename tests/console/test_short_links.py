"""Short links in the console: made, drawn, printed, changed and ended, by whom it may be, and what came of them."""

from __future__ import annotations

import io
import re
from urllib.parse import urlsplit

import pytest
import zxingcpp
from PIL import Image

from spira.collect import links
from spira.storage import audit
from spira.testing.workspaces import send
from spira.unify import units

BROWSER = {"user-agent": "Mozilla/5.0 (iPhone) AppleWebKit MicroMessenger/8.0"}
SHOP = "https://shop.example/spring"


def scanned(picture: bytes) -> str:
    """What a reader of QR codes sees in a PNG."""
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    return found.text


def acts(world) -> list[tuple[str, str]]:
    return [(row.action, row.subject) for row in audit.latest(world.core.state, limit=5)]


def made(world, **form) -> str:
    """The code of a link made by the form."""
    answer = world.post("/links", data={"target": SHOP, **form}, follow_redirects=False)
    assert answer.status_code == 303, answer.text[:3000]
    return re.match(r"/links/([^?]+)\?done=link_made", answer.headers["location"]).group(1)


def test_a_link_is_made_by_its_form_and_can_be_scanned(fresh_world):
    """The page shows the code; the PNG, read by a reader, is the address, which leads to the target."""
    unit = units.add_unit(fresh_world.core.state, code="367", name="Store 367")
    code = made(fresh_world, name="Window", campaign="spring", touchpoint="store", medium="poster", unit=unit.code)
    page = fresh_world.get(f"/links/{code}")

    assert "Window" in page.text
    assert "Store 367" in page.text
    for asked in ("", "&size=4&margin=2&error=h", "&size=20&margin=8&error=l&colour=%23000000"):
        address = scanned(fresh_world.get(f"/api/links/{code}/qr?form=png{asked}").content)
        assert address.endswith(f"/r/{code}")
    answer = fresh_world.client.get(urlsplit(address).path, headers=BROWSER, follow_redirects=False)
    assert answer.headers["location"].startswith(SHOP)
    assert acts(fresh_world)[0] == ("link.add", code)


def test_a_code_keeps_the_brands_colour_only_as_far_as_it_can_be_read(fresh_world):
    """A pale brand's colour is darkened; whatever it is, a reader reads the code."""
    workspace = fresh_world.core.settings.workspace.model_copy(update={"colour": "#ffe066"})
    fresh_world.core.settings = fresh_world.core.settings.model_copy(update={"workspace": workspace})
    answer = fresh_world.get("/api/links/door/qr?form=svg")

    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert answer.headers["content-disposition"] == 'inline; filename="link-door.svg"'
    assert "#ffe066" not in answer.text.lower()
    assert scanned(fresh_world.get("/api/links/door/qr?form=png").content).endswith("/r/door")


@pytest.mark.parametrize("query", ["form=gif", "size=0", "size=900", "margin=-1", "error=x"])
def test_a_code_that_cannot_be_drawn_is_refused(world, query):
    """Other forms and sizes beyond reason are told, not tried."""
    assert world.get(f"/api/links/door/qr?{query}").status_code == 422


def test_what_is_wrong_stands_on_the_form_with_what_was_typed(world):
    """A target that is no page is refused, and nothing typed is lost."""
    answer = world.post("/links", data={"target": "javascript:alert(1)", "campaign": "spring & <b>", "name": "x"})

    assert answer.status_code == 422
    assert 'value="spring &amp; &lt;b&gt;"' in answer.text
    assert "no page that a link can lead to" in answer.text
    assert 'href="javascript:' not in answer.text


def test_hostile_words_are_only_text_wherever_they_stand(fresh_world):
    """A name that is markup is shown as it is, in the list, on the page and on the sheet."""
    code = made(fresh_world, name="<script>alert(1)</script>", campaign='"><img src=x onerror=alert(1)>')

    for path in ("/links", f"/links/{code}", f"/links/{code}/sheet"):
        text = fresh_world.get(path).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_a_link_is_changed_and_ended_after_typing_its_code(fresh_world):
    """A wrong code ends nothing; the right one does, and a visitor is then told so."""
    code = made(fresh_world)
    wanted = {"target": "https://shop.example/summer", "name": "Summer", "expires": "2027-01-31"}
    assert fresh_world.post(f"/links/{code}/change", data=wanted, follow_redirects=False).status_code == 303
    changed = links.get(fresh_world.core.state, code)
    assert (changed.target, changed.name) == (wanted["target"], "Summer")
    assert 'value="2027-01-31"' in fresh_world.get(f"/links/{code}").text

    assert fresh_world.post(f"/links/{code}/end", data={"confirm": "nope"}).status_code == 422
    assert fresh_world.client.get(f"/r/{code}", headers=BROWSER, follow_redirects=False).status_code == 302
    assert fresh_world.post(f"/links/{code}/end", data={"confirm": code}, follow_redirects=False).status_code == 303
    assert fresh_world.client.get(f"/r/{code}", headers=BROWSER, follow_redirects=False).status_code == 410
    assert [act for act, _ in acts(fresh_world)[:2]] == ["link.end", "link.change"]


def test_a_link_tells_its_visits_people_and_orders(fresh_world):
    """One visitor who lands, is known and buys is one visit, one person and one order; another is a visit alone."""
    core = fresh_world.core
    code = made(fresh_world, campaign="spring", touchpoint="store")
    for number in range(2):
        target = fresh_world.client.get(f"/r/{code}", headers=BROWSER, follow_redirects=False).headers["location"]
        if number == 0:
            page = {"page": {"url": target, "search": f"?{urlsplit(target).query}"}}
            send(core, [{"type": "page", "anonymousId": "b1", "messageId": "l1", "context": page},
                        {"type": "identify", "userId": "u7", "anonymousId": "b1", "messageId": "l2"}])  # fmt: skip
    core.refresh()
    core.step_clock(core.clock.now().replace(hour=23))
    send(core, [{"type": "track", "event": "Order Completed", "userId": "u7", "messageId": "l3",
                 "properties": {"order_id": "x", "revenue": 9}}])  # fmt: skip
    core.refresh()

    shown = fresh_world.get(f"/api/links/{code}").json()
    counts = shown["row"]["counts"]
    assert (counts["visits"], counts["people"], counts["orders"]) == (2, 1, 1)
    assert shown["led"] == {"first": 1, "last": 1}
    assert shown["first"][0]["id"] == fresh_world.person("u7")
    assert shown["days"][-1]["visits"] == 2
    person = fresh_world.get(f"/people/{fresh_world.person('u7')}", headers={"cookie": "spira_language=en"}).text
    assert "What led here" in person
    assert f'<a href="/links/{code}">/r/{code}</a>' in person


def test_what_led_people_here_can_be_asked_for(fresh_world):
    """The touches are words of the language for "who"."""
    asked = {"condition": "first_touch_link = 'door' or last_touch_at >= '2026-01-01'"}
    answer = fresh_world.post("/api/audiences/preview", json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.json()["count"] == 0


def test_a_guide_makes_and_sees_cards_of_their_own_alone(core, signed_in, form_token):
    """A guide's link is theirs and their unit's, whatever the form says; others' links are not there for them."""
    ann = signed_in("ann", "guide", unit_id=core.units["A"])
    other = links.add(core.state, core.clock, links.NewLink(target=SHOP, code="other"), by="root")
    form = {"target": SHOP, "staff": "somebody", "code": "mine", "csrf": form_token("/links/new")}
    answer = ann.post("/links", data=form, follow_redirects=False)

    assert answer.status_code == 303, answer.text[:2000]
    mine = links.get(core.state, "mine")
    assert mine.staff_id == mine.created_by
    assert mine.unit_id == core.units["A"]
    assert [each["link"]["code"] for each in ann.get("/api/links").json()["links"]] == ["mine"]
    assert ann.get(f"/api/links/{other.code}").status_code == 404
    ending = {"confirm": other.code, "csrf": form["csrf"]}
    assert ann.post(f"/links/{other.code}/end", data=ending).status_code == 404
    assert ann.post(
        "/links/mine/end", data={"confirm": "mine", "csrf": form["csrf"]}, follow_redirects=False
    ).is_redirect


def test_an_operator_of_a_unit_sees_its_links_and_gives_no_link_to_another(core, signed_in, form_token):
    """Links of other units are not there; a new one hangs in the own unit."""
    for code, unit in (("ours", "A"), ("theirs", "B")):
        links.add(core.state, core.clock, links.NewLink(target=SHOP, code=code, unit_id=core.units[unit]), by="root")
    ann = signed_in("ann", "operator", unit_id=core.units["A"])

    assert [each["link"]["code"] for each in ann.get("/api/links").json()["links"]] == ["ours"]
    token = form_token("/links/new")
    refused = ann.post("/links", data={"target": SHOP, "unit": "B", "csrf": token})
    assert refused.status_code == 422
    ann.post("/links", data={"target": SHOP, "code": "fresh", "csrf": token})
    assert links.get(core.state, "fresh").unit_id == core.units["A"]


def test_a_reader_sees_no_links(signed_in):
    """Whoever sees figures alone is not shown the people that links led here."""
    assert signed_in("rea", "reader").get("/links").status_code == 403
