"""Backup and restore: the same stores come back, with what was logged later, and never the keys."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from spira.kernel.clock import FrozenClock
from spira.kernel.errors import Conflict, SpiraError, StorageDamaged, WorkspaceInvalid
from spira.kernel.jobs import InlineRunner, JobRunner
from spira.storage import backup as module
from spira.storage.backup import Manifest, Places, Restored, backup, read_manifest, restore, unfinished
from spira.storage.keys import KEYS_FILE, load_keys, make_keys, new_keys
from spira.storage.log import Log
from spira.storage.migrations.warehouse import prepare
from spira.storage.progress import mark, marks
from spira.storage.state import State, open_state
from spira.storage.vault import Vault, seal_value
from spira.storage.warehouse import Warehouse, open_warehouse
from spira.testing.logs import everything

NOON = datetime(2026, 3, 1, 12)


class Home:
    """A small workspace with all its stores open."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.places = places(directory)
        self.keys = load_keys(directory)
        self.state: State = open_state(self.places.state)
        self.warehouse: Warehouse = open_warehouse(self.places.warehouse)
        prepare(self.warehouse)
        self.log = Log.open(self.places.log, self.keys)
        self.vault = Vault(self.state, self.keys)
        self.runner: JobRunner = InlineRunner()

    def live(self, word: str) -> None:
        """Something happens in every store."""
        self.log.append([word.encode()])
        self.vault.put([seal_value(self.keys, "name", word)])
        mark(self.warehouse, word, 1, NOON)

    def backed_up(self, to: Path) -> Manifest:
        barrier = self.log.roll()
        self.warehouse.checkpoint()
        return backup(
            self.places,
            to,
            state=self.state,
            barrier=barrier,
            keys=self.keys,
            clock=FrozenClock(NOON),
            runner=self.runner,
        )

    def words(self) -> tuple[list[str], list[str], list[str]]:
        """What log, vault and warehouse hold."""
        names = sorted(
            self.vault.open([self.keys.subject_key("name", word) for word in ("anna", "bert", "carl")]).values()
        )
        stages = [each.stage for each in marks(self.warehouse)]
        return [record.decode() for record in everything(self.log)], names, stages

    def __enter__(self) -> Home:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.close()
        self.warehouse.close()
        self.state.close()


def places(directory: Path) -> Places:
    data = directory / "data"
    return Places(data=data, warehouse=data / "warehouse.duckdb", state=data / "state.sqlite", log=data / "log")


@pytest.fixture
def directory(tmp_path) -> Path:
    here = tmp_path / "here"
    (here / "data").mkdir(parents=True)
    make_keys(here)
    return here


@pytest.fixture
def saved(directory, tmp_path) -> Path:
    """A backup taken after `anna`; `bert` happened in all stores since."""
    file = tmp_path / "saved.spira"
    with Home(directory) as home:
        home.live("anna")
        home.backed_up(file)
        home.live("bert")
    return file


def elsewhere(tmp_path: Path, directory: Path) -> Path:
    """A new machine: an empty workspace with the old keys."""
    there = tmp_path / "there"
    (there / "data").mkdir(parents=True)
    (there / KEYS_FILE).write_bytes((directory / KEYS_FILE).read_bytes())
    (there / KEYS_FILE).chmod(0o600)
    return there


def test_a_backup_brings_every_store_back_on_a_new_machine(directory, saved, tmp_path):
    """Warehouse, state and log are as they were at the barrier."""
    there = elsewhere(tmp_path, directory)
    done = restore(saved, places(there), keys=load_keys(there))

    assert done == Restored(manifest=read_manifest(saved), later_segments=0)
    with Home(there) as home:
        assert home.words() == (["anna"], ["anna"], ["anna"])
        home.live("carl")
        assert home.words()[0] == ["anna", "carl"]


def test_restoring_in_place_keeps_what_was_logged_since(directory, saved):
    """The stores go back to the barrier; the log keeps its later segments, for the next turn to load again."""
    done = restore(saved, places(directory), keys=load_keys(directory))

    assert done.later_segments == 1
    with Home(directory) as home:
        assert home.words() == (["anna", "bert"], ["anna"], ["anna"])
    assert sorted(each.name for each in (directory / "data").iterdir()) == ["log", "state.sqlite", "warehouse.duckdb"]


def test_a_backup_holds_no_keys(directory, saved):
    """Nothing in the file opens anything in it."""
    keys = load_keys(directory)
    content = saved.read_bytes()
    with tarfile.open(saved) as tar:
        assert not any(KEYS_FILE in name for name in tar.getnames())
    for secret in (keys.sealing[1], keys.hmac_key, keys.log_key, keys.signing_key):
        assert secret not in content
        assert secret.hex().encode() not in content
    assert saved.stat().st_mode & 0o077 == 0


def test_a_restore_without_the_keys_says_which_file_is_missing(saved, tmp_path):
    """The keys are asked for by name before anything is touched."""
    with pytest.raises(WorkspaceInvalid, match=r"spira\.keys are missing"):
        restore(saved, places(tmp_path / "there"), keys=load_keys(tmp_path))


def test_a_restore_with_other_keys_is_refused(saved, directory):
    """Stores that could never be opened are not put in the place of those that can."""
    with pytest.raises(WorkspaceInvalid, match="other keys"):
        restore(saved, places(directory), keys=new_keys())
    with Home(directory) as home:
        assert home.words()[1] == ["anna", "bert"]


def test_a_backup_is_never_overwritten(directory, saved):
    """Naming a file that exists is refused, and the file stays."""
    size = saved.stat().st_size
    with Home(directory) as home, pytest.raises(Conflict, match="exists"):
        home.backed_up(saved)
    assert saved.stat().st_size == size


def test_a_backup_that_can_not_be_written_leaves_no_file(directory, tmp_path):
    """A missing or full disk is said, and no half backup lies about."""
    with Home(directory) as home, pytest.raises(SpiraError, match="could not be written"):
        home.backed_up(tmp_path / "nowhere" / "saved.spira")
    assert not (directory / "data" / "backup-state.sqlite").exists()


def test_a_cut_or_changed_backup_changes_nothing(directory, saved):
    """Wherever a backup is damaged, restoring is refused and the stores stay as they are."""
    content = saved.read_bytes()
    for bent in (content[: len(content) // 2], content[:700], b"", _flipped(content, 60_000), _flipped(content, 20)):
        saved.write_bytes(bent)
        with pytest.raises(StorageDamaged):
            restore(saved, places(directory), keys=load_keys(directory))
    assert not unfinished(directory / "data")
    with Home(directory) as home:
        assert home.words() == (["anna", "bert"], ["anna", "bert"], ["anna", "bert"])


def test_a_file_that_is_not_there_is_said(tmp_path):
    """A wrong name is a clear answer."""
    with pytest.raises(SpiraError, match="there is no file"):
        read_manifest(tmp_path / "none.spira")


def test_a_backup_of_a_newer_format_is_refused(directory, saved, monkeypatch):
    """An old program does not guess at a newer file."""
    monkeypatch.setattr(module, "FORMAT", 0)
    with pytest.raises(StorageDamaged, match="newer Spira"):
        restore(saved, places(directory), keys=load_keys(directory))


class ElsewhereRunner:
    """Does each job in a process of its own, as the worker's children do."""

    def run(self, job, task):
        code = "import sys, msgspec, spira.storage.backup as b; t = msgspec.msgpack.decode(sys.stdin.buffer.read(), "
        code += "type=b.PackTask); sys.stdout.buffer.write(msgspec.msgpack.encode(b.PACK.run(t)))"
        done = subprocess.run([sys.executable, "-c", code], input=msgspec.msgpack.encode(task), capture_output=True)
        return msgspec.msgpack.decode(done.stdout, type=job.result)


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="locks are listed on Linux only")
def test_the_owner_keeps_its_lock_on_the_warehouse_during_a_backup(directory, tmp_path):
    """Closing a file gives up a process's locks on it, so another process reads the warehouse's."""
    with Home(directory) as home:
        home.live("anna")
        before = _locks(home.places.warehouse)
        home.runner = ElsewhereRunner()
        home.backed_up(tmp_path / "saved.spira")
        assert before == _locks(home.places.warehouse) != 0
    assert read_manifest(tmp_path / "saved.spira").created_at == NOON


def test_erasures_are_applied_again_with_what_was_replaced_in_sight(directory, saved):
    """The caller sees the old state, where later erasures are listed, after the new one stands."""
    seen: list[tuple[list[str], list[str]]] = []

    def reapply(replaced: Path | None) -> None:
        assert replaced is not None
        keys = load_keys(directory)
        key = keys.subject_key("name", "bert")
        with open_state(replaced / "state.sqlite") as old, open_state(places(directory).state) as new:
            seen.append((list(Vault(old, keys).open([key])), list(Vault(new, keys).open([key]))))

    restore(saved, places(directory), keys=load_keys(directory), reapply=reapply)
    assert seen == [([load_keys(directory).subject_key("name", "bert")], [])]


def test_a_restore_killed_at_any_move_is_finished_by_the_next(directory, saved, monkeypatch):
    """After each rename that a kill may follow, the restore says it is unfinished, and doing it again ends well."""
    moves = 0
    real = Path.rename
    while True:
        with Home(directory) as home:
            home.live("carl")
        left = moves

        def rename(self: Path, target: Path) -> Path:
            nonlocal left
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            return real(self, target)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", rename)
            try:
                restore(saved, places(directory), keys=load_keys(directory))
                break
            except KeyboardInterrupt:
                assert unfinished(directory / "data")
        restore(saved, places(directory), keys=load_keys(directory))
        assert not unfinished(directory / "data")
        with Home(directory) as home:
            records, names, stages = home.words()
            assert (records[:2], names, stages) == (["anna", "bert"], ["anna"], ["anna"])
        moves += 1
    assert moves >= 6


def _flipped(content: bytes, place: int) -> bytes:
    bent = bytearray(content)
    bent[place] ^= 1
    return bytes(bent)


def _locks(path: Path) -> int:
    """How many locks this machine's processes hold on a file."""
    mark = f":{path.stat().st_ino} "
    return sum(mark in line for line in Path("/proc/locks").read_text().splitlines())
