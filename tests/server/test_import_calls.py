"""The API for programs that import: begin, hand over, end, and what is refused on the way."""

from datetime import datetime

import pytest
from litestar.testing import TestClient

from spira.collect.imports import tables
from spira.server.app import create_app
from spira.testing.workspaces import SOURCE, workspace

NEW = {"source": SOURCE, "mapping": "m", "fingerprint": "f", "part": "a.csv", "identity": "i"}
BODY = b'{"batch":[{"messageId":"1","type":"track","event":"E","userId":"u","timestamp":"2026-02-01T00:00:00Z"}]}'


@pytest.fixture
def api(tmp_path):
    """A whole workspace behind its API, asked as the machine's own commands ask."""
    with workspace(tmp_path / "ws", {}, at=datetime(2026, 3, 1)) as core:
        client = TestClient(create_app(core, local_token="local"), raise_server_exceptions=False)
        client.headers["authorization"] = "Bearer local"
        client.core = core
        yield client


def begun(api, **more):
    answer = api.post("/api/imports", json={**NEW, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def hand_over(api, import_id, body=BODY, **params):
    return api.post(f"/api/imports/{import_id}/calls", content=body, params=params)


def test_what_is_handed_over_is_durable_and_the_cursor_kept(api):
    """
    Begun again it says where to go on; ended it stays ended, and its calls become events.
    """
    import_id = begun(api)["import_id"]
    assert hand_over(api, import_id).json() == {"calls": 1}
    assert begun(api)["cursor"] == ""
    assert hand_over(api, import_id, cursor="7", rows=6, calls=2, skipped=1, faults=3).status_code == 200
    again = begun(api)
    assert (again["import_id"], again["cursor"]) == (import_id, "7")
    assert (again["rows"], again["calls"], again["skipped"], again["faults"]) == (6, 2, 1, 3)
    assert api.post(f"/api/imports/{import_id}/end", json={}).json()["status"] == "done"
    assert begun(api)["status"] == "done"
    api.core.load()
    assert api.core.lane().query("select event, source from events") == [("E", SOURCE)]


def test_an_import_that_failed_is_taken_up(api):
    """
    Its fault is gone when it is begun again, its cursor is not.
    """
    import_id = begun(api)["import_id"]
    hand_over(api, import_id, cursor="7", rows=6)
    api.post(f"/api/imports/{import_id}/end", json={"fault": "the disk went away"})
    assert api.get(f"/api/imports/{import_id}").json()["told"]["fault"] == "the disk went away"
    again = begun(api)
    assert (again["status"], again["cursor"], again["fault"]) == ("running", "7", None)


def test_another_mapping_or_source_is_another_import(api):
    """
    The same file read in another way may be imported too.
    """
    ids = {begun(api)["import_id"], begun(api, fingerprint="g")["import_id"], begun(api, identity="j")["import_id"]}
    assert len(ids) == 3


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"batch":7}', b"\xff\xfe"])
def test_a_body_that_is_no_batch_is_refused(api, body):
    """
    It is not kept, and moves no cursor.
    """
    import_id = begun(api)["import_id"]
    assert hand_over(api, import_id, body, cursor="9").status_code == 422
    assert begun(api)["cursor"] == ""


def test_a_body_of_another_size_than_agreed_is_refused(api):
    """
    More than four megabytes at once is too much.
    """
    import_id = begun(api)["import_id"]
    assert hand_over(api, import_id, b"x" * 4_300_000).status_code == 413


def test_nothing_is_handed_over_to_an_import_that_ended(api):
    """
    It is begun again first.
    """
    import_id = begun(api)["import_id"]
    api.post(f"/api/imports/{import_id}/end", json={})
    assert hand_over(api, import_id).status_code == 409


def test_while_loading_is_behind_the_caller_waits(api, monkeypatch):
    """
    503 with the code that commands know to be patient with.
    """
    import_id = begun(api)["import_id"]
    monkeypatch.setattr(api.core, "backlog", lambda: 2**40)
    answer = hand_over(api, import_id)
    assert (answer.status_code, answer.json()["code"]) == (503, "E110")


def test_rows_at_fault_are_told_without_what_stood_in_them(api):
    """
    Told twice they are kept once.
    """
    import_id = begun(api)["import_id"]
    told = {"faults": [{"row": 3, "column": "paid", "reason": "this is no number"}]}
    assert api.post(f"/api/imports/{import_id}/faults", json=told).json() == {"kept": 1}
    assert api.post(f"/api/imports/{import_id}/faults", json=told).json() == {"kept": 0}
    assert api.get(f"/api/imports/{import_id}").json()["rows_at_fault"] == [
        {"row": 3, "column": "paid", "reason": "this is no number"}
    ]
    assert tables.opened_faults(api.core.state, api.core.keys, import_id)[0].cells == {}


@pytest.mark.parametrize("path", ["/api/imports/imp_none", "/api/imports/imp_none/faults.csv"])
def test_an_import_that_is_not_there_is_said_so(api, path):
    """
    404, with a help.
    """
    answer = api.get(path)
    assert answer.status_code == 404
    assert answer.json()["help"]


def test_a_source_that_is_not_there_takes_nothing(api):
    """
    An import begins with a source that somebody made.
    """
    assert api.post("/api/imports", json={**NEW, "source": "nobody"}).status_code == 404


def test_imports_are_for_those_who_run_things(api):
    """
    Without a token nobody sees or begins one.
    """
    del api.headers["authorization"]
    assert api.get("/api/imports").status_code == 401
    assert api.post("/api/imports", json=NEW).status_code in (401, 403)
