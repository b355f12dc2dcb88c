"""A log in Kafka: what is accepted is acknowledged when all in-sync replicas have it (docs/decisions/0016-kafka.md).

`KafkaLog` writes: an idempotent producer, acks=all, one message for all records of an append that
have a key in common, so that they are kept together or not at all. A message is sealed and packed;
its key is a hash. A broker that is away is answered for with LogUnavailable, at once when it is known
to be away. What a message was refused for may be there all the same; whoever reads removes
duplicates by message id, as with every log.

`Partition` reads: a place is `Position(0, offset)`, so that where reading ended can be kept with the
rows. What the broker no longer has is damage, reported with its offsets. There are no segments: a
roll is where the partition ends, and nothing is rewritten.
"""

from __future__ import annotations

import asyncio
import logging
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

from spira.kernel.errors import LogUnavailable, StorageDamaged, WorkspaceInvalid
from spira.storage import sealing
from spira.storage.frames import SEALED, Damage
from spira.storage.keys import Keys
from spira.storage.log import BEGINNING, Chunk, Position

SCHEME = "kafka://"
GONE = "no longer kept"
DELIVERY_SECONDS = 5.0
QUEUE_KB = 65_536
MOST_AT_ONCE = 500  # messages that are asked for together; fewer are waited for no longer than there are
RECORD_BYTES = 1_000  # what a message is taken to hold where only their number is known
Keyed = tuple[bytes | None, list[bytes]]
Split = Callable[[Sequence[bytes]], Iterable[Keyed]]

_SIZE = struct.Struct(">I")
_FULL = "the records were not kept; send them again. See that the Kafka brokers can be reached and have room"
_QUIET = {"log_level": 2, "log.connection.close": False, "socket.keepalive.enable": True}
_log = logging.getLogger("spira.kafka")


@dataclass(frozen=True, slots=True)
class Topic:
    """Where a log lies: `kafka://HOST:PORT[,HOST:PORT…]/TOPIC`."""

    brokers: str
    name: str

    @classmethod
    def of(cls, url: str) -> Topic:
        """What a setting says; WorkspaceInvalid when it is no such address."""
        brokers, slash, name = url.removeprefix(SCHEME).partition("/")
        if not url.startswith(SCHEME) or not brokers or not slash or not name or "/" in name:
            raise WorkspaceInvalid(f"`{url}` is no log in Kafka", help=f"write {SCHEME}HOST:PORT/TOPIC")
        return cls(brokers, name)

    @property
    def url(self) -> str:
        return f"{SCHEME}{self.brokers}/{self.name}"


def together(records: Sequence[bytes]) -> Iterable[Keyed]:
    """All records of an append in one message, to whichever partition."""
    return [(None, list(records))]


class KafkaLog:
    """The writer of a topic, or of one partition of it. Close it, or use it as a context manager."""

    def __init__(self, topic: Topic, keys: Keys, *, split: Split = together, partition: int = -1) -> None:
        self._topic, self._keys, self._split, self._partition = topic, keys, split, partition
        self._codec = pa.Codec("zstd", compression_level=1)
        self._lock = threading.Lock()
        self._away = threading.Event()
        self._closing = threading.Event()
        self._producer = self._made()
        self._thread = threading.Thread(target=self._poll, name="kafka", daemon=True)
        self._thread.start()

    def append(self, records: Sequence[bytes]) -> Position:
        """Return when the records are kept: the place behind the last of them. LogUnavailable when they are not."""
        return self._send(records).result()

    async def append_soon(self, record: bytes) -> Position:
        """`append` of one record for a coroutine, which waits without holding a thread."""
        return await asyncio.wrap_future(self._send((record,)))

    def partitions(self) -> list[Partition]:
        """The partitions there are now; none while the broker is away."""
        if self._away.is_set():
            return []
        try:
            found = self._producer.list_topics(self._topic.name, timeout=DELIVERY_SECONDS).topics[self._topic.name]
        except Exception as fault:  # KafkaException, which is known only where the library is
            _log.warning("the topic %s can't be looked at: %s", self._topic.name, fault)
            return []
        return [Partition(self._topic, each, self._keys) for each in sorted(found.partitions)]

    def close(self) -> None:
        """Send what is queued, and refuse everything after."""
        self._closing.set()
        self._thread.join()
        self._producer.flush(DELIVERY_SECONDS)

    def __enter__(self) -> KafkaLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, records: Sequence[bytes]) -> Future[Position]:
        if self._closing.is_set():
            raise LogUnavailable("the log is closed", help="start Spira again")
        if self._away.is_set():
            raise LogUnavailable("the Kafka brokers can't be reached", help=_FULL)
        lots = list(self._split(records)) if records else []
        sending = _Sending(len(lots))
        where = {} if self._partition < 0 else {"partition": self._partition}
        for key, lot in lots:
            try:
                self._producer.produce(
                    self._topic.name, self._packed(lot), key=key, on_delivery=sending.delivered, **where
                )
            except Exception as fault:  # BufferError: full; KafkaException: fatal
                sending.failed(fault)
        sending.begun()
        return sending.future

    def _packed(self, records: Sequence[bytes]) -> bytes:
        raw = msgspec.msgpack.encode(list(records))
        packed = _SIZE.pack(len(raw)) + self._codec.compress(raw, asbytes=True)
        return sealing.seal(self._keys, packed, context=_context(self._topic))

    def _poll(self) -> None:
        """Hear of deliveries, and look whether a broker that is away has come back."""
        look_at = 0.0
        while not self._closing.is_set():
            self._producer.poll(0.1)
            if self._away.is_set() and time.monotonic() >= look_at:
                look_at = time.monotonic() + 1.0
                self._look()

    def _look(self) -> None:
        try:
            self._producer.list_topics(self._topic.name, timeout=1.0)
        except Exception:
            return
        _log.warning("the Kafka brokers are back")
        self._away.clear()

    def _made(self) -> Any:
        return _library().Producer(
            {
                **_QUIET,
                "bootstrap.servers": self._topic.brokers,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 0,
                "message.timeout.ms": int(DELIVERY_SECONDS * 1000),
                "queue.buffering.max.kbytes": QUEUE_KB,
                "message.max.bytes": 100_000_000,
                "error_cb": self._told,
            }
        )

    def _told(self, error: Any) -> None:
        """What the library has to say beside deliveries."""
        if error.code() == _library().KafkaError._ALL_BROKERS_DOWN and not self._away.is_set():
            _log.error("the Kafka brokers can't be reached; collection answers 503 until they can")
            self._away.set()
        if error.fatal():
            _log.error("the producer gave up (%s); another takes its place", error)
            with self._lock:
                self._producer = self._made()


class _Sending:
    """The messages of one append on their way: done when the last is, failed when one is."""

    def __init__(self, count: int) -> None:
        self.future: Future[Position] = Future()
        self._lock = threading.Lock()
        self._left = count + 1
        self._last = BEGINNING
        self._fault: object = None

    def begun(self) -> None:
        """All were handed over."""
        self._one_less()

    def failed(self, fault: object) -> None:
        """One could not be handed over."""
        self._one_less(fault=fault)

    def delivered(self, error: Any, message: Any) -> None:
        """One was kept, or given up."""
        self._one_less(fault=error, last=BEGINNING if error else Position(0, message.offset() + 1))

    def _one_less(self, *, fault: object = None, last: Position = BEGINNING) -> None:
        with self._lock:
            self._left -= 1
            self._fault = self._fault or fault
            self._last = max(self._last, last)
            if self._left:
                return
        if self._fault is None:
            self.future.set_result(self._last)
        else:
            self.future.set_exception(LogUnavailable(f"the log could not be written: {self._fault}", help=_FULL))


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition, to be read from any place on; used by one thread at a time."""

    topic: Topic
    number: int
    keys: Keys

    @property
    def name(self) -> str:
        """The name that the place read to is kept under."""
        return f"kafka-{self.topic.name}-{self.number}"

    @property
    def directory(self) -> str:
        """What `partition_of` knows it by, where another log has its directory."""
        return f"{self.topic.url}#{self.number}"

    def end(self) -> Position:
        """Behind the last message; the beginning while the broker is away, so that nothing is waited for."""
        try:
            return Position(0, _consumer(self).get_watermark_offsets(_place(self), timeout=DELIVERY_SECONDS)[1])
        except Exception as fault:
            _log.warning("%s can't be read: %s", self.name, fault)
            return BEGINNING

    def size_after(self, position: Position) -> int:
        """About how many bytes lie behind a place; Kafka counts messages only."""
        return max(0, self.end().offset - position.offset) * RECORD_BYTES

    def read(self, start: Position, *, limit_bytes: int) -> Chunk:
        """The records from a place on, about `limit_bytes` of them; LogUnavailable while the broker is away."""
        try:
            return self._read(start, limit_bytes)
        except _library().KafkaException as fault:
            raise LogUnavailable(f"{self.name} can't be read: {fault}", help="it is tried again") from fault

    def _read(self, start: Position, limit_bytes: int) -> Chunk:
        consumer = _consumer(self)
        low, high = consumer.get_watermark_offsets(_place(self), timeout=DELIVERY_SECONDS)
        damage: list[Damage] = []
        at = start.offset
        if not low <= at <= high:  # retention was quicker than loading, or the topic was made anew
            damage.append(Damage(segment=0, offset=at, length=max(0, low - at), why=GONE))
            at = low
        records: list[bytes] = []
        places: list[Position] = []
        held = 0
        consumer.assign([_place(self, at)])
        until = time.monotonic() + DELIVERY_SECONDS
        while at < high and held < limit_bytes and time.monotonic() < until:
            for message in consumer.consume(min(MOST_AT_ONCE, high - at), timeout=1.0):
                if message.error():
                    raise _library().KafkaException(message.error())
                until = time.monotonic() + DELIVERY_SECONDS
                if held >= limit_bytes:
                    break
                at = message.offset()
                lot = self._opened(message.value())
                if lot is None:
                    damage.append(Damage(segment=0, offset=at, length=1, why=SEALED))
                else:
                    first = start.record if at == start.offset else 0
                    records += lot[first:]
                    places += [Position(0, at, each) for each in range(first, len(lot))]
                    held += sum(map(len, lot))
                at += 1
        consumer.unassign()  # so that nothing is fetched until the next time
        return Chunk(records=records, places=places, end=Position(0, at), damage=tuple(damage))

    def _opened(self, value: bytes) -> list[bytes] | None:
        try:
            packed = sealing.unseal(self.keys, value, context=_context(self.topic))
        except StorageDamaged:
            return None
        (size,) = _SIZE.unpack_from(packed)
        raw = pa.Codec("zstd").decompress(packed[_SIZE.size :], decompressed_size=size, asbytes=True)
        return msgspec.msgpack.decode(raw, type=list[bytes])


def partition_of(place: str, keys: Keys) -> Partition | None:
    """The partition that `Partition.directory` named; None for the directory of another log."""
    if not place.startswith(SCHEME):
        return None
    url, _, number = place.partition("#")
    return Partition(Topic.of(url), int(number), keys)


_consumers: dict[tuple[Topic, int], Any] = {}
_making = threading.Lock()


def _consumer(partition: Partition) -> Any:
    """This process's consumer of a partition; making one costs more than using it."""
    asked = (partition.topic, partition.number)
    with _making:
        if asked not in _consumers:
            _consumers[asked] = _library().Consumer(
                {
                    **_QUIET,
                    "bootstrap.servers": partition.topic.brokers,
                    "group.id": "spira",  # asked for by the library; nothing is ever committed to the broker
                    "enable.auto.commit": False,
                    "auto.offset.reset": "error",
                    "fetch.wait.max.ms": 50,  # a request under way holds up the next place that is asked for
                    "isolation.level": "read_committed",
                    "check.crcs": True,
                }
            )
        return _consumers[asked]


def _place(partition: Partition, offset: int = 0) -> Any:
    return _library().TopicPartition(partition.topic.name, partition.number, offset)


def _context(topic: Topic) -> bytes:
    return f"kafka {topic.name}".encode()


def _library() -> Any:
    try:
        import confluent_kafka
    except ImportError:
        raise WorkspaceInvalid(
            "a log in Kafka needs the library confluent-kafka", help='install it with pip install "spira[kafka]"'
        ) from None
    return confluent_kafka
