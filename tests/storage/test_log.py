"""The log: what was acknowledged is there, whatever happens to the disk or the process."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from spira.kernel.errors import LogUnavailable, StorageDamaged
from spira.storage.frames import Segment, walk
from spira.storage.keys import new_keys
from spira.storage.log import BEGINNING, Log, Position, read, rewrite, segments
from spira.testing.files import ForgetfulFiles
from spira.testing.logs import LogContract, everything
from spira.testing.states import fixed_keys

PLACE = Path("/log")
KEYS = fixed_keys()


class TestSegmentedLog(LogContract):
    """The built-in log passes the suite."""


class HeldFiles(ForgetfulFiles):
    """A disk whose first sync takes as long as the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.syncing = threading.Event()
        self.go_on = threading.Event()

    def sync(self, handle: int) -> None:
        self.syncing.set()
        assert self.go_on.wait(10)
        super().sync(handle)


def opened(disk: ForgetfulFiles, **options) -> Log:
    return Log.open(PLACE, KEYS, files=disk, **options)


def recovered(disk: ForgetfulFiles) -> list[bytes]:
    """What the next start reads."""
    with opened(disk) as log:
        return everything(log)


def segment_path(disk: ForgetfulFiles, number: int = 1) -> Path:
    return next(each.path for each in segments(PLACE, disk) if each.number == number)


def test_callers_that_wait_together_share_one_sync():
    """While one sync runs, everyone who comes queues up, and the next sync is for all of them."""
    disk = HeldFiles()
    with opened(disk) as log:
        first = threading.Thread(target=log.append, args=([b"first"],))
        first.start()
        assert disk.syncing.wait(10)
        others = [threading.Thread(target=log.append, args=([b"%d" % number],)) for number in range(30)]
        for each in others:
            each.start()
        while log._queue._bytes < sum(len(b"%d" % number) for number in range(30)):
            threading.Event().wait(0.001)
        disk.go_on.set()
        for each in (first, *others):
            each.join()
        assert disk.counts["sync"] == 2
        assert sorted(everything(log)) == sorted([b"first", *(b"%d" % number for number in range(30))])


def test_coroutines_share_syncs_and_are_told_on_their_own_loop():
    """A thousand requests at once are durable after a few syncs, in the order they were made."""
    disk = ForgetfulFiles()
    said = [b"%d" % number for number in range(1000)]

    async def all_at_once(log: Log) -> list[Position]:
        return await asyncio.gather(*(log.append_soon(record) for record in said))

    with opened(disk) as log:
        ends = asyncio.run(all_at_once(log))
        assert disk.counts["sync"] < 200
        assert max(ends) == log.end()
        assert everything(log) == said


def test_a_lone_caller_waits_for_nobody():
    """Without others to share with, each append is one write and one sync."""
    disk = ForgetfulFiles()
    with opened(disk) as log:
        for number in range(5):
            log.append([b"%d" % number])
        assert disk.counts["write"] == disk.counts["sync"] == 5


def test_a_caller_that_gave_up_does_no_harm():
    """A cancelled request leaves the others' answers alone."""
    disk = HeldFiles()

    async def give_up(log: Log) -> Position:
        gone = asyncio.ensure_future(log.append_soon(b"gone"))
        stays = asyncio.ensure_future(log.append_soon(b"stays"))
        await asyncio.sleep(0)
        gone.cancel()
        disk.go_on.set()
        return await stays

    with opened(disk) as log:
        assert asyncio.run(give_up(log)) == log.end()


@pytest.fixture(scope="module")
def three_frames() -> tuple[bytes, list[int]]:
    """The bytes of a segment of three frames, as a crash leaves it, and where each frame ends."""
    disk = ForgetfulFiles()
    log = opened(disk)
    ends = [log.append([record]).offset for record in (b"one", b"two", b"three")]
    content = disk.read(segment_path(disk), 0, 10_000)
    log.close()
    return content, ends


def disk_with(content: bytes) -> ForgetfulFiles:
    disk = ForgetfulFiles()
    disk.make_directory(PLACE)
    handle = disk.create(PLACE / "000000000001.log")
    disk.write(handle, content)
    disk.sync(handle)
    disk.sync_directory(PLACE)
    return disk


def test_a_tail_torn_anywhere_is_cut_and_never_continued(three_frames):
    """Whatever part of the last frame is on the disk, the whole ones are read; writing goes on in a new segment."""
    content, ends = three_frames
    for size in range(ends[1], ends[2]):
        disk = disk_with(content[:size])
        with opened(disk) as log:
            assert log.end() == Position(1, ends[1])
            assert log.append([b"four"]).segment == 2
            assert everything(log) == [b"one", b"two", b"four"]
            assert log.damage == []


def test_a_flipped_bit_anywhere_in_the_last_frame_cuts_it(three_frames):
    """No single-bit error of the last frame passes for a record."""
    content, ends = three_frames
    for place in range(ends[1], ends[2]):
        bent = bytearray(content)
        bent[place] ^= 1 << (place % 8)
        disk = disk_with(bytes(bent))
        assert recovered(disk) == [b"one", b"two"]


def test_damage_in_the_middle_costs_only_the_frame_it_touches(three_frames):
    """Later records survive, and the damage is reported with its place."""
    content, ends = three_frames
    for place in range(ends[0], ends[1]):
        bent = bytearray(content)
        bent[place] ^= 1 << (place % 8)
        with opened(disk_with(bytes(bent))) as log:
            assert everything(log) == [b"one", b"three"]
            (found,) = log.damage
            assert (found.segment, found.offset, found.length) == (1, ends[0], ends[1] - ends[0])


def test_the_lost_last_frame_of_a_closed_segment_is_damage():
    """A segment that was closed well tells a missing end from a torn one."""
    disk = ForgetfulFiles()
    with opened(disk) as log:
        first = log.append([b"one"]).offset
        log.append([b"two"])
    disk.damage(segment_path(disk), first + 50)
    with opened(disk) as log:
        assert everything(log) == [b"one"]
        assert [each.offset for each in log.damage] == [first]


def test_a_frame_moved_elsewhere_does_not_open(three_frames):
    """Whoever swaps two sealed frames of equal length gets damage, not records in another order."""
    content, ends = three_frames
    one, two = content[: ends[0]], content[ends[0] : ends[1]]
    assert len(one) == len(two)
    with opened(disk_with(one + one + content[ends[1] :])) as log:
        assert everything(log) == [b"one", b"three"]
        assert [each.why for each in log.damage] == ["can't be unsealed"]


@settings(max_examples=examples(150), deadline=None)
@given(
    lots=st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=3), min_size=1, max_size=12),
    operations=st.integers(0, 60),
    survives=st.integers(0, 200),
    zeros=st.integers(0, 100),
    roll_bytes=st.sampled_from([1, 150, 10_000]),
)
def test_after_a_power_loss_at_any_point_everything_acknowledged_is_there_once(
    lots, operations, survives, zeros, roll_bytes
):
    """Whatever was answered is read after the next start, in order and once, and so is whatever comes next."""
    disk = ForgetfulFiles()
    log = opened(disk, roll_bytes=roll_bytes)
    disk.stop_after(operations)
    acknowledged: list[bytes] = []
    said: list[bytes] = []
    for number, lot in enumerate(lots):
        records = [b"%d/%d/" % (number, place) + each for place, each in enumerate(lot)]
        said += records
        try:
            log.append(records)
        except LogUnavailable:
            continue
        acknowledged += records
    log.close()

    after = disk.power_loss(survives=survives, zeros=zeros)
    with opened(after) as again:
        again.append([b"and on"])
        found = everything(again)

    kept = [record for record in found if record in set(acknowledged)]
    assert kept == acknowledged
    assert len(found) == len(set(found))
    assert set(found) <= {*said, b"and on"}
    assert found[-1] == b"and on"


@pytest.mark.parametrize("operation", ["write", "sync", "create", "sync_directory"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("done_anyway", [False, True])
@pytest.mark.parametrize("rolled", [False, True])
def test_a_full_or_failing_disk_is_said_and_the_next_append_goes_on(operation, error, done_anyway, rolled):
    """The caller hears that its records were not kept; later ones are kept, and once."""
    disk = ForgetfulFiles()
    with opened(disk) as log:
        log.append([b"before"])
        if rolled or operation in ("create", "sync_directory"):
            log.roll()
        disk.fail(operation, error, done_anyway=done_anyway)
        with pytest.raises(LogUnavailable, match="could not be written"):
            log.append([b"refused"])
        log.append([b"after"])
        assert everything(log) == [b"before", b"after"]
    found = recovered(disk.power_loss())
    assert [each for each in found if each != b"refused"] == [b"before", b"after"]


def test_a_sync_that_failed_is_not_tried_again_on_its_file():
    """After a failed sync nobody knows what the file holds; it is left as it was and never written again."""
    disk = ForgetfulFiles()
    with opened(disk) as log:
        log.append([b"one"])
        disk.fail("sync", errno.EIO)
        with pytest.raises(LogUnavailable):
            log.append([b"two"])
        size = disk.size(segment_path(disk, 1))
        assert log.append([b"three"]).segment == 2
        assert disk.size(segment_path(disk, 1)) == size
        assert everything(log) == [b"one", b"three"]


def test_a_disk_that_stays_full_leaves_no_trail_of_empty_files():
    """A hundred refused appends leave one empty segment, which goes with the next that succeeds."""
    disk = ForgetfulFiles()
    with opened(disk) as log:
        disk.fail("write", errno.ENOSPC, times=100)
        for _ in range(100):
            with pytest.raises(LogUnavailable):
                log.append([b"refused"])
        assert len(segments(PLACE, disk)) == 1
        log.append([b"kept"])
        assert len(segments(PLACE, disk)) == 1
        assert everything(log) == [b"kept"]


def test_a_new_segment_has_a_durable_name_before_anyone_is_told():
    """A file nobody can find after a power loss was never acknowledged."""
    disk = ForgetfulFiles()
    with opened(disk, roll_bytes=1) as log:
        for record in (b"one", b"two", b"three"):
            log.append([record])
        assert recovered(disk.power_loss()) == [b"one", b"two", b"three"]


def test_pruning_everything_keeps_the_numbering():
    """A reader's place stays ahead of what comes, also when all before it was removed and the log reopened."""
    disk = ForgetfulFiles()
    with opened(disk) as log:
        for record in (b"one", b"two", b"three"):
            log.append([record])
            line = log.roll()
        assert log.prune(line) == 2
    with opened(disk.power_loss()) as log:
        log.append([b"four"])
        assert everything(log, line) == [b"four"]


def test_a_segment_removed_while_someone_reads_is_nothing_to_fear():
    """A reader that listed a segment which is gone a moment later simply finds it empty."""
    disk = ForgetfulFiles()
    with opened(disk) as log:
        log.append([b"one"])
    gone = segments(PLACE, disk)[0]
    disk.unlink(gone.path)
    assert list(walk(Segment(disk, gone.path, gone.number), 0, KEYS)) == []


def test_who_comes_when_the_queue_is_full_is_refused_at_once():
    """A log that can't keep up says so instead of holding ever more."""
    disk = HeldFiles()
    with opened(disk, queue_bytes=10) as log:
        first = threading.Thread(target=log.append, args=([b"first"],))
        first.start()
        assert disk.syncing.wait(10)
        second = threading.Thread(target=log.append, args=([b"12345678"],))
        second.start()
        while not log._queue._bytes:
            threading.Event().wait(0.001)
        with pytest.raises(LogUnavailable, match="keep up"):
            log.append([b"third"])
        disk.go_on.set()
        first.join()
        second.join()
        assert everything(log) == [b"first", b"12345678"]


def test_a_closed_log_refuses():
    """After closing, nothing is taken, and the answer says why."""
    log = opened(ForgetfulFiles())
    log.close()
    with pytest.raises(LogUnavailable, match="closed"):
        log.append([b"late"])


def test_other_keys_are_refused_at_opening(tmp_path):
    """A log opened with the wrong key file says so before anything is skipped as damaged."""
    with Log.open(tmp_path, KEYS) as log:
        log.append([b"secret"])
    with pytest.raises(StorageDamaged, match="other keys"):
        Log.open(tmp_path, new_keys())


def test_nothing_in_the_files_is_in_clear(tmp_path):
    """The bytes on the disk do not contain what was said, and only their owner may read them."""
    with Log.open(tmp_path / "log", KEYS) as log:
        log.append([b"anna@example.org" * 20])
    (segment,) = segments(tmp_path / "log")
    assert b"anna" not in segment.path.read_bytes()
    assert segment.path.stat().st_mode & 0o077 == 0


def test_rewriting_removes_a_person_from_closed_segments_only(tmp_path):
    """Erasure passes every earlier record through `keep`; what is written since the line is untouched."""
    with Log.open(tmp_path, KEYS) as log:
        log.append([b"anna 1", b"bert 1"])
        log.roll()
        log.append([b"anna 2", b"bert 2"])
        line = log.roll()
        log.append([b"anna 3"])

        done = rewrite(tmp_path, KEYS, lambda record: None if b"anna" in record else record, before=line)

        assert (done.segments, done.removed, done.changed) == (2, 2, 0)
        assert everything(log) == [b"bert 1", b"bert 2", b"anna 3"]
    with Log.open(tmp_path, KEYS) as log:
        assert everything(log) == [b"bert 1", b"bert 2", b"anna 3"]
        assert log.damage == []


def test_a_power_loss_while_rewriting_leaves_each_segment_old_or_new():
    """At no point is a record lost that was to be kept, and rewriting again finishes."""
    for operations in range(30):
        disk = ForgetfulFiles()
        with opened(disk) as log:
            log.append([b"anna 1", b"bert 1"])
            log.roll()
            log.append([b"anna 2", b"bert 2"])
            line = log.roll()
        disk.stop_after(operations)
        with suppress(OSError):
            rewrite(PLACE, KEYS, forget_anna, before=line, files=disk)
        after = disk.power_loss()
        assert [each for each in recovered(after) if b"bert" in each] == [b"bert 1", b"bert 2"]
        rewrite(PLACE, KEYS, forget_anna, before=line, files=after)
        assert recovered(after.power_loss()) == [b"bert 1", b"bert 2"]


def forget_anna(record: bytes) -> bytes | None:
    return None if b"anna" in record else record


WRITER = """
import sys
from pathlib import Path
from spira.storage.log import Log
from spira.testing.states import fixed_keys
import threading

log = Log.open(Path(sys.argv[1]), fixed_keys(), roll_bytes=20_000)
lock = threading.Lock()

def write(caller):
    for number in range(1_000_000):
        record = b"%s/%d/%d" % (sys.argv[2].encode(), caller, number)
        log.append([record + b" " * 200])
        with lock:
            sys.stdout.buffer.write(record + b"\\n")
            sys.stdout.buffer.flush()

for caller in range(4):
    threading.Thread(target=write, args=(caller,)).start()
"""


def test_a_killed_writer_loses_nothing_it_had_acknowledged(tmp_path):
    """kill -9 of a real process under load: each acknowledged record is there once, in its caller's order."""
    directory = tmp_path / "log"
    acknowledged: list[bytes] = []
    for run in ("first", "second"):
        command = [sys.executable, "-c", WRITER, str(directory), run]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline().strip() for _ in range(300)]
            os.kill(writer.pid, signal.SIGKILL)
            lines += writer.stdout.read().split(b"\n")[:-1]
        acknowledged += lines

    chunk = read(directory, KEYS, BEGINNING)
    found = [record.strip() for record in chunk.records]
    assert chunk.damage == ()
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found)) <= len(acknowledged) + 2 * 4
    for caller in {record.rpartition(b"/")[0] for record in found}:
        numbers = [int(record.rpartition(b"/")[2]) for record in found if record.rpartition(b"/")[0] == caller]
        assert numbers == list(range(len(numbers)))
    with Log.open(directory, KEYS) as log:
        assert log.append([b"and on"]) > chunk.end
