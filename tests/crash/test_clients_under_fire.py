"""A real client through kill -9: whatever it was told is kept is there, and what it sent again counts once."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from segment.analytics.client import Client

from spira.kernel.jobs import InlineRunner
from spira.testing.families import free_port
from spira.testing.workspaces import with_source
from spira.worker.core import Core

pytestmark = pytest.mark.slow
KILLS = 3
AT = datetime(2026, 2, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("door", ["--port", "--collect-port"])
def test_nothing_of_a_real_client_is_lost_or_doubled_however_often_the_core_is_killed(tmp_path, family, door):
    """
    segment-analytics-python sends to the core, or to two collectors, with its own batches and retries, while the core
    is killed, and the collectors with it.
    """
    key = with_source(tmp_path, at=datetime(2026, 3, 1))
    port = free_port()
    served = family(tmp_path, door, str(port), *(("--collectors", "2") if door == "--collect-port" else ()))
    served.start()
    given_up, sent = [], 0
    client = Client(
        key,
        host=f"http://127.0.0.1:{port}",
        on_error=lambda fault, _: given_up.append(fault),
        upload_size=20,
        upload_interval=0.05,
        max_queue_size=200_000,
        max_retries=60,
        timeout=5,
        thread=2,
    )

    def killer():
        for _ in range(KILLS):
            time.sleep(0.5)
            served.kill()
            served.start()

    hand = threading.Thread(target=killer)
    hand.start()
    while hand.is_alive():
        for _ in range(5):
            client.track(f"u{sent % 50}", "Seen", {"place": sent}, message_id=f"m{sent}", timestamp=AT)
            sent += 1
        time.sleep(0.005)
    client.shutdown()
    hand.join()
    assert given_up == []
    assert served.stop() in (0, -15)
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        core.load()
        found = [each for (each,) in core.lane().query("select message_id from events")]
        assert len(found) == len(set(found)) == sent
        assert set(found) == {f"m{number}" for number in range(sent)}
        assert core.lane().value("select count(*) from quarantine") == 0
