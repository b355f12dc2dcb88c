"""The log in Kafka: the same promises as the log in files, over the broker that librdkafka brings for tests."""

from __future__ import annotations

import asyncio
import threading
from itertools import count

import pytest

from spira.kernel.errors import LogUnavailable, WorkspaceInvalid
from spira.storage.keys import new_keys
from spira.storage.log import BEGINNING, Position
from spira.storage.log_kafka import GONE, KafkaLog, Partition, Topic, partition_of
from spira.testing.logs import RecordContract, everything
from spira.testing.states import fixed_keys

kafka = pytest.importorskip("confluent_kafka")
KEYS = fixed_keys()
_numbers = count()


class Broker:
    """A Kafka cluster within this process, until it is stopped."""

    def __init__(self):
        from confluent_kafka.admin import AdminClient

        self._mock = AdminClient({"test.mock.num.brokers": 1, "bootstrap.servers": "x", "log_level": 2})
        told = self._mock.list_topics(timeout=10).brokers.values()
        self.brokers = ",".join(f"{each.host}:{each.port}" for each in told)

    def topic(self):
        """A topic that nobody has used."""
        made = Topic(self.brokers, f"spira{next(_numbers)}")
        self._mock.list_topics(made.name, timeout=10)  # asking makes it
        return made

    def stop(self):
        """Go away."""
        self._mock = None


@pytest.fixture(scope="module")
def broker():
    """A cluster that the tests of this file share."""
    return Broker()


class OnePartition(KafkaLog):
    """A writer and reader of one partition, as the suite wants it."""

    def __init__(self, topic, **more):
        super().__init__(topic, KEYS, partition=0, **more)
        self._reading = Partition(topic, 0, KEYS)

    def read(self, start, *, limit_bytes=1 << 20):
        """From a place on."""
        return self._reading.read(start, limit_bytes=limit_bytes)

    def end(self):
        """Behind the last."""
        return self._reading.end()

    def roll(self):
        """There are no segments: the end is the line."""
        return self.end()

    def size_after(self, position):
        """About."""
        return self._reading.size_after(position)


class TestKafkaLog(RecordContract):
    """The log in Kafka passes the suite."""

    @pytest.fixture(autouse=True)
    def _broker(self, broker):
        self.broker, self.topics = broker, {}

    def open(self, directory):
        """A topic for each directory."""
        return OnePartition(self.topics.setdefault(directory, self.broker.topic()))


def test_coroutines_are_told_on_their_own_loop(broker):
    """A thousand requests at once are each answered when theirs is kept."""
    said = [b"%d" % number for number in range(1000)]

    async def all_at_once(log):
        return await asyncio.gather(*(log.append_soon(record) for record in said))

    with OnePartition(broker.topic()) as log:
        ends = asyncio.run(all_at_once(log))
        assert max(ends) == log.end()
        assert everything(log) == said


def test_records_of_one_key_keep_their_order_in_one_partition(broker):
    """What the splitting gives a key goes to the key's partition, all of it there once."""
    topic = broker.topic()

    def by_letter(records):
        return [(record[:1], [record]) for record in records]

    said = [b"%c%d" % (letter, number) for number in range(30) for letter in b"abcdef"]
    with KafkaLog(topic, KEYS, split=by_letter) as log:
        for start in range(0, len(said), 6):
            log.append(said[start : start + 6])
        found = {each.number: each.read(BEGINNING, limit_bytes=1 << 20).records for each in log.partitions()}
    assert sum(map(len, found.values())) == len(said)
    for letter in b"abcdef":
        (where,) = [number for number, records in found.items() if any(each[0] == letter for each in records)]
        own = [each for each in found[where] if each[0] == letter]
        assert own == [b"%c%d" % (letter, number) for number in range(30)]


def test_nothing_on_the_broker_is_in_clear(broker):
    """Values are sealed; other keys do not open them, and that is damage and not an end."""
    topic = broker.topic()
    with OnePartition(topic) as log:
        log.append([b"anna@example.org" * 20])
        log.append([b"second"])
    consumer = kafka.Consumer({"bootstrap.servers": topic.brokers, "group.id": "thief", "log_level": 2})
    consumer.assign([kafka.TopicPartition(topic.name, 0, 0)])
    (message,) = consumer.consume(1, timeout=10)
    consumer.close()
    assert b"anna" not in message.value()
    chunk = Partition(topic, 0, new_keys()).read(BEGINNING, limit_bytes=1 << 20)
    assert (chunk.records, len(chunk.damage), chunk.end) == ([], 2, Position(0, 2))


def test_what_the_broker_no_longer_has_is_damage(broker):
    """A place beyond the end, as after a topic was made anew, is reported and reading begins with what there is."""
    with OnePartition(broker.topic()) as log:
        log.append([b"one"])
        chunk = log.read(Position(0, 7))
        assert chunk.records == [b"one"]
        assert [each.why for each in chunk.damage] == [GONE]


def test_a_broker_that_is_away_is_said_and_at_once_when_it_is_known():
    """The first caller waits for the delivery to fail; those who come later are told without waiting."""
    broker = Broker()
    topic = broker.topic()
    log = OnePartition(topic)
    log.append([b"one"])
    broker.stop()
    with pytest.raises(LogUnavailable):
        log.append([b"two"])
    assert log._away.wait(10)
    done = threading.Event()
    for _ in range(100):
        with pytest.raises(LogUnavailable, match="can't be reached"):
            log.append([b"three"])
    done.set()
    assert log.end() == BEGINNING
    assert log.partitions() == []
    with pytest.raises(LogUnavailable):
        log.read(BEGINNING)
    log.close()


def test_a_closed_log_refuses(broker):
    """After closing, nothing is taken."""
    log = OnePartition(broker.topic())
    log.close()
    with pytest.raises(LogUnavailable, match="closed"):
        log.append([b"late"])


def test_an_address_says_brokers_and_topic():
    """Anything else is refused with how to write it."""
    topic = Topic.of("kafka://one:9092,two:9092/spira")
    assert (topic.brokers, topic.name) == ("one:9092,two:9092", "spira")
    again = partition_of(Partition(topic, 3, KEYS).directory, KEYS)
    assert again == Partition(topic, 3, KEYS)
    assert partition_of("/srv/shop/data/log", KEYS) is None
    for wrong in ("kafka://", "kafka://host", "kafka://host/", "redis://host/topic", "kafka://host/a/b"):
        with pytest.raises(WorkspaceInvalid, match="no log in Kafka"):
            Topic.of(wrong)
