"""A workspace whose calls are kept in Kafka: the same answers, the same rows, each once."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime

import httpx
import pytest
from tests.storage.test_log_kafka import Broker

from spira.collect import load as loading
from spira.collect import sources
from spira.collect.envelope import Accepted, decode, encode
from spira.collect.keyed import by_person
from spira.kernel.errors import StoreUnavailable
from spira.kernel.jobs import InlineRunner
from spira.storage.warehouse import Warehouse
from spira.testing.states import fixed_keys
from spira.testing.workspaces import SETTINGS, SOURCE, make_workspace, order, write_key
from spira.worker.core import Core

pytest.importorskip("confluent_kafka")
JANUARY = datetime(2026, 1, 5, 10)
AT = "2026-01-05T09:00:00Z"


@pytest.fixture(scope="module")
def broker():
    """A cluster that the tests of this file share."""
    return Broker()


@pytest.fixture
def shop(tmp_path, broker):
    """A workspace with a topic of its own, closed."""
    settings = SETTINGS + f'\n[collect]\nlog = "{broker.topic().url}"\n'
    make_workspace(tmp_path, {}, settings=settings)
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        core.step_clock(JANUARY)
        sources.add(core.state, core.clock, SOURCE)
    return tmp_path


def answered(core, *calls):
    """The answer to a batch."""

    async def post():
        transport = httpx.ASGITransport(app=core.intake)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", auth=(write_key(core), "")) as client:
            return await client.post("/v1/batch", content=json.dumps({"batch": calls}))

    return asyncio.run(post())


def ids(core):
    """The message ids there are."""
    return sorted(each for (each,) in core.lane().query("select message_id from events"))


def test_calls_come_through_the_topic_once_and_offsets_are_kept_with_the_rows(shop):
    """What was answered is loaded; a second start goes on where the rows end, and a repeated call is one event."""
    people = [order(f"p{number}", AT, message_id=f"m{number}") for number in range(30)]
    with Core.open(shop, runner=InlineRunner()) as core:
        assert answered(core, *people).status_code == 200
        core.load()
        assert ids(core) == sorted(f"m{number}" for number in range(30))
        kept = {name: at for name, at in loading.positions(core.lane()).items() if name.startswith("kafka-")}
        assert len(kept) > 1
        assert sum(at.offset for at in kept.values()) == 30
        assert core.backlog() == 0
    with Core.open(shop, runner=InlineRunner()) as core:
        assert answered(core, people[3], order("new", AT, message_id="new")).status_code == 200
        core.load()
        assert ids(core) == sorted(["new", *(f"m{number}" for number in range(30))])


def test_a_load_that_is_undone_leaves_the_old_offsets(shop, monkeypatch):
    """Rows and offsets are one transaction: both or neither."""
    with Core.open(shop, runner=InlineRunner()) as core:
        assert answered(core, order("ann", AT, message_id="a")).status_code == 200
        before = loading.positions(core.lane())
        mark = loading._mark

        def fails(*arguments, **more):
            mark(*arguments, **more)
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(loading, "_mark", fails)
            with pytest.raises(StoreUnavailable):
                core.load()
        assert isinstance(core.lane(), Warehouse)
        assert (ids(core), loading.positions(core.lane())) == ([], before)
        core.load()
        assert ids(core) == ["a"]


def test_a_persons_calls_keep_their_order(shop):
    """Of whatever requests, the calls with one id are numbered as they came."""
    with Core.open(shop, runner=InlineRunner()) as core:
        for turn in range(6):
            calls = [order(f"p{person}", AT, message_id=f"{person}/{turn}") for person in range(5)]
            assert answered(core, *calls).status_code == 200
        core.load()
        found = [each for (each,) in core.lane().query("select message_id from events order by event_id")]
    for person in range(5):
        own = [each for each in found if each.startswith(f"{person}/")]
        assert own == [f"{person}/{turn}" for turn in range(6)]


def test_a_broker_that_is_away_is_a_503_and_what_spira_says_itself_goes_on(tmp_path):
    """Clients hear when to come again; the core's own log is loaded meanwhile."""
    broker = Broker()
    make_workspace(tmp_path, {}, settings=SETTINGS + f'\n[collect]\nlog = "{broker.topic().url}"\n')
    with Core.open(tmp_path, runner=InlineRunner()) as core:
        core.step_clock(JANUARY)
        sources.add(core.state, core.clock, SOURCE)
        assert answered(core, order("ann", AT, message_id="before")).status_code == 200
        core.load()
        broker.stop()
        answer = answered(core, order("ann", AT, message_id="away"))
        assert (answer.status_code, answer.json()["code"]) == (503, "log_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        body = json.dumps({"batch": [order("ben", AT, message_id="own")]}).encode()
        core.log.append([encode(Accepted(SOURCE, JANUARY, "batch", body))])
        core.load()
        assert ids(core) == ["before", "own"]


def test_a_request_is_parted_by_person_and_nothing_else_changes():
    """Each part is a request of the same source, instant and shared fields; a single person's is left as it came."""
    keys = fixed_keys()
    split = by_person(keys)
    calls = [{"type": "track", "userId": user, "event": "x", "n": n} for n, user in enumerate(["a", "b", "a", None])]
    body = json.dumps({"batch": [*calls, 5], "sentAt": AT, "context": {"ip": "1"}}).encode()
    parts = list(split([encode(Accepted("shop", JANUARY, "batch", body))]))
    assert [key for key, _ in parts] == [
        keys.subject_key("user_id", "a").encode(),
        keys.subject_key("user_id", "b").encode(),
        None,
    ]
    told = [json.loads(decode(lot[0]).body) for _, lot in parts]
    assert [each["batch"] for each in told] == [[calls[0], calls[2]], [calls[1]], [calls[3], 5]]
    assert all((each["sentAt"], each["context"]) == (AT, {"ip": "1"}) for each in told)
    alone = encode(Accepted("shop", JANUARY, "track", json.dumps(calls[0]).encode()))
    assert list(split([alone])) == [(keys.subject_key("user_id", "a").encode(), [alone])]
    odd = encode(Accepted("shop", JANUARY, "batch", b'{"batch": [{"n": NaN}, {"userId": "a"}]}'))
    assert [lot for _, lot in split([odd])] == [[odd]]
