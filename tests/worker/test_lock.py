from __future__ import annotations

import pytest

from spira.kernel.errors import DirectoryBusy
from spira.worker.lock import DirectoryLock


def test_the_data_of_a_new_workspace_is_its_owners_alone(tmp_path):
    """Others on the machine can't even list the directory in which the stores will lie."""
    path = tmp_path / "shop" / "data" / "lock"
    DirectoryLock(path).release()
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_second_owner_is_told_who_the_first_is(tmp_path):
    """The lock names the process that has it, and is free again after it is let go."""
    first = DirectoryLock(tmp_path / "lock")
    with pytest.raises(DirectoryBusy, match="is in use by process"):
        DirectoryLock(tmp_path / "lock")
    first.release()
    DirectoryLock(tmp_path / "lock").release()
