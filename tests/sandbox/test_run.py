"""The sandbox by itself: where it answers to, and what it says when it can't begin."""

from __future__ import annotations

import socket

import pytest

from spira.kernel.errors import PortTaken
from spira.sandbox import run
from spira.storage.keys import make_keys


@pytest.fixture
def shop(tmp_path):
    """A workspace with keys."""
    (tmp_path / "spira.toml").write_text("[server]\nport = 8123\n", encoding="utf-8")
    make_keys(tmp_path)
    return tmp_path


def stopped(_seconds):
    """Ctrl-C in the first second."""
    raise KeyboardInterrupt


def test_it_answers_to_the_server_that_runs(shop, monkeypatch, capsys):
    """
    What is opened goes to the address that is given, else to the settings'.
    """
    monkeypatch.setattr(run, "pause", stopped)
    run.main(shop, port=0, base_url="http://127.0.0.1:9999")
    run.main(shop, port=0)
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("answers to http://127.0.0.1:9999")
    assert second.endswith("answers to http://127.0.0.1:8123")


def test_a_taken_port_is_a_line_to_act_on(shop):
    """
    Another program at its port is told, and what to do.
    """
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match="can't be listened on"):
            run.main(shop, port=other.getsockname()[1])
