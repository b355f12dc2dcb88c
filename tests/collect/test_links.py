"""Short links: what can be one, that a target is a page and nothing else, and how one ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from spira.collect import links
from spira.collect.links import BadLink, LinkOver, NewLink
from spira.kernel.clock import FrozenClock
from spira.kernel.errors import Conflict, NotFound
from spira.storage.state import METADATA
from spira.testing.houses import NOON
from spira.testing.states import empty_state

SHOP = "https://shop.example/spring"


@pytest.fixture
def state(tmp_path):
    made = empty_state(tmp_path)
    METADATA.create_all(made.engine)
    yield made
    made.close()


@pytest.fixture
def clock():
    return FrozenClock(NOON)


def test_a_link_is_made_found_and_listed(state, clock):
    """A fresh code has seven characters without look-alikes, and is found in whatever case it is typed."""
    made = links.add(state, clock, NewLink(target=SHOP, campaign="spring", touchpoint="store"), by="ann")

    assert len(made.code) == 7
    assert not set(made.code) & set("ilou")
    assert links.get(state, made.code.upper()) == made
    assert (made.name, made.created_by, made.created_at) == ("spring", "ann", NOON)
    assert links.every(state) == [made]
    assert links.every(state, staff_id="ann") == []


def test_a_chosen_code_is_one_links_only(state, clock):
    """A code that is taken, whatever its case, is refused; so is what can't be one."""
    links.add(state, clock, NewLink(target=SHOP, code="Spring-26"), by="ann")

    with pytest.raises(Conflict, match="spring-26"):
        links.add(state, clock, NewLink(target=SHOP, code="SPRING-26"), by="ann")
    for wrong in ("ab", "a b", "../x", "é" * 5, "x" * 41, "-ab"):
        with pytest.raises(BadLink):
            links.add(state, clock, NewLink(target=SHOP, code=wrong), by="ann")


def test_no_link_hides_behind_a_page_of_the_console(state, clock):
    """The address of the page that makes links is no code, with the reason."""
    with pytest.raises(BadLink, match="its own page at /links/new"):
        links.add(state, clock, NewLink(target=SHOP, code="New"), by="ann")
    assert links.every(state) == []


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "data:text/html,hi",
        "//evil.example",
        "/r/other",
        "ftp://shop.example",
        "https://",
        "https://user:pass@shop.example",
        "https://shop.example@evil.example",
        "https://shop.example/\r\nSet-Cookie: a=b",
        "https://shop.example/a b",
        "https://shop.example\\evil.example",
        "https://shop.example:port/",
        "https://[bad/",
        "",
        "https://shop.example/" + "x" * 2_000,
    ],
)
def test_a_target_is_a_page_of_the_web_and_nothing_else(state, clock, target):
    """No other scheme, no name and password, nothing that could break out of a header."""
    with pytest.raises(BadLink):
        links.add(state, clock, NewLink(target=target), by="ann")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("HTTPS://Shop.Example/A?b=c#d", "https://shop.example/A?b=c#d"),
        ("https://例子.中国/春?词=茶", "https://xn--fsqu00a.xn--fiqs8s/%E6%98%A5?%E8%AF%8D=%E8%8C%B6"),
        ("https://shop.example/%E6%98%A5?a=%2F", "https://shop.example/%E6%98%A5?a=%2F"),
        ("http://shop.example:8080", "http://shop.example:8080"),
        ("https://[::1]:8080/x", "https://[::1]:8080/x"),
    ],
)
def test_a_target_is_kept_ready_for_a_header(written, kept):
    """Chinese names and paths become what a header can hold; what is written so already stays."""
    assert links.checked_target(written) == kept
    assert links.checked_target(kept) == kept


def test_a_link_leads_to_no_other_link(state, clock):
    """Nobody makes a circle of links."""
    with pytest.raises(BadLink, match="another link"):
        links.add(state, clock, NewLink(target="https://s.example/r/abc"), by="ann", host="s.example")
    assert links.add(state, clock, NewLink(target="https://s.example/page"), by="ann", host="s.example")


def test_a_link_that_ended_leads_nowhere(state, clock):
    """Ended by hand or by its day, a link is over; one that never was is not found."""
    ended = links.add(state, clock, NewLink(target=SHOP), by="ann")
    short = links.add(state, clock, NewLink(target=SHOP, expires_at=NOON + timedelta(days=1)), by="ann")
    links.end(state, clock, ended.code)

    assert links.leading(state, short.code, at=NOON) == short
    for code, at in ((ended.code, NOON), (short.code, NOON + timedelta(days=1))):
        with pytest.raises(LinkOver):
            links.leading(state, code, at=at)
    with pytest.raises(NotFound):
        links.leading(state, "nothing", at=NOON)
    with pytest.raises(BadLink, match="before it began"):
        links.add(state, clock, NewLink(target=SHOP, expires_at=NOON), by="ann")


def test_what_is_printed_stays_good_when_its_target_moves(state, clock):
    """A poster on the wall can lead to another page; what the link stands for stays as it was."""
    made = links.add(state, clock, NewLink(target=SHOP, campaign="spring", staff_id="ann"), by="ann")

    moved = links.change(state, clock, made.code, {"target": "https://shop.example/summer", "name": "Door"})

    assert (moved.target, moved.name) == ("https://shop.example/summer", "Door")
    assert (moved.code, moved.campaign, moved.staff_id) == (made.code, "spring", "ann")
    with pytest.raises(BadLink):
        links.change(state, clock, made.code, {"target": "javascript:1"})
