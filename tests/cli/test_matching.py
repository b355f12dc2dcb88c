from __future__ import annotations

import pytest
from tests.cli.conftest import write

from spira.kernel.jobs import InlineRunner
from spira.worker import matching


class Here(InlineRunner):
    """Does the child's part in this process."""

    def close(self) -> None:
        """Nothing to end."""


def test_a_workspace_matches_nobody_until_it_says_so(spira, applied, monkeypatch):
    """
    Without a definition a run is refused with the line to write; with it, it learns, and the queue tells of the run.
    """
    pytest.importorskip("splink")
    monkeypatch.setattr(matching, "Children", Here)
    ran = spira("identity", "match", "--dir", applied)
    assert ran.code == 1
    assert "matching: people" in ran.err
    write(applied, {"matching/people.yaml": "matching: people\n"})
    assert spira("apply", "--yes", "--dir", applied).code == 0
    assert "0 likely pairs" in spira("identity", "match", "--dir", applied).out
    found = spira("identity", "review", "list", "--dir", applied, "--json").json
    assert (found["on"], found["waiting"], found["last"]["records"]) == (True, 0, 0)
