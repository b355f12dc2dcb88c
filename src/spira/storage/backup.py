"""Backup and restore: one file with everything but the keys, and the way back.

A backup stands behind one barrier that the caller draws: no turn runs, the warehouse is
checkpointed, and the log is rolled, so that every record before the barrier lies in a closed
segment. The file holds the warehouse, the state, those segments, and checksums. The work is
a job, because opening the warehouse's file in its owner's own process and closing it again
would give up the owner's lock on it.

Restore checks everything before it moves anything. Log segments at or after the barrier that
the directory still has are kept, so that a turn after it replays what came later before
anything is sent. It may be killed anywhere: `unfinished` says so, and restoring again goes on
to the same end. Erasures are applied again by the caller, who is shown what was replaced.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

from spira.kernel.clock import Clock
from spira.kernel.errors import Conflict, SpiraError, StorageDamaged, WorkspaceInvalid
from spira.kernel.jobs import JobRunner, job
from spira.storage.files import RealFiles
from spira.storage.keys import Keys
from spira.storage.log import Position, segments
from spira.storage.log_apart import PREFIX, logs_apart
from spira.storage.state import State

FORMAT = 1
WAREHOUSE, STATE, LOG = "warehouse.duckdb", "state.sqlite", "log"
_MANIFEST, _SUMS = "manifest.json", "checksums.json"
_BESIDE = (".wal", "-wal", "-shm")  # what the engines keep next to their files
_STAGED, _REPLACED, _READY = "restoring", "replaced", "ready"
_BLOCK = 1024 * 1024
_CUT = "the file was cut or changed; use another backup"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says about itself. `keys` tells which workspace's keys open it.

    `segment` is where the core's log was rolled, `apart` where those of collectors were, by their names.
    """

    format: int
    created_at: datetime
    segment: int
    keys: str
    files: dict[str, int]
    apart: dict[str, int] = {}

    @property
    def barrier(self) -> Position:
        """Every record of the core's log before it is inside."""
        return Position(self.segment, 0)

    @property
    def logs(self) -> dict[str, int]:
        """Where each log was rolled."""
        return {LOG: self.segment, **self.apart}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the stores of a workspace lie; `data` is the directory that holds them all."""

    data: Path
    warehouse: Path
    state: Path
    log: Path

    def of(self, name: str) -> Path:
        """The file or directory that has `name` in a backup."""
        return {WAREHOUSE: self.warehouse, STATE: self.state, LOG: self.log}.get(name) or self.data / name


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did: the backup's manifest, and how many later log segments were kept."""

    manifest: Manifest
    later_segments: int


class PackTask(msgspec.Struct, frozen=True, kw_only=True):
    """Files to put into one, by their name inside; `manifest` is written before them."""

    files: dict[str, str]
    manifest: bytes
    to: str


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """How large the file became, or why there is none."""

    size: int = 0
    fault: str | None = None


def backup(
    places: Places,
    to: Path,
    *,
    state: State,
    barrier: Position,
    keys: Keys,
    clock: Clock,
    runner: JobRunner,
    apart: Mapping[str, int] | None = None,
) -> Manifest:
    """Write everything before `barrier` into the file `to`, whole or not at all. The caller holds the barrier.

    `apart` are the segments at which the logs of collectors were rolled, by the logs' names.
    """
    if to.exists():
        raise Conflict(f"{to} exists", help="name a file that does not exist yet")
    if not state.is_sqlite:
        raise SpiraError("a state in PostgreSQL is not in a backup", help="use pg_dump for it")
    copy = places.data / f"backup-{STATE}"
    try:
        _copy_state(state, copy)
        inside = {WAREHOUSE: places.warehouse, STATE: copy}
        for name, segment in {LOG: barrier.segment, **(apart or {})}.items():
            for each in segments(places.of(name)):
                if each.number < segment:
                    inside[f"{name}/{each.path.name}"] = each.path
        manifest = Manifest(
            format=FORMAT,
            created_at=clock.now(),
            segment=barrier.segment,
            keys=keys.fingerprint,
            files={name: path.stat().st_size for name, path in inside.items()},
            apart=dict(apart or {}),
        )
        files = {name: str(path.resolve()) for name, path in inside.items()}
        task = PackTask(files=files, manifest=msgspec.json.encode(manifest), to=str(to.resolve()))
        packed = runner.run(PACK, task)
    finally:
        copy.unlink(missing_ok=True)
    if packed.fault:
        raise SpiraError(f"the backup {to} could not be written: {packed.fault}", help="see that its disk has room")
    return manifest


def read_manifest(file: Path) -> Manifest:
    """What a backup says about itself; StorageDamaged when it is none."""
    try:
        with tarfile.open(file, "r:") as tar:
            first = tar.next()
            content = tar.extractfile(first) if first and first.name == _MANIFEST else None
            if content is None:
                raise StorageDamaged(f"{file} is no backup of Spira", help="name a file that `spira backup` wrote")
            manifest = msgspec.json.decode(content.read(), type=Manifest)
    except FileNotFoundError:
        raise SpiraError(f"there is no file {file}", help="name a file that `spira backup` wrote") from None
    except (tarfile.TarError, msgspec.DecodeError, OSError) as fault:
        raise StorageDamaged(f"{file} can't be read as a backup: {fault}", help=_CUT) from None
    if manifest.format > FORMAT:
        raise StorageDamaged(f"{file} was written by a newer Spira", help="restore it with that version")
    return manifest


def restore(
    file: Path, places: Places, *, keys: Keys, reapply: Callable[[Path | None], None] | None = None
) -> Restored:
    """Put the stores of a backup in the place of those there are. The caller holds the directory.

    `reapply` is called once the stores stand, with the directory of what was replaced (None when
    there was nothing), to erase again who was erased since the backup; it must bear being called twice.
    """
    manifest = read_manifest(file)
    if manifest.keys != keys.fingerprint:
        raise WorkspaceInvalid(
            f"{file} was sealed with other keys than spira.keys holds",
            help="put the spira.keys of the workspace that was backed up beside spira.toml; no backup contains it",
        )
    staged = places.data / _STAGED
    if unfinished(places.data):
        before = msgspec.json.decode((staged / _MANIFEST).read_bytes(), type=Manifest)
        done = _swap(places, before, reapply)
        if before == manifest:
            return done
    _stage(file, manifest, places)
    return _swap(places, manifest, reapply)


def unfinished(data: Path) -> bool:
    """Whether a restore was broken off after it began to move files; nothing may be opened until it is done."""
    return (data / _STAGED / _READY).exists()


@job("storage.pack", task=PackTask, result=Packed)
def PACK(task: PackTask) -> Packed:  # noqa: N802  (a job is a constant)
    """Write the files into one, with their checksums at the end; durable under its name or not there."""
    to = Path(task.to)
    aside = to.with_name(to.name + ".partial")
    try:
        with _private(aside) as out:
            with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as tar:
                _add_bytes(tar, _MANIFEST, task.manifest)
                sums = {name: _add_file(tar, name, Path(path)) for name, path in task.files.items()}
                _add_bytes(tar, _SUMS, msgspec.json.encode(sums))
            out.flush()
            os.fsync(out.fileno())
        aside.rename(to)
        RealFiles().sync_directory(to.parent)
        return Packed(size=to.stat().st_size)
    except OSError as fault:
        aside.unlink(missing_ok=True)
        return Packed(fault=str(fault))


class _Summing(io.RawIOBase):
    """A file that sums what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.sum = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.sum.update(block)
        return block


def _copy_state(state: State, to: Path) -> None:
    """SQLite's own copy of a moment, made while others go on using the state."""
    import sqlite3

    to.unlink(missing_ok=True)
    source = state.engine.raw_connection()
    target = sqlite3.connect(to)
    try:
        to.chmod(0o600)
        assert source.driver_connection is not None
        source.driver_connection.backup(target)
    finally:
        target.close()
        source.close()


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb")


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    tar.addfile(entry, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> str:
    with path.open("rb") as file:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = os.fstat(file.fileno()).st_size, 0o600
        summing = _Summing(file)
        tar.addfile(entry, summing)
        return summing.sum.hexdigest()


def _stage(file: Path, manifest: Manifest, places: Places) -> None:
    """Lay everything ready beside the stores, checked and durable, and say so last."""
    staged = places.data / _STAGED
    shutil.rmtree(staged, ignore_errors=True)
    shutil.rmtree(places.data / _REPLACED, ignore_errors=True)
    staged.mkdir(parents=True)
    logs = _logs(places, manifest)
    try:
        for name in logs:
            (staged / name).mkdir()
        _unpack(file, manifest, staged)
        for name, segment in logs.items():
            for each in _later(places.of(name), segment):
                shutil.copyfile(each, staged / name / each.name)
        (staged / _MANIFEST).write_bytes(msgspec.json.encode(manifest))
        for path in staged.rglob("*"):
            if path.is_file():
                path.chmod(0o600)
            _sync(path)
        _sync(staged)
        (staged / _READY).touch()
        _sync(staged)
        _sync(places.data)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def _unpack(file: Path, manifest: Manifest, staged: Path) -> None:
    """Write what the manifest names under `staged`; StorageDamaged unless each byte is as it was."""
    found: dict[str, str] = {}
    sums: dict[str, str] | None = None
    try:
        with tarfile.open(file, "r:") as tar:
            for entry in tar:
                content = tar.extractfile(entry)
                if content is None or entry.name == _MANIFEST:
                    continue
                if entry.name == _SUMS:
                    sums = msgspec.json.decode(content.read(), type=dict[str, str])
                elif entry.name in manifest.files and _may_be_inside(entry.name):
                    found[entry.name] = _copy(content, staged / entry.name)
    except (tarfile.TarError, msgspec.DecodeError) as fault:
        raise StorageDamaged(f"{file} can't be read to its end: {fault}", help=_CUT) from None
    if sums is None or found != sums or set(found) != set(manifest.files):
        raise StorageDamaged(f"{file} is not as it was written", help=_CUT)


def _may_be_inside(name: str) -> bool:
    """Only the names that `backup` writes: nothing else is ever put on the disk."""
    folder, _, rest = name.rpartition("/")
    is_log = folder == LOG or (folder.startswith(PREFIX) and folder.removeprefix(PREFIX).isdecimal())
    return name in (WAREHOUSE, STATE) or (is_log and rest.removesuffix(".log").isdecimal())


def _copy(content: IO[bytes], to: Path) -> str:
    summing = _Summing(content)
    with to.open("wb") as out:
        while block := summing.read(_BLOCK):
            out.write(block)
    return summing.sum.hexdigest()


def _logs(places: Places, manifest: Manifest) -> dict[str, int]:
    """Where each log was rolled; those that are younger than the backup are later from their beginning."""
    return {each.name: 0 for each in logs_apart(places.data)} | manifest.logs


def _later(log: Path, segment: int) -> list[Path]:
    """The segments at or after the barrier that the directory still has."""
    return [each.path for each in segments(log) if each.number >= segment] if log.is_dir() else []


def _swap(places: Places, manifest: Manifest, reapply: Callable[[Path | None], None] | None) -> Restored:
    """Move the old aside and the new in; each move is done once, however often this is begun."""
    staged, replaced = places.data / _STAGED, places.data / _REPLACED
    replaced.mkdir(exist_ok=True)
    logs = _logs(places, manifest) | {each.name: 0 for each in logs_apart(staged)}
    for name in (WAREHOUSE, STATE, *logs):
        target = places.of(name)
        if not (staged / name).exists():
            continue
        for ending in _BESIDE:
            beside = target.with_name(target.name + ending)
            if beside.exists():
                beside.rename(replaced / (name + ending))
        if target.exists():
            target.rename(replaced / name)
        target.parent.mkdir(parents=True, exist_ok=True)
        (staged / name).rename(target)
        _sync(replaced)
        _sync(target.parent)
    if reapply:
        reapply(replaced if any(replaced.iterdir()) else None)
    later = sum(len(_later(places.of(name), segment)) for name, segment in _logs(places, manifest).items())
    (staged / _READY).unlink()
    _sync(staged)
    shutil.rmtree(staged)
    shutil.rmtree(replaced)
    _sync(places.data)
    return Restored(manifest=manifest, later_segments=later)


def _sync(path: Path) -> None:
    """Make a file's content, or a directory's names, durable."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
