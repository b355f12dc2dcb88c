"""Headers that keep scripts, frames, guesses of type and referrers out: on every answer, whatever answers."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from spira.collect import sources
from spira.console.app import create_app, create_asgi
from spira.server.middleware import POLICY
from spira.testing.workspaces import SOURCE, workspace

BEARER = {"authorization": "Bearer local"}
# What each kind of answer is asked with: method, path, headers, body, and the status that shows it is the kind meant.
ASKED = {
    "a page": ("GET", "/cockpit", BEARER, None, 200),
    "a page of the door": ("GET", "/sign-in", {}, None, 200),
    "a way to the door": ("GET", "/cockpit", {}, None, 302),
    "the API": ("GET", "/api/tags", BEARER, None, 200),
    "a refusal of the API": ("GET", "/api/tags", {}, None, 401),
    "a fault of the API": ("POST", "/api/clock", BEARER, b"{", 400),
    "an address of nothing": ("GET", "/nowhere", BEARER, None, 404),
    "a method of nothing": ("DELETE", "/cockpit", BEARER, None, 405),
    "a file": ("GET", "/static/app.css", {}, None, 200),
    "a file that is not there": ("GET", "/static/app.exe", {}, None, 404),
    "a change of a form": ("POST", "/start/show", BEARER, None, 303),
    "our own fault": ("GET", "/system", BEARER, None, 500),
    "a public page": ("GET", "/u/wrong", {}, None, 404),
    "a short link": ("GET", "/r/wrong", {}, None, 404),
    "a pixel of mail": ("GET", "/o/wrong", {}, None, 200),
    "a receipt": ("POST", "/receipts/nobody", {}, b"{}", 404),
    "the health": ("GET", "/api/health", {}, None, 200),
    "collection": ("POST", "/v1/track", {}, b'{"event": "X", "userId": "1", "writeKey": "KEY"}', 200),
    "a refusal of collection": ("POST", "/v1/track", {}, b"{", 400),
    "a preflight of collection": ("OPTIONS", "/v1/track", {}, None, 204),
    "a script of collection": ("GET", "/spira.js", {}, None, 200),
}
COLLECTED = tuple(each for each in ASKED if "collection" in each)
FOR_OTHER_SITES = (*COLLECTED, "a pixel of mail")


@pytest.fixture(scope="module", params=["http://shop.example", "https://shop.example"])
def answers(request, tmp_path_factory):
    """Every kind of answer of one real workspace, by its name, and whether its public address is HTTPS."""
    with workspace(tmp_path_factory.mktemp("shop"), {}) as core, pytest.MonkeyPatch.context() as patched:
        server = core.settings.server.model_copy(update={"public_url": request.param})
        core.settings = core.settings.model_copy(update={"server": server})
        (key,) = (each.write_key for each in sources.every(core.state) if each.source == SOURCE)
        patched.setattr(core, "report", lambda: 1 / 0)
        asgi = create_asgi(core, create_app(core, local_token="local"))

        async def ask_all():
            transport = httpx.ASGITransport(app=asgi, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=request.param) as client:
                return {
                    name: await client.request(
                        method, path, headers=headers, content=body and body.replace(b"KEY", key.encode())
                    )
                    for name, (method, path, headers, body, _) in ASKED.items()
                }

        yield asyncio.run(ask_all()), request.param.startswith("https")


@pytest.mark.parametrize("kind", ASKED)
def test_every_kind_of_answer_carries_what_it_owes(answers, kind):
    """No guessing of types, no frame, no referrer to others, no reading from other sites but where that is its use."""
    found, _ = answers
    answer = found[kind]
    assert answer.status_code == ASKED[kind][-1], answer.text[:300]
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert headers["cross-origin-resource-policy"] == ("cross-origin" if kind in FOR_OTHER_SITES else "same-origin")


@pytest.mark.parametrize("kind", ASKED)
def test_browsers_are_bound_to_https_only_where_that_is_the_address(answers, kind):
    """With a public address of HTTPS every answer says so for a year; with none, no answer locks anybody out."""
    found, https = answers
    assert found[kind].headers.get("strict-transport-security") == ("max-age=31536000" if https else None)


def test_no_header_is_said_twice(answers):
    """What an answer says of its own stands alone: a browser takes two policies as both, and two values as none."""
    found, _ = answers
    for kind, answer in found.items():
        names = [name.lower() for name, _ in answer.headers.raw if name.lower() != b"set-cookie"]
        assert sorted(names) == sorted(set(names)), kind


def test_what_people_see_is_kept_by_no_cache_but_files_are(answers):
    """Pages and data are not stored on the way; a file that is named by its content is."""
    found, _ = answers
    for kind in ("a page", "the API", "a refusal of the API", "our own fault", "a public page", "a change of a form"):
        assert found[kind].headers["cache-control"] == "no-store", kind
    assert "immutable" in found["a file"].headers["cache-control"]
    assert found["a page"].headers["content-security-policy"] == POLICY
