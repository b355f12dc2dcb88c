"""`spira backup`, `spira erase` and `spira restore`: the way there and back."""

import asyncio
import base64
import json
import shutil

import httpx
import pytest

from spira.kernel.jobs import InlineRunner
from spira.worker.core import Core
from spira.worker.lock import DirectoryLock


@pytest.fixture(scope="module")
def lived_once(spira, applied_once, tmp_path_factory):
    """A shop that two people have ordered from, and its backup; made once."""
    directory = shutil.copytree(applied_once, tmp_path_factory.mktemp("lived") / "shop")
    key = spira("source", "add", "web", "--dir", directory, "--json").json["write_key"]
    send(directory, key, ["ann", "bob"])
    assert spira("refresh", "--dir", directory).code == 0
    assert spira("backup", directory.parent / "shop.spira", "--dir", directory).code == 0
    return directory


@pytest.fixture
def lived(lived_once, tmp_path):
    """A copy of that shop."""
    return shutil.copytree(lived_once, tmp_path / "shop")


@pytest.fixture
def saved(lived_once):
    """The backup of that shop."""
    return lived_once.parent / "shop.spira"


def send(directory, key, people, **more):
    """Orders of some people, through the collection API."""
    order = {"type": "track", "event": "Order Completed", "properties": {}, **more}
    calls = [{**order, "userId": who, "messageId": f"order-{who}"} for who in people]
    token = base64.b64encode(f"{key}:".encode()).decode()

    async def post(core):
        transport = httpx.ASGITransport(app=core.intake)
        async with httpx.AsyncClient(transport=transport, base_url="http://spira") as http:
            return await http.post(
                "/v1/batch", content=json.dumps({"batch": calls}), headers={"Authorization": f"Basic {token}"}
            )

    with Core.open(directory, runner=InlineRunner()) as core:
        assert asyncio.run(post(core)).status_code == 200


def buyers(spira, directory):
    """How many people have ordered."""
    return spira("preview", "orders_total >= 1", "--dir", directory, "--json").json["count"]


def test_a_restore_brings_back_what_there_was_and_erases_again(spira, lived, saved):
    """
    Bob is erased after the backup: he comes back with it for no one to see, and Ann stays.
    """
    receipt = spira("erase", "user_id:bob", "--yes", "--dir", lived, "--json").json
    assert {each["table"]: each["rows"] for each in receipt["rows"]}["events"] == 1
    ran = spira("restore", saved, "--yes", "--dir", lived, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["erased_again"] == 1
    assert spira("refresh", "--dir", lived).code == 0
    assert buyers(spira, lived) == 1
    assert spira("profile", "show", "user_id:bob", "--dir", lived).code == 1
    assert spira("profile", "show", "user_id:ann", "--dir", lived).code == 0


def test_what_came_after_the_backup_is_loaded_again(spira, lived, saved):
    """
    The log's later segments outlive the restore, and the next refresh takes them in.
    """
    key = spira("source", "add", "app", "--dir", lived, "--json").json["write_key"]
    send(lived, key, ["cleo"])
    assert spira("refresh", "--dir", lived).code == 0
    assert buyers(spira, lived) == 3
    assert spira("restore", saved, "--yes", "--dir", lived, "--json").json["later_segments"] >= 1
    assert spira("refresh", "--dir", lived).code == 0
    assert buyers(spira, lived) == 3


def test_a_restore_needs_the_directory_to_itself(spira, lived, saved):
    """
    While a server runs nothing is replaced.
    """
    lock = DirectoryLock(lived / "data" / "lock")
    ran = spira("restore", saved, "--yes", "--dir", lived)
    lock.release()
    assert ran.code == 1
    assert "error[E101]" in ran.err


def test_erasing_and_restoring_ask_first(spira, lived, tmp_path):
    """
    A no leaves everything as it is.
    """
    assert spira("erase", "user_id:bob", "--dir", lived, answer="n\n").code == 130
    assert spira("restore", tmp_path / "none.spira", "--dir", lived, answer="n\n").code == 130
    assert buyers(spira, lived) == 2


def test_a_file_that_is_no_backup_is_refused(spira, lived, tmp_path):
    """
    The stores stay.
    """
    (tmp_path / "notes.txt").write_text("not a backup", encoding="utf-8")
    ran = spira("restore", tmp_path / "notes.txt", "--yes", "--dir", lived)
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert buyers(spira, lived) == 2


def test_a_person_is_explained_down_to_the_weakest_link(spira, lived):
    """
    `profile show --explain` tells each identifier, what tied it, and which tie has the least behind it.
    """
    key = spira("source", "add", "app", "--dir", lived, "--json").json["write_key"]
    send(lived, key, ["cleo"], anonymousId="tablet")
    assert spira("refresh", "--dir", lived).code == 0
    told = spira("profile", "show", "user_id:cleo", "--explain", "--dir", lived, "--json").json["explanation"]
    assert told["weakest"] == told["links"][0]
    shown = spira("profile", "show", "user_id:cleo", "--explain", "--dir", lived).out
    assert "explanation weakest rule" in shown
    assert "tablet" in shown
