"""Upkeep: what a tick does for the stores themselves, in slices, after everything else.

Reads   every sealed value, the logs, `progress`, and the settings under `[retention]`
Writes  the same values and segments under the current key, when the keys were changed; what retention deletes

It is maintenance, as erasing is: it may touch every table, and changes what none of them says. A kill
anywhere leaves a state that the next tick goes on from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spira.collect import log_retention, quarantine_seals
from spira.collect.imports import uploads
from spira.collect.load import LOG, positions
from spira.kernel.clock import local
from spira.storage import frames, progress, resealing
from spira.storage.files import RealFiles
from spira.storage.log import SegmentFile, rewrite_segment, segments
from spira.unify import retention
from spira.worker.paths import Paths
from spira.worker.turn import Turn

RESEALED, LOG_RESEALED = "storage.reseal", "storage.reseal_log"
RETAINED = "storage.retention"
FIRST_KEY = frames.FIRST_KEY


def run(turn: Turn) -> int:
    """A slice of everything; how many values were sealed again, rows deleted and calls made bare."""
    uploads.sweep(turn.directory)
    return reseal(turn) + reseal_log(turn) + retain(turn) + retain_log(turn)


def retain(turn: Turn) -> int:
    """Delete a slice of what is kept no longer, until the day's work is done; how many rows."""
    wanted = retention.rules(turn.settings.retention)
    day = local(turn.as_of, turn.settings.workspace.zone).date()
    if not wanted or progress.since(turn.warehouse, RETAINED) >= day.toordinal():
        return 0
    gone = retention.step(turn.warehouse, wanted, as_of=turn.as_of, day=day)
    if not gone:
        progress.mark(turn.warehouse, RETAINED, day.toordinal(), turn.as_of)
    return gone


def retain_log(turn: Turn) -> int:
    """Make the calls bare whose time is over, in one segment of each log that is due; how many."""
    wanted = retention.rules(turn.settings.retention)
    rules = retention.of_events(wanted)
    if not rules.days:
        return 0
    done = sum(
        log_retention.step(turn.warehouse, name, where, turn.keys, rules, as_of=turn.as_of, files=RealFiles())
        for name, where in _logs(turn)
    )
    if done:
        day = local(turn.as_of, turn.settings.workspace.zone).date()
        retention.note_log(turn.warehouse, wanted, done, as_of=turn.as_of, day=day)
    return done


def reseal(turn: Turn) -> int:
    """Seal a slice again after a change of keys; how many values. Nothing is read once all is done."""
    current = turn.keys.current
    if current == FIRST_KEY or progress.since(turn.warehouse, RESEALED) >= current:
        return 0
    done = resealing.step(turn.state, turn.keys)
    done = done or quarantine_seals.step(turn.warehouse, turn.keys)
    if not done:
        turn.state.settle()
        with turn.warehouse.transaction():
            progress.mark(turn.warehouse, RESEALED, current, turn.as_of)
    return done


def reseal_log(turn: Turn) -> int:
    """Seal one segment of each log again that an older key sealed; how many. Only what was loaded is touched.

    The segment that is being written ends, so that it is one of them later; a collector goes on with the key that it
    began with until it is started again.
    """
    current = turn.keys.current
    if current == FIRST_KEY or progress.since(turn.warehouse, LOG_RESEALED) >= current:
        return 0
    files, done, waiting = RealFiles(), 0, 0
    loaded = positions(turn.warehouse)
    for name, where in _logs(turn):
        old = old_segments(where, current)
        waiting += len(old)
        due = next((each for each in old if name in loaded and each.number < loaded[name].segment), None)
        if due is not None:
            rewrite_segment(files, due, turn.keys, lambda record: record, anew=True)
            done += 1
        elif old and name == LOG:
            turn.log.roll()
    if not waiting:
        with turn.warehouse.transaction():
            progress.mark(turn.warehouse, LOG_RESEALED, current, turn.as_of)
    return done


def old_segments(directory: Path, current: int) -> list[SegmentFile]:
    """The segments of a log whose key is not the current one."""
    files = RealFiles()
    return [each for each in segments(directory) if frames.key_number(files, each.path) not in (None, current)]


def logs_of(directory: Path) -> list[Path]:
    """The logs of a workspace that lie in files: the core's own, and those of collectors."""
    paths = Paths(directory)
    return [each for each in (paths.log, *paths.logs_apart) if each.is_dir()]


def _logs(turn: Turn) -> Iterator[tuple[str, Path]]:
    """The logs that lie in files here, by name."""
    yield LOG, Paths(turn.directory).log
    for each in turn.apart:
        if isinstance(each.directory, Path):
            yield each.name, each.directory
