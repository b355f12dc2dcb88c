from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.definitions.check import check
from spira.storage import ddl
from spira.storage.tables import Column
from spira.storage.warehouse import open_warehouse
from spira.testing.houses import House, at
from spira.testing.walks import workspace
from spira.unify import consent, opt_out
from spira.unify.notices import NoticeDefinition, NoticeVersion, shown

OFFERS = """
notice: offers
purpose: marketing
channels: [email]
expires: 30 days
versions:
  - {version: 1, text: {zh-CN: 我愿意收到优惠, en: Offers by e-mail}}
"""
EMPTY = open_warehouse(threads=1)
COLUMNS = {"notice_version": "BIGINT", "separate_consent": "BOOLEAN", "text": "VARCHAR"}


def made(numbers: Sequence[int] = (1,), **more: Any) -> NoticeDefinition:
    """A notice of marketing by e-mail with versions of these numbers; the second asks anew."""
    versions = [NoticeVersion(version=number, text="Yes", renew=number == 2) for number in numbers]
    return NoticeDefinition(notice="offers", purpose="marketing", channels=["email"], versions=versions, **more)


def house() -> House:
    """A house whose events carry what a consent says beside its purpose and channel."""
    built = House()
    for name, type in COLUMNS.items():
        built.warehouse.execute(ddl.add_column("events", Column(name=name, type=type)))
    built.subject(1, "user_id")
    return built


def agrees(built: House, *, hours: float = 0, **more: object) -> None:
    built.say(1, "Consent Given", hours=hours, purpose="marketing", channel="email", **more)
    built.load()


def standing(built: House, *notices: NoticeDefinition, hours: float = 1) -> tuple[bool, str | None]:
    """Whether marketing by e-mail is allowed, and why a consent lapsed."""
    consent.compute(built.warehouse, as_of=at(hours), notices=notices)
    row = built.warehouse.one(
        "select granted, lapsed from permissions join consents using (profile_id, purpose, channel)"
    )
    assert row is not None
    return row[0], row[1]


def test_a_consent_lapses_when_its_time_is_over_though_nothing_happened():
    """The permission closes at the instant that the notice says, by a run that saw no event; a new word opens it."""
    with house() as built:
        agrees(built)
        lasting = made(expires="2 days")
        assert standing(built, lasting, hours=47) == (True, None)
        assert standing(built, lasting, hours=48) == (False, "expired")
        agrees(built, hours=49)
        assert standing(built, lasting, hours=50) == (True, None)


def test_a_new_version_asks_again_and_taking_it_back_gives_what_was_there():
    """Who agreed to version 1 has to agree to version 2 when that renews; a fuller text alone asks nobody."""
    with house() as built:
        agrees(built, notice_version=1)
        assert standing(built, made(numbers=(1, 3))) == (True, None)
        assert standing(built, made(numbers=(1, 2))) == (False, "renewal")
        assert standing(built, made(numbers=(1,))) == (True, None)
        agrees(built, hours=2, notice_version=2)
        assert standing(built, made(numbers=(1, 2)), hours=3) == (True, None)


def test_only_a_separate_consent_counts_where_the_notice_asks_for_one():
    """A consent that was bundled with others does not open what is sensitive."""
    with house() as built:
        agrees(built)
        assert standing(built, made(separate=True)) == (False, "not_separate")
        agrees(built, hours=2, separate_consent=True)
        assert standing(built, made(separate=True), hours=3) == (True, None)


def test_that_data_goes_abroad_is_agreed_to_separately_with_or_without_a_notice():
    """A bundled word opens nothing, be there a notice that does not say so or none; a word of its own does."""
    abroad = NoticeDefinition(
        notice="abroad", purpose="data_abroad", channels=["all"], versions=[NoticeVersion(version=1, text="Yes")]
    )
    with house() as built:
        for hours, separate in ((0, False), (2, True)):
            told = {"purpose": "data_abroad", "channel": "all", "separate_consent": separate}
            built.say(1, "Consent Given", hours=hours, **told)
            built.load()
            expected = (separate, None if separate else "not_separate")
            assert standing(built, hours=hours + 1) == expected
            assert standing(built, abroad, hours=hours + 1) == expected


def test_a_refusal_never_lapses():
    """What was withdrawn stays withdrawn, whatever a notice says."""
    with house() as built:
        built.say(1, "Consent Withdrawn", hours=0, purpose="marketing", channel="email")
        built.load()
        assert standing(built, made(expires="1 day", numbers=(1, 2)), hours=1000) == (False, None)


def test_an_answer_that_means_stop_withdraws_by_that_channel():
    """`ＴＤ。` by SMS closes marketing by SMS and nothing else; a sentence that holds such a word is a sentence."""
    with house() as built:
        agrees(built)
        built.say(1, "Consent Given", hours=0, purpose="marketing", channel="sms")
        built.say(1, "Message Received", hours=1, channel="sms", text="请问可以 TD 吗")
        built.load()
        assert allowed(built) == {"email": True, "sms": True}
        built.say(1, "Message Received", hours=2, channel="sms", text=" ｔｄ。")
        built.load()
        assert allowed(built) == {"email": True, "sms": False}


def allowed(built: House) -> dict[str, bool]:
    consent.compute(built.warehouse, as_of=at(5), more_words=["再见"])
    return dict(built.warehouse.query("select channel, granted from permissions"))


@settings(max_examples=examples(30), deadline=None)
@given(st.text(alphabet="tdTD退订 stopＳＴＯＰ！.。-_1,", max_size=12))
def test_a_word_is_read_alike_by_the_query_and_by_python(text: str):
    """The column and the list of words go through one and the same comparison."""
    assert EMPTY.value(f"select {opt_out.plain_sql('$text')}", {"text": text}) == opt_out.plain(text)


def test_the_words_of_both_languages_are_known_and_a_workspace_adds_its_own():
    """Case, width and punctuation do not matter."""
    assert {"TD", "T", "R", "退订", "STOP", "UNSUBSCRIBE", "OPTOUT", "再见"} <= set(opt_out.words(["再见！"]))


def test_a_notice_is_shown_in_the_readers_language_with_its_hash():
    """The latest version speaks; where nobody wrote one, nothing is shown."""
    (definition,) = workspace(OFFERS).definitions
    found = shown([definition.model], "marketing", "email", "zh-CN")
    assert found is not None
    assert (found.text, found.version, len(found.text_hash)) == ("我愿意收到优惠", 1, 64)
    assert shown([definition.model], "marketing", "sms", "en") is None


def test_a_notice_says_what_is_wrong_with_it():
    """One number is one text, and a purpose by a channel has one notice."""
    twice = OFFERS + "  - {version: 1, text: Again}\n"
    assert [each.code for each in check(workspace(twice))] == ["D451"]
    other = OFFERS.replace("offers", "other")
    assert [each.code for each in check(workspace(OFFERS, other))] == ["D452"]
