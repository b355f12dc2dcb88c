from __future__ import annotations

import re

import pytest

from spira.console.pages.sign_in import safe_path
from spira.kernel.ids import show_profile

PERSON = f"/people/{show_profile(7)}"
PAGES = ["/", "/cockpit", "/people", "/people?q=nobody", PERSON, "/audiences/new", "/system"]
ASKED = "/audiences/new?condition=orders_90d%20%3E%3D%205"


@pytest.mark.parametrize("path", [*PAGES, ASKED])
def test_a_page_is_small_and_needs_no_script_inside(signed_in, path):
    """Each page is under 80 KB and has neither inline script nor inline style nor handlers."""
    page = signed_in("ann", "administrator").get(path)
    assert page.status_code == 200
    assert len(page.content) < 80_000
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", page.text)


def test_nothing_is_in_the_rail_whose_page_does_not_exist(signed_in):
    """Every link of the frame leads to a page."""
    client = signed_in("ann", "administrator")
    links = set(re.findall(r'href="(/[^"#?]*)"', client.get("/").text))
    assert {"/people", "/audiences", "/cockpit", "/system"} <= links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_a_reader_has_no_way_to_people_in_the_frame(signed_in):
    """What one may not open is not offered: people are not in the rail."""
    page = signed_in("rae", "reader").get("/cockpit").text
    assert 'href="/people"' not in page


def test_pages_speak_the_language_that_was_chosen(signed_in, form_token):
    """Choosing a language keeps it for the person, and goes back to the same page."""
    client = signed_in("ann", "administrator")
    assert "<h1>Cockpit</h1>" in client.get("/cockpit").text
    form = {"csrf": form_token("/cockpit"), "language": "zh-CN", "theme": "dark", "next": "/system"}
    answer = client.post("/me/preferences", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/system")
    page = client.get("/cockpit").text
    assert "<h1>看板</h1>" in page
    assert '<html lang="zh-CN" data-bs-theme="dark">' in page


def test_one_hit_of_a_search_leads_to_the_person(signed_in):
    """Searching an address that one person has opens their page."""
    answer = signed_in("ann", "administrator").get("/people?q=person7@example.com", follow_redirects=False)
    assert answer.headers["location"] == PERSON


def test_values_in_clear_are_for_the_roles_that_may(signed_in):
    """An operator is not offered the button, and its page is closed to them."""
    client = signed_in("olga", "operator")
    assert "/clear" not in client.get(PERSON).text
    assert client.get(f"{PERSON}/clear").status_code == 403


def test_whoever_is_not_signed_in_comes_back_to_the_page_they_wanted(client, core, form_token):
    """The address survives signing in."""
    from spira.testing.cores import PASSWORD, staff

    staff(core, "ann", "operator")
    asked = client.get("/system?x=1", follow_redirects=False).headers["location"]
    assert asked == "/sign-in?next=%2Fsystem%3Fx%3D1"
    assert 'name="next" value="/system?x=1"' in client.get(asked).text
    form = {"email": "ann@example.com", "password": PASSWORD, "next": "/system?x=1", "csrf": form_token("/sign-in")}
    assert client.post("/sign-in", data=form, follow_redirects=False).headers["location"] == "/system?x=1"


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", ""])
def test_signing_in_leads_nowhere_else(path):
    """An address of another place becomes the first page."""
    assert safe_path(path) == "/"


def test_signing_out_ends_the_session(signed_in, form_token):
    """After it the cookie opens nothing."""
    client = signed_in("ann", "operator")
    cookie = client.cookies["spira_session"]
    client.post("/sign-out", data={"csrf": form_token("/cockpit")})
    client.cookies.set("spira_session", cookie)
    assert client.get("/cockpit", follow_redirects=False).status_code == 302


def test_an_error_is_a_page_for_people(signed_in):
    """A wrong address answers in words, with a way on, and no trace."""
    page = signed_in("ann", "operator").get("/nowhere")
    assert page.status_code == 404
    assert "<h1>Not found</h1>" in page.text


def test_files_are_kept_for_a_year_and_come_packed(client):
    """Assets are named by content; the largest is a fifth of its size on the way; nothing outside is served."""
    found = client.get("/static/vendor/tabler.min.css", headers={"accept-encoding": "gzip"})
    assert found.headers["cache-control"].endswith("immutable")
    assert found.headers["content-encoding"] == "gzip"
    assert int(found.headers["content-length"]) < 130_000
    assert client.get("/static/../app.py").status_code == 404
    assert client.get("/static/%2e%2e/app.py").status_code == 404
