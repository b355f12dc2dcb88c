"""Signing: the published vectors, and everything that is nearly right."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from spira.collect.hooks.definition import Signing
from spira.collect.hooks.signing import NotProven, prove
from spira.kernel.errors import WorkspaceInvalid

NOW = datetime(2021, 2, 25, 15, 2, 10)  # 1614265330
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
BODY = b'{"test": 2432232314}'
PING = b'{"ping":"OK"}'
DISCOURSE = "sha256=32215f45302cb61f17b73f3b4cb5bc1c15c954e62b7c8ef2d9ecf20168dec18c"


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setenv("HOOK", "testsecret")
    monkeypatch.setenv("WHSEC", WHSEC)
    monkeypatch.setenv("NEXT", "another")


def signing(**what) -> Signing:
    return Signing.model_validate(what)


def why(how, headers, body, *, now=NOW) -> str:
    with pytest.raises(NotProven) as found:
        prove(how, headers, body, now=now)
    return found.value.code


def test_the_vector_of_standard_webhooks_is_proven():
    """The published id, time, body and secret make the published signature; the id is the nonce."""
    how = signing(scheme="standard", secret="env:WHSEC")

    assert prove(how, STANDARD, BODY, now=NOW) == STANDARD["webhook-id"]
    several = STANDARD | {"webhook-signature": f"v1a,xx v1,AAAA {STANDARD['webhook-signature']}"}
    assert prove(how, several, BODY, now=NOW)


@pytest.mark.parametrize(
    ("change", "body", "code"),
    [
        ({"webhook-id": "msg_other"}, BODY, "bad_signature"),
        ({"webhook-timestamp": "1614265331"}, BODY, "bad_signature"),
        ({}, BODY + b" ", "bad_signature"),
        ({"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, BODY, "bad_signature"),
        ({"webhook-signature": "v1,"}, BODY, "bad_signature"),
        ({"webhook-signature": "é"}, BODY, "bad_signature"),
        ({"webhook-signature": ""}, BODY, "no_signature"),
        ({"webhook-id": ""}, BODY, "no_signature"),
        ({"webhook-timestamp": "1614265000"}, BODY, "stale"),
        ({"webhook-timestamp": "1614265700"}, BODY, "stale"),
        ({"webhook-timestamp": "soon"}, BODY, "stale"),
        ({"webhook-timestamp": "9" * 12}, BODY, "stale"),
        ({"webhook-timestamp": "9" * 4_000}, BODY, "stale"),
    ],
)
def test_whatever_differs_from_a_signed_call_is_refused(change, body, code):
    """Another id, time, body, version or secret proves nothing; nor does a call of long ago or of times to come."""
    assert why(signing(scheme="standard", secret="env:WHSEC"), STANDARD | change, body) == code


def test_the_vector_of_discourse_is_proven():
    """HMAC-SHA256 of the raw body in hex, behind a prefix."""
    how = signing(scheme="hmac", secret="env:HOOK", header="X-Discourse-Event-Signature", prefix="sha256=")

    assert prove(how, {"x-discourse-event-signature": DISCOURSE}, PING, now=NOW)
    assert why(how, {"x-discourse-event-signature": DISCOURSE}, PING + b"\n") == "bad_signature"
    assert why(how, {"x-discourse-event-signature": DISCOURSE[:-1] + "d"}, PING) == "bad_signature"
    assert why(how, {"x-discourse-event-signature": "sha256=zz"}, PING) == "bad_signature"
    assert why(how, {}, PING) == "no_signature"


def test_a_body_may_be_signed_in_base64_as_shops_do():
    """Shopify's header holds the base64 of the HMAC of the body, without a prefix."""
    how = signing(scheme="hmac", secret="env:HOOK", header="X-Shopify-Hmac-Sha256", encoding="base64")
    told = base64.b64encode(hmac.new(b"testsecret", BODY, hashlib.sha256).digest()).decode()

    assert prove(how, {"x-shopify-hmac-sha256": told}, BODY, now=NOW)
    assert why(how, {"x-shopify-hmac-sha256": told.rstrip("=")}, BODY) == "bad_signature"


def test_what_is_signed_may_hold_the_time_and_the_id():
    """A hole is filled once: a body that looks like one is only a body."""
    how = signing(
        scheme="hmac",
        secret="env:HOOK",
        header="x-sig",
        signed="v0:{timestamp}:{id}:{body}",
        timestamp="x-time",
        id="x-id",
    )
    body, instant = b'{"a":"{timestamp}"}', "1614265330"
    told = hmac.new(b"testsecret", b"v0:" + instant.encode() + b":7:" + body, hashlib.sha256).hexdigest()
    headers = {"x-sig": told, "x-time": instant, "x-id": "7"}

    assert prove(how, headers, body, now=NOW)
    assert prove(how, headers, body, now=NOW + timedelta(minutes=5))
    assert why(how, headers, body, now=NOW + timedelta(minutes=5, seconds=1)) == "stale"
    assert why(how, headers | {"x-id": "8"}, body) == "bad_signature"


def test_time_and_signature_may_share_a_header():
    """Stripe's header holds `t` and one or more `v1`."""
    how = signing(scheme="stripe", secret="env:HOOK")
    told = hmac.new(b"testsecret", b"1614265330." + BODY, hashlib.sha256).hexdigest()

    assert prove(how, {"stripe-signature": f"t=1614265330,v1={told},v0=old"}, BODY, now=NOW)
    assert prove(how, {"stripe-signature": f"t=1614265330, v1=00, v1={told}"}, BODY, now=NOW)
    assert why(how, {"stripe-signature": f"t=1614265330,v0={told}"}, BODY) == "bad_signature"
    assert why(how, {"stripe-signature": f"v1={told}"}, BODY) == "stale"


def test_a_secret_can_be_sent_itself():
    """A token is compared as a whole."""
    how = signing(scheme="token", secret="env:HOOK", header="X-Gitlab-Token")

    assert prove(how, {"x-gitlab-token": "testsecret"}, BODY, now=NOW)
    assert why(how, {"x-gitlab-token": "testsecre"}, BODY) == "bad_signature"
    assert why(how, {"x-gitlab-token": "testsecretx"}, BODY) == "bad_signature"
    assert why(how, {"x-gitlab-token": ""}, BODY) == "no_signature"


def test_a_secret_is_exchanged_without_missing_a_call():
    """While two secrets are named either proves a call."""
    how = signing(scheme="hmac", secret=["env:NEXT", "env:HOOK"], header="x", prefix="sha256=")

    assert prove(how, {"x": DISCOURSE}, PING, now=NOW)
    assert prove(how, {"x": f"sha256={hmac.new(b'another', PING, hashlib.sha256).hexdigest()}"}, PING, now=NOW)


def test_a_secret_that_is_not_set_proves_nothing(monkeypatch):
    """Without the secret nothing is taken on trust; what is missing is named."""
    monkeypatch.delenv("HOOK")
    how = signing(scheme="hmac", secret="env:HOOK", header="x")

    with pytest.raises(WorkspaceInvalid, match="HOOK"):
        prove(how, {"x": "00"}, PING, now=NOW)


@pytest.mark.parametrize(
    "what",
    [
        {"scheme": "hmac", "secret": "testsecret", "header": "x"},
        {"scheme": "hmac", "secret": "env:", "header": "x"},
        {"scheme": "hmac", "secret": [], "header": "x"},
        {"scheme": "hmac", "secret": "env:HOOK"},
        {"scheme": "token", "secret": "env:HOOK"},
        {"scheme": "hmac", "secret": "env:HOOK", "header": "x", "signed": "{timestamp}"},
        {"scheme": "hmac", "secret": "env:HOOK", "header": "x", "signed": "{timestamp}.{body}"},
        {"scheme": "hmac", "secret": "env:HOOK", "header": "x", "signed": "{id}.{body}"},
        {"scheme": "hmac", "secret": "env:HOOK", "header": "x", "algorithm": "md5"},
        {"scheme": "standard", "secret": "env:WHSEC", "tolerance": "soon"},
    ],
)
def test_a_signing_that_proves_nothing_is_no_definition(what):
    """A secret in a file, a signature over everything but the body, a header that is not named."""
    with pytest.raises(ValidationError):
        Signing.model_validate(what)
