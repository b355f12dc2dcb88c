"""What web pages load: the script, the client and the settings, over real ASGI calls."""

from __future__ import annotations

import asyncio
import gzip
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spira.collect import sources
from spira.collect.browser import BUNDLES, CLIENT, Browser, checksum


@pytest.fixture
def ask(desk):
    """Asks for a path; by default as `https://spira.example` without a proxy's help."""

    def asking(path, *, method="GET", headers=None, public_url="", base="https://spira.example"):
        app = Browser(state=desk.state, clock=desk.clock, public_url=public_url)

        async def send():
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url=base) as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(send())

    return asking


def test_settings_name_this_server_and_nothing_else_to_load(desk, ask):
    """A client that follows its settings sends here, loads nothing from elsewhere, and reports nothing to strangers."""
    answer = ask(f"/v1/projects/{desk.source.write_key}/settings")

    found = answer.json()
    assert found["integrations"] == {
        "Segment.io": {
            "apiKey": desk.source.write_key,
            "apiHost": "spira.example/v1",
            "protocol": "https",
            "addBundledMetadata": True,
            "unbundledIntegrations": [],
        }
    }
    assert found["metrics"] == {"sampleRate": 0}
    assert (found["remotePlugins"], found["consentFirst"]) == ([], False)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in answer.headers


def test_a_public_address_is_believed_over_the_one_that_was_asked(desk, ask):
    """Behind a proxy the settings name the address that browsers know, its path included."""
    path = f"/v1/projects/{desk.source.write_key}/settings"

    found = ask(path, public_url="https://shop.example/spira/", base="http://10.0.0.7:8700").json()

    destination = found["integrations"]["Segment.io"]
    assert (destination["apiHost"], destination["protocol"]) == ("shop.example/spira/v1", "https")


@pytest.mark.parametrize("host", ["evil.example/x", "a b", "x@y", '"'])
def test_a_host_that_is_none_is_not_repeated(desk, ask, host):
    """What stands in the Host header is told back only where it can be an address."""
    found = ask(f"/v1/projects/{desk.source.write_key}/settings", headers={"host": host}).json()

    assert "apiHost" not in found["integrations"]["Segment.io"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/projects/wk_nobody/settings", 404, "invalid_write_key"),
        ("GET", "/v1/projects/settings", 404, "not_found"),
        ("GET", "/analytics-next/bundles/other.js", 404, "not_found"),
        ("GET", "/analytics-next/bundles/../spira.js", 404, "not_found"),
        ("POST", "/spira.js", 405, "method_not_allowed"),
        ("DELETE", "/v1/projects/wk_nobody/settings", 405, "method_not_allowed"),
    ],
)
def test_refusals_have_a_code_and_a_message(ask, method, path, status, code):
    """As everywhere in the collection API."""
    answer = ask(path, method=method)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_source_that_ended_has_no_settings(desk, ask):
    """Its pages find nothing, as its calls are refused."""
    sources.end(desk.state, desk.clock, "shop")

    assert ask(f"/v1/projects/{desk.source.write_key}/settings").status_code == 404


@pytest.mark.parametrize("path", ["/spira.js", BUNDLES + CLIENT])
def test_scripts_are_small_kept_and_asked_for_by_their_mark(ask, path):
    """Packed where the browser can unpack, and not sent again while they are the same."""
    packed = ask(path, headers={"accept-encoding": "gzip, br"})
    plain = ask(path, headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content  # httpx unpacks
    assert int(packed.headers["content-length"]) < len(plain.content) / 2
    assert packed.headers["content-type"].startswith("text/javascript")
    again = ask(path, headers={"if-none-match": "W/" + packed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = ask(path, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert packed.headers["cross-origin-resource-policy"] == "cross-origin"


def test_the_line_costs_a_page_four_kilobytes(ask):
    """What every visitor loads before any consent is small, and names the client by its content."""
    script = ask("/spira.js").text

    assert len(gzip.compress(script.encode(), 9)) < 4_096
    assert f"{BUNDLES}{CLIENT}?v=" in script
    assert "{" + "waiting}" not in script


def test_the_script_knows_which_sources_wait(desk, ask):
    """The switch of a source changes the script at once, and no key stands in it."""
    before = ask("/spira.js")
    sources.wait_for_consent(desk.state, "shop", wanted=True)

    after = ask("/spira.js", headers={"if-none-match": before.headers["etag"]})

    assert after.status_code == 200
    assert json.dumps(checksum(desk.source.write_key)) in after.text
    assert desk.source.write_key not in after.text
    assert ask(f"/v1/projects/{desk.source.write_key}/settings").json()["consentFirst"] is True
    sources.wait_for_consent(desk.state, "shop", wanted=False)
    assert ask("/spira.js").text == before.text


def test_the_vendored_client_is_the_package_without_its_map():
    """The licence lies beside it, and nothing of it points to files that are not there."""
    from importlib.resources import files

    vendor = files("spira.collect").joinpath("web", "vendor")
    assert "MIT License" in vendor.joinpath("analytics-next-LICENSE.txt").read_text(encoding="utf-8")
    for each in vendor.iterdir():
        assert "sourceMappingURL" not in each.read_text(encoding="utf-8")


@given(key=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=64))
def test_checksums_are_eight_hexadecimal_digits(key):
    """One for each key, the same whenever it is made."""
    assert len(checksum(key)) == 8
    assert int(checksum(key), 16) < 1 << 32
    assert checksum(key) == checksum(key)
