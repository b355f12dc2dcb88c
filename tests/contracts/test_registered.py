"""What is registered keeps the promises of its kind: channels, models, jobs, kinds of definition.

The stores' contracts run where the stores are tested (`tests/storage`), each channel's over its
own stand-in (`tests/engage/channels`). What can be asked of every one alike is asked here.
"""

from __future__ import annotations

import ast
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import msgspec
import pytest

import spira.worker.builtin  # noqa: F401  (registers everything)
from spira.collect.connectors.base import CONNECTORS, Connector
from spira.definitions.kinds import KINDS
from spira.engage.channels.base import CHANNELS, Channel
from spira.engage.destinations.base import DESTINATIONS, Destination
from spira.kernel.jobs import JOBS
from spira.kernel.options import is_required, options_of
from spira.segment.models import compute as modelling
from spira.segment.models.base import MODELS
from spira.testing.houses import NOON, House
from spira.testing.walks import SHOP, applied
from spira.unify.kinds import KINDS as IDENTIFIERS

TESTS = Path(__file__).parents[1]
KNOWN_RECEIPTS = ("Email", "Message")  # what stage 8 folds, by the first word of the event


@cache
def _classes():
    """The classes of all tests: what each builds on, and what it says."""
    return [
        ([ast.unparse(base) for base in node.bases], ast.unparse(node))
        for path in TESTS.rglob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.bases
    ]


def _held(contract):
    return "".join(text for bases, text in _classes() if contract in bases)


def _ours(registry):
    return [made.__name__ for made in map(registry.get, registry) if made.__module__.startswith("spira.")]


@pytest.mark.parametrize("name", list(CHANNELS))
def test_a_channel_is_a_frozen_dataclass_that_says_whom_it_writes_to(name):
    """
    Its options can't change under way, its identifier is one that people have, and its receipts are understood.
    """
    made = CHANNELS.get(name)
    assert issubclass(made, Channel)
    assert is_dataclass(made)
    assert made.identifier in IDENTIFIERS
    assert made.events in KNOWN_RECEIPTS
    wanted = {each.name: _something(each.type) for each in fields(made) if is_required(each)}
    opened = made(**wanted)
    with pytest.raises(FrozenInstanceError):
        setattr(opened, next(iter(options_of(made))), "another")


def test_every_channel_of_ours_passes_the_contract():
    """
    For each channel in the package there is a subclass of `ChannelContract` that opens it.
    """
    ours = _ours(CHANNELS)
    assert ours
    assert [each for each in ours if f"channel={each}(" not in _held("ChannelContract")] == []


@pytest.mark.parametrize("name", list(CONNECTORS))
def test_a_connector_is_a_frozen_dataclass(name):
    """
    Its options can't change under way; no two connectors read files of one ending.
    """
    made = CONNECTORS.get(name)
    assert issubclass(made, Connector)
    assert is_dataclass(made)
    assert made.__dataclass_params__.frozen
    endings = [suffix for _, each in CONNECTORS.items() for suffix in each.suffixes]
    assert len(endings) == len(set(endings))


def test_every_connector_of_ours_passes_the_contract():
    """
    For each connector in the package there is a subclass of `ConnectorContract` that opens it.
    """
    ours = _ours(CONNECTORS)
    assert len(ours) == 7
    assert [each for each in ours if f"nowhere={each}(" not in _held("ConnectorContract")] == []


@pytest.mark.parametrize("name", list(DESTINATIONS))
def test_a_destination_is_a_frozen_dataclass(name):
    """
    Its options can't change under way, and none of them is called like a field of every destination.
    """
    made = DESTINATIONS.get(name)
    assert issubclass(made, Destination)
    assert is_dataclass(made)
    assert made.__dataclass_params__.frozen
    assert not set(options_of(made)) & set(KINDS.get("destination").model.model_fields)


def test_every_destination_of_ours_passes_the_contract():
    """
    For each destination in the package there is a subclass of `DestinationContract` that opens it.
    """
    ours = _ours(DESTINATIONS)
    assert len(ours) == 2
    assert [each for each in ours if f"destination={each}(" not in _held("DestinationContract")] == []


@pytest.mark.parametrize("name", list(JOBS))
def test_a_job_can_cross_to_a_child(name):
    """
    Its task and its result can be packed and read back by their types alone.
    """
    job = JOBS.get(name)
    for crossing in (job.task, job.result):
        msgspec.msgpack.Decoder(crossing)
        assert issubclass(crossing, msgspec.Struct | msgspec.Raw)


@pytest.mark.parametrize("name", list(KINDS))
def test_a_kind_of_definition_is_named_and_closed(name):
    """
    A definition must have its name, may not change once it was read, and lies in a folder of its kind.
    """
    kind = KINDS.get(name)
    assert kind.model.model_fields[kind.key].is_required()
    assert kind.model.model_config["frozen"]
    assert kind.model.model_config["strict"]
    assert kind.folder.isidentifier()


@pytest.fixture
def model_run():
    """Runs a kind of model over a house, and gives the scores."""
    with House() as house:
        yield house, lambda name, days: _scores(house, name, days)


@pytest.mark.parametrize("name", list(MODELS))
def test_a_model_of_nobody_scores_nobody(name, model_run):
    """
    An empty shop is no fault.
    """
    assert model_run[1](name, 0) == []


@pytest.mark.parametrize("name", list(MODELS))
def test_a_model_scores_each_person_once_and_alike_each_time(name, model_run):
    """
    Running it again changes nothing, and no event at or after the instant has a say.
    """
    house, scores = model_run
    _orders(house, person=1, days=(0, 10, 20))
    _orders(house, person=2, days=(3, 5))
    first = scores(name, 21)
    assert sorted(profile for profile, *_ in first) == sorted({profile for profile, *_ in first})
    assert first
    assert scores(name, 21) == first
    _orders(house, person=1, days=(21, 30))
    _orders(house, person=3, days=(22,))
    assert [each for each in scores(name, 21) if each[0] != 3] == first


def _orders(house, *, person, days):
    """Orders of a person, loaded as a batch."""
    house.subject(person, "user_id")
    for day in days:
        house.say(person, "Order Completed", hours=24 * day, revenue=10)
    if not house.warehouse.value("select count(*) from profiles where profile_id = ?", [person]):
        house.put("profiles", profile_id=person)
    house.load()


def _scores(house, name, days):
    """The scores after a run of a model of this kind, so many days after noon."""
    world = applied(SHOP, f"model: tried\nkind: {name}\nevent: Order Completed\n")
    modelling.compute(house.warehouse, world, NOON + timedelta(days=days))
    return house.warehouse.query("select * exclude (as_of) from scores order by profile_id")


def _something(kind):
    """A value for an option that must be given."""
    return {"str": "http://127.0.0.1:1/", "int": 1, "float": 1.0, "bool": True}[str(kind)]
