from __future__ import annotations

import pytest

from spira.engage import links
from spira.storage.log import Log


@pytest.fixture
def core(core, tmp_path):
    core.log = Log.open(tmp_path / "log", core.keys)
    yield core
    core.log.close()


def made(core) -> links.Links:
    return links.Links(key=core.keys.derive(links.PURPOSE), base_url="")


def test_unsubscribing_asks_first_and_needs_no_session_nor_script(client, core):
    """Looking changes nothing; the button does; the page is tiny, loads no script and sets no cookie that follows."""
    path = made(core).unsubscribe(1)
    start = core.log.end()
    page = client.get(path)
    assert page.status_code == 200
    assert "Sea &amp; Sons" in page.text
    assert "<script" not in page.text
    assert "set-cookie" not in page.headers
    assert len(page.content) < 2_000
    assert core.log.end() == start
    done = client.post(path)
    assert "You are unsubscribed" in done.text
    assert core.log.end() > start


def test_one_click_unsubscribing_works_as_mail_programs_post_it(client, core):
    """RFC 8058: a post of `List-Unsubscribe=One-Click` without any form token is enough."""
    assert client.post(made(core).unsubscribe(2), data={"List-Unsubscribe": "One-Click"}).status_code == 200


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


def test_the_brands_colour_is_only_ever_a_colour(client):
    """It is a setting, served as a stylesheet of one line."""
    assert client.get("/brand.css").text == ":root{--brand:#0B7285}\n"
