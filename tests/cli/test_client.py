"""Through the running server when there is one, else in this process; the same answers either way."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spira.cli.client import connect
from spira.cli.faults import ServerSaid, code_of
from spira.server import local


class Handler(BaseHTTPRequestHandler):
    """A server that says what it was asked."""

    def answer(self):
        """Echo the request, or answer with a fault."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        said = {"path": self.path, "token": self.headers.get("Authorization"), "body": json.loads(body or "null")}
        if self.path.startswith("/api/broken"):
            said = {"code": "E009", "message": "moved", "help": "look again"}
        written = b"<html>" if self.path.startswith("/api/odd") else json.dumps(said).encode()
        self.send_response(200 if self.path.startswith(("/api/health", "/api/fine")) else 409)
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    do_GET = do_POST = answer  # noqa: N815  (the library's names)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(shop):
    """A server written down as the shop's, on the loopback."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    local.announce(shop, url=f"http://127.0.0.1:{http.server_port}", token="secret")
    yield shop
    http.shutdown()
    thread.join()
    http.server_close()


def test_a_running_server_is_asked_with_its_token(server):
    """
    The written token goes along, and no store is opened.
    """
    with connect(server) as api:
        assert api.get("/api/fine", q="a b").value()["path"] == "/api/fine?q=a+b"
        said = api.post("/api/fine", {"name": "ann"}).value()
    assert (said["token"], said["body"]) == ("Bearer secret", {"name": "ann"})
    assert not (server / "data" / "warehouse.duckdb").exists()


def test_a_fault_of_the_server_keeps_its_code_and_hint(server):
    """
    What the API answers is what the command says.
    """
    with connect(server) as api, pytest.raises(ServerSaid, match="moved") as fault:
        api.get("/api/broken")
    assert (code_of(fault.value), fault.value.help) == ("E009", "look again")


def test_an_answer_that_is_no_fault_of_ours_is_told_too(server):
    """
    A proxy's page in between does not end in a trace.
    """
    with connect(server) as api, pytest.raises(ServerSaid, match="answered 409"):
        api.get("/api/odd")


def test_a_server_that_is_gone_is_not_waited_for(shop):
    """
    After a kill the file stays; the command then opens the workspace itself.
    """
    local.announce(shop, url="http://127.0.0.1:9", token="old")
    with connect(shop) as api:
        assert api.get("/api/definitions").value()["generation"] == 0
    assert (shop / "data" / "warehouse.duckdb").exists()


def test_faults_look_the_same_in_process(shop):
    """
    Code, message and hint are those of the API.
    """
    with connect(shop) as api, pytest.raises(ServerSaid) as fault:
        api.get("/api/audiences/none")
    assert code_of(fault.value) == "E004"
    assert "applied are" in (fault.value.help or "")
