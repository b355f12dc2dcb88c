"""Opening: a workspace that can't be opened after all is let go of whole."""

from __future__ import annotations

import pytest

from spira.kernel.errors import StorageDamaged
from spira.kernel.jobs import InlineRunner
from spira.testing.workspaces import make_workspace
from spira.worker import reconcile
from spira.worker.core import Core


def test_an_opening_that_fails_late_lets_go_of_everything(tmp_path, monkeypatch):
    """
    The stores were open and the definitions could not be taken up: the same process may open it again.
    """
    make_workspace(tmp_path, {})

    def fails(*_: object) -> None:
        raise StorageDamaged("no column can be added")

    with monkeypatch.context() as patched:
        patched.setattr(reconcile, "take_up", fails)
        with pytest.raises(StorageDamaged) as held:
            Core.open(tmp_path, runner=InlineRunner())
    assert held.value.code
    Core.open(tmp_path, runner=InlineRunner()).close()
