from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.engage import links
from spira.engage.links import BadLink, Link, Links, Note, OldLink

KEY = b"k" * 32
NOON = datetime(2026, 3, 1, 12)
SUBJECTS = st.integers(1, (1 << 62) - 1)


def tokens() -> list[tuple[str, str]]:
    """One token of each way that a public page opens."""
    ways = [(way, links.sign(KEY, Link(way=way, delivery_id=7))) for way in ("o", "u")]  # type: ignore[arg-type]
    click = links.sign(KEY, Link(way="c", delivery_id=7, number=1, target="https://shop.example/"))
    return [*ways, ("c", click), ("p", links.sign_subject(KEY, 7, NOON))]


def opens(way: str, token: str) -> object:
    return links.read_subject(KEY, token, NOON) if way == "p" else links.read(KEY, way, token)  # type: ignore[arg-type]


@given(st.sampled_from(tokens()), st.data())
def test_any_change_of_a_single_character_is_refused(made: tuple[str, str], data: st.DataObject) -> None:
    """
    Exchanged, left out or put in anywhere, be it one that decodes to the same bytes: the token opens nothing.
    """
    way, token = made
    assert opens(way, token)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.one_of(st.characters(), st.sampled_from("AaBb09-_=\n ")))
    for changed in (
        token[:place] + other + token[place + 1 :],
        token[:place] + token[place + 1 :],
        token[:place] + other + token[place:],
    ):
        if changed != token:
            with pytest.raises(BadLink):
                opens(way, changed)


@pytest.mark.parametrize("made", tokens(), ids=lambda each: each[0])
def test_every_exchange_by_another_letter_of_tokens_is_refused(made: tuple[str, str]) -> None:
    """
    All places and all 64 letters are tried, the last letter's spare bits among them.
    """
    way, token = made
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place in range(len(token)):
        for letter in letters.replace(token[place], ""):
            with pytest.raises(BadLink):
                opens(way, token[:place] + letter + token[place + 1 :])


@given(SUBJECTS, SUBJECTS)
def test_a_link_to_preferences_is_its_own_subjects(mine: int, theirs: int) -> None:
    """
    It opens the subject it was made for; no part of another token makes it another's, and no other way reads it.
    """
    token = links.sign_subject(KEY, mine, NOON)
    assert links.read_subject(KEY, token, NOON) == mine
    if mine != theirs:
        other = links.sign_subject(KEY, theirs, NOON)
        for cut in range(1, len(token)):
            mixed = token[:cut] + other[cut:]
            if mixed not in (token, other):
                with pytest.raises(BadLink):
                    links.read_subject(KEY, mixed, NOON)
    with pytest.raises(BadLink):
        links.read(KEY, "u", token)
    with pytest.raises(BadLink):
        links.read_subject(b"another", token, NOON)


def test_a_link_to_preferences_lives_long_and_not_for_ever() -> None:
    """
    It serves for `LIVES`, and is then refused as old, which is not the same as wrong.
    """
    token = links.sign_subject(KEY, 7, NOON)
    assert links.read_subject(KEY, token, NOON + links.LIVES) == 7
    with pytest.raises(OldLink) as fault:
        links.read_subject(KEY, token, NOON + links.LIVES + timedelta(seconds=1))
    assert fault.value.status == 410
    with pytest.raises(BadLink) as wrong:
        links.read_subject(KEY, token[:-1], NOON)
    assert wrong.value.status == 404


@given(SUBJECTS, st.text(max_size=40), st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)))
def test_a_note_is_read_back_for_what_it_is_about_and_nothing_else(about: int, text: str, at: datetime) -> None:
    """
    What a page was told comes back as it was; for another subject, changed or cut short it is no note.
    """
    token = links.sign_note(KEY, about, Note(at=at, text=text))
    assert links.read_note(KEY, about, token) == Note(at=at, text=text)
    assert links.read_note(KEY, about + 1, token) is None
    assert links.read_note(KEY, about, token[:-1]) is None
    assert links.read_note(KEY, about, "x" + token[1:]) is None or token.startswith("x")


def test_the_pages_on_which_people_refuse_are_told_apart_from_links_that_count_clicks() -> None:
    """
    Unsubscribing and preferences are ours; a shop's own page is not, wherever it lies.
    """
    made = Links(key=KEY, base_url="https://t.example.com")
    assert made.own(made.unsubscribe(7))
    assert made.own(made.preferences(7, NOON))
    assert not made.own("https://shop.example/u/new")
    assert len(made.preferences(7, NOON)) < 80
