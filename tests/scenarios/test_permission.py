"""Whatever happens in whatever order, nobody is written to who does not allow it at that moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.scenarios.shop import FILES, Shop, shop

JANUARY = datetime(2026, 1, 5, 10)
GREETING = """\
journey: greeting
label: {zh-CN: 问候, en: Greeting}
enter: {event: Order Completed, key: order_id, again: always}
holdout: 0%
steps:
  - send: {channel: email, template: we_miss_you}
  - wait: 1 day
  - send: {channel: email, template: a_gift}
"""
WHO = st.sampled_from(("ann", "ben", "soft"))
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("agrees", "refuses", "unsubscribes", "bounces")), WHO),
        st.tuples(st.just("orders"), WHO),
        st.tuples(st.just("hours"), st.sampled_from((0, 1, 7, 25))),
        st.tuples(st.just("server"), st.booleans()),
        st.tuples(st.just("tick"), st.just("")),
    ),
    min_size=3,
    max_size=14,
)
ORDERLY = [("agrees", "ann"), ("orders", "ann"), ("hours", 1), ("tick", ""), ("hours", 25), ("tick", "")]


@dataclass
class Word:
    """What one person has said, told apart from all that Spira does with it."""

    said: tuple[datetime, bool] | None = None
    struck: bool = False

    def hears(self, at: datetime, allows: bool) -> None:
        """A word at an instant; of two at the same instant the refusal stands."""
        if self.said is None or at > self.said[0] or not allows:
            self.said = (at, allows)

    @property
    def allows(self) -> bool:
        """Whether the person may be written to now."""
        return self.said is not None and self.said[1] and not self.struck


@dataclass
class Lives:
    """The people of one example, in a shop where those of the examples before have all refused."""

    corner: Shop
    number: int
    words: dict[str, Word] = field(default_factory=dict)

    def begin(self) -> Lives:
        """It is ten in the morning again, and the mail server answers."""
        now = self.corner.core.clock.now()
        self.corner.core.step_clock(datetime.combine(now.date() + timedelta(days=1), time(10)))
        self.happens("server", True)
        return self

    def person(self, who: str) -> str:
        """This example's own `who`; known to the shop from the first mention on."""
        name = f"{who}{self.number}"
        if name not in self.words:
            self.words[name] = Word()
            self.corner.registers(name)
        return name

    def happens(self, what: str, of: str | int | bool) -> None:
        """One thing happens; a tick must write only to those who allow it."""
        if what == "tick":
            self.tick()
        elif what == "hours":
            self.corner.passes(hours=int(of))
        elif what == "server":
            self.corner.inbox.stop()
            if of:
                self.corner.inbox.start()
        elif what == "orders":
            self.corner.orders(self.person(str(of)))
        elif what in ("agrees", "refuses"):
            self.says(self.person(str(of)), what == "agrees")
        else:
            self.answers(self.person(str(of)), what)

    def says(self, name: str, allows: bool) -> None:
        """A word of a person, to the shop and to this book of ours."""
        self.corner.says(name, allows)
        self.words[name].hears(self.corner.core.clock.now(), allows)

    def answers(self, name: str, what: str) -> None:
        """The reader, or the provider, answers the latest message there is."""
        mails = self.corner.mail(name)
        if mails and what == "unsubscribes":
            assert self.corner.post(mails[-1].unsubscribe or "").is_success
            self.words[name].hears(self.corner.core.clock.now(), False)
        elif mails:
            self.corner.tells(mails[-1], "bounced", hard=True)
            self.words[name].struck = True

    def tick(self) -> None:
        """All stages run; whoever then gets mail allows it."""
        before = len(self.corner.inbox.messages)
        self.corner.core.tick()
        for mail in self.corner.inbox.messages[before:]:
            name = mail.to.partition("@")[0]
            assert self.words[name].allows, f"{name} was written to"

    def end(self) -> None:
        """Everyone refuses, so that the next example hears nothing of them."""
        for name in self.words:
            self.says(name, False)
        self.happens("server", True)


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    """A maker of examples, all in one shop."""
    files = {**FILES, "journeys/win_back.yaml": GREETING}
    with shop(tmp_path_factory.mktemp("corner"), at=JANUARY, files=files) as corner:
        numbers = count(1)
        yield lambda: Lives(corner, next(numbers)).begin()


@settings(max_examples=examples(4), deadline=None)
@given(HAPPENINGS)
@example(ORDERLY)
@example([*ORDERLY[:4], ("refuses", "ann"), ("hours", 25), ("tick", "")])
@example([("agrees", "ann"), ("server", False), *ORDERLY[1:4], ("refuses", "ann"), ("server", True), *ORDERLY[4:]])
@example([("hours", 13), *ORDERLY[:4], ("refuses", "ann"), ("hours", 25), ("tick", "")])
def test_nothing_is_sent_without_permission(lives, happenings):
    """
    For any words, orders, hours, answers and troubles, each message that arrives is allowed at its tick.
    """
    lived = lives()
    try:
        for what, of in happenings:
            lived.happens(what, of)
    finally:
        lived.end()


def test_who_allows_it_is_written_to(lives):
    """
    The promise is not kept by silence: an orderly life gets both messages.
    """
    lived = lives()
    for what, of in ORDERLY:
        lived.happens(what, of)
    assert len(lived.corner.mail(lived.person("ann"))) == 2
    lived.end()
