from __future__ import annotations

import os
import stat

from spira.server import local


def test_a_running_server_is_found_by_its_owner_only(tmp_path):
    """What was announced is found again, in a file that nobody else can read, until it is withdrawn."""
    told = local.announce(tmp_path, url="http://127.0.0.1:1", token="t")
    assert local.find(tmp_path) == told
    assert told.pid == os.getpid()
    assert stat.S_IMODE(local.place(tmp_path).stat().st_mode) == 0o600
    local.withdraw(tmp_path)
    assert local.find(tmp_path) is None


def test_a_damaged_note_is_no_server(tmp_path):
    """Half-written notes are as if there were none."""
    local.place(tmp_path).parent.mkdir(parents=True)
    local.place(tmp_path).write_text('{"url": ')
    assert local.find(tmp_path) is None
