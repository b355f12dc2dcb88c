"""ChannelContract: what every channel must do, whoever wrote it.

Subclass it in your tests, give it a `provider` that listens on this machine, and say how your
channel is opened on it:

    class TestMine(ChannelContract):
        @pytest.fixture
        def stand_in(self): ...          # yields a StandIn
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import pytest

from spira.engage.channels.base import Channel, OutgoingMessage
from spira.kernel.errors import ChannelRejected, ChannelUnavailable

MESSAGE = OutgoingMessage(
    delivery_id="4711",
    address="good@example.com",
    subject="你好 & hello",
    text="Line one\nLine two",
    html="<p>Line one</p>",
    at=datetime(2026, 3, 1, 12),
    headers={"List-Unsubscribe": "<https://t.example.com/u/abc>"},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """A provider for tests: the channel opened on it, what arrived (address and delivery id), addresses it treats
    in its own ways, and a channel whose provider does not answer."""

    channel: Channel
    arrived: Callable[[], list[tuple[str, str]]]
    refused: str
    put_off: str
    nobody: Channel


class ChannelContract:
    """The promises of `spira.engage.channels.base`."""

    @pytest.fixture
    def stand_in(self) -> StandIn:
        """The stand-in; a subclass gives it."""
        raise AssertionError("a contract's subclass gives its `stand_in`")

    def test_a_message_that_is_taken_has_an_id_and_arrives_once(self, stand_in: StandIn) -> None:
        """
        `send` returns what the provider calls it, and the message is there, once.
        """
        assert stand_in.channel.send(MESSAGE)
        assert stand_in.arrived() == [(MESSAGE.address, MESSAGE.delivery_id)]

    def test_a_message_that_will_never_be_taken_is_rejected(self, stand_in: StandIn) -> None:
        """
        A refusal of this address is told apart from trouble that passes.
        """
        with pytest.raises(ChannelRejected):
            stand_in.channel.send(msgspec.structs.replace(MESSAGE, address=stand_in.refused))

    def test_a_message_that_is_put_off_can_be_tried_again(self, stand_in: StandIn) -> None:
        """
        A provider that asks for patience gets it.
        """
        with pytest.raises(ChannelUnavailable):
            stand_in.channel.send(msgspec.structs.replace(MESSAGE, address=stand_in.put_off))

    def test_a_provider_that_does_not_answer_is_unavailable(self, stand_in: StandIn) -> None:
        """
        Nothing was handed over, so it can be tried again.
        """
        with pytest.raises(ChannelUnavailable):
            stand_in.nobody.send(MESSAGE)

    def test_one_fault_among_several_stops_nobody_else(self, stand_in: StandIn) -> None:
        """
        Each message has its own outcome, in the order they were given.
        """
        addresses = ["a@example.com", stand_in.refused, "b@example.com", stand_in.put_off, "c@example.com"]
        messages = [
            msgspec.structs.replace(MESSAGE, address=address, delivery_id=str(number))
            for number, address in enumerate(addresses)
        ]
        handed = stand_in.channel.send_all(messages)
        assert [each.outcome for each in handed] == ["sent", "failed", "sent", "retry", "sent"]
        assert [each.delivery_id for each in handed] == ["0", "1", "2", "3", "4"]
        assert sorted(stand_in.arrived()) == [("a@example.com", "0"), ("b@example.com", "2"), ("c@example.com", "4")]

    def test_a_provider_that_is_down_costs_no_message(self, stand_in: StandIn) -> None:
        """
        All are to be tried again.
        """
        messages = [msgspec.structs.replace(MESSAGE, delivery_id=str(number)) for number in range(12)]
        assert {each.outcome for each in stand_in.nobody.send_all(messages)} == {"retry"}

    def test_a_channel_is_frozen(self, stand_in: StandIn) -> None:
        """
        Nothing of one sending is left for the next.
        """
        assert replace(stand_in.channel) == stand_in.channel  # type: ignore[type-var]  # every one is a dataclass

    def test_receipts_it_does_not_understand_tell_of_nothing(self, stand_in: StandIn) -> None:
        """
        A provider's other calls are no fault.
        """
        assert list(stand_in.channel.receipts({"something": "else"})) == []
