"""DestinationContract: what every destination must do, whoever wrote it.

Subclass it in your tests, and say how your destination is opened on a place of this machine:

    class TestMine(DestinationContract):
        @pytest.fixture
        def place(self, tmp_path): ...          # yields a StandInDestination
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
import pytest

from spira.engage.destinations.base import Batch, Destination, Given
from spira.kernel.errors import DestinationRefused, DestinationUnavailable

AT = datetime(2026, 3, 1, 12)
PEOPLE = [
    Given(op="removed", values={"id": "p_gone", "city": None}),
    Given(op="added", values={"id": "p_one", "city": "青岛"}),
    Given(op="added", values={"id": "p_two", "city": '=a, "b"'}),
    Given(op="changed", values={"id": "p_three", "city": None}),
]
BATCH = Batch(
    batch_id="run_1-00001",
    run_id="run_1",
    destination="mine",
    audience="loyal",
    number=0,
    batches=1,
    everyone=False,
    at=AT,
    mark="exp_1",
    fields=["id", "city"],
    people=PEOPLE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInDestination:
    """A place for tests: the destination opened on it, what lies there as (op, id) pairs in the order they came,
    and destinations that don't answer, and that refuse whatever they are given."""

    destination: Destination
    there: Callable[[], list[tuple[str, str]]]
    nobody: Destination
    refusing: Destination


class DestinationContract:
    """The promises of `spira.engage.destinations.base`."""

    @pytest.fixture
    def place(self) -> StandInDestination:
        """The place; a subclass gives it."""
        raise AssertionError("a contract's subclass gives its `place`")

    def test_everybody_of_a_batch_arrives_once(self, place: StandInDestination) -> None:
        """
        All are taken, in their order, whatever is in their values.
        """
        taken = place.destination.give(BATCH)
        assert (taken.taken, taken.refused) == (len(PEOPLE), [])
        assert place.there() == [(each.op, each.values["id"]) for each in PEOPLE]

    def test_the_same_batch_again_changes_nothing(self, place: StandInDestination) -> None:
        """
        Its id is the key: who was killed after giving it may give it again.
        """
        place.destination.give(BATCH)
        assert place.destination.give(BATCH).taken == len(PEOPLE)
        assert len(place.there()) == len(PEOPLE)

    def test_the_next_batch_lies_beside_it(self, place: StandInDestination) -> None:
        """
        Batches of a run do not overwrite one another.
        """
        place.destination.give(BATCH)
        more = [Given(op="added", values={"id": "p_four", "city": "Köln"})]
        place.destination.give(msgspec.structs.replace(BATCH, batch_id="run_1-00002", number=1, people=more))
        assert len(place.there()) == len(PEOPLE) + 1

    def test_a_probe_leaves_nobody_there(self, place: StandInDestination) -> None:
        """
        A destination that is only tried takes nobody in.
        """
        place.destination.probe("mine", AT)
        assert place.there() == []

    def test_a_place_that_does_not_answer_is_unavailable(self, place: StandInDestination) -> None:
        """
        It is tried again, and the fault says what to do.
        """
        with pytest.raises(DestinationUnavailable) as fault:
            place.nobody.give(BATCH)
        assert fault.value.help
        with pytest.raises(DestinationUnavailable):
            place.nobody.probe("mine", AT)

    def test_a_place_that_will_never_take_it_refuses(self, place: StandInDestination) -> None:
        """
        Trying again would not help, and the fault says what would.
        """
        with pytest.raises(DestinationRefused) as fault:
            place.refusing.give(BATCH)
        assert fault.value.help

    def test_a_destination_is_frozen(self, place: StandInDestination) -> None:
        """
        Nothing of one batch is left for the next.
        """
        assert replace(place.destination) == place.destination  # type: ignore[type-var]  # every one is a dataclass
