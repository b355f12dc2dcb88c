"""The topic: where calls are kept when `collect.log` names Kafka, as the core sees it.

Only what comes through collection is kept there. What Spira says itself (attempts, results, receipts,
what was replayed or imported) stays in the core's own log, which it can rewrite.
"""

from __future__ import annotations

from collections.abc import Mapping

from spira.collect.keyed import by_person
from spira.kernel.settings import Settings
from spira.storage.keys import Keys
from spira.storage.log import BEGINNING, Position
from spira.storage.log_kafka import KafkaLog, Partition, Topic


class TopicReader:
    """The topic's partitions and how far behind loading is; of nothing when calls are kept in files. Close it."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self.log = topic_log(settings, keys)
        self.behind = 0

    def logs(self) -> list[Partition]:
        """The partitions there are now."""
        return self.log.partitions() if self.log else []

    def loaded(self, positions: Mapping[str, Position]) -> int:
        """Reckon anew how many bytes wait, once they were loaded up to here; asked of the broker."""
        self.behind = sum(each.size_after(positions.get(each.name, BEGINNING)) for each in self.logs())
        return self.behind

    def close(self) -> None:
        """Send what is queued."""
        if self.log:
            self.log.close()


def topic_log(settings: Settings, keys: Keys) -> KafkaLog | None:
    """The writer that `collect.log` asks for; None for a log in files."""
    where = settings.collect.log
    return KafkaLog(Topic.of(where), keys, split=by_person(keys)) if where else None
