from __future__ import annotations

import re
from base64 import b32encode
from datetime import UTC, datetime, timedelta

import pytest
from pyotp import TOTP

from spira.kernel.errors import Conflict
from spira.server import second_factor
from spira.server.errors import NotSignedIn, TooManyAttempts
from spira.server.second_factor import Code
from spira.testing.cores import NOON, PASSWORD, staff

VECTORS = [
    (59, "287082"),
    (1_111_111_109, "081804"),
    (1_111_111_111, "050471"),
    (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
    (20_000_000_000, "353130"),
]


def code_at(secret, at):
    return TOTP(secret).generate_otp(second_factor.step_of(at))


def typed(text, origin="1.2.3.4"):
    return Code(text=text, origin=origin, allowed=10)


@pytest.fixture
def ann(core):
    """Ann, enrolled; her secret and her recovery codes."""
    person = staff(core, "ann", "operator")
    secret = second_factor.begin(core.state, core.keys, person.staff_id, at=NOON)
    first = typed(code_at(secret, NOON))
    codes = second_factor.confirm(core.state, core.keys, person.staff_id, first, at=NOON)
    return person, secret, codes


@pytest.mark.parametrize(("seconds", "digits"), VECTORS)
def test_codes_are_those_of_the_standard(seconds, digits):
    """The examples of RFC 6238, appendix B (SHA-1), by their last six digits."""
    secret = b32encode(b"12345678901234567890").decode()
    at = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    assert second_factor.matched(secret, digits, at=at) == seconds // 30


def test_a_code_counts_one_step_early_and_late_and_no_more():
    """A telephone's clock may be half a minute off."""
    secret = b32encode(b"12345678901234567890").decode()
    now = second_factor.step_of(NOON)
    for off in (-1, 0, 1):
        assert second_factor.matched(secret, TOTP(secret).generate_otp(now + off), at=NOON) == now + off
    for off in (-2, 2):
        assert second_factor.matched(secret, TOTP(secret).generate_otp(now + off), at=NOON) is None


def test_a_code_is_not_taken_twice(core, ann):
    """Whoever looks over a shoulder has nothing: neither the same code counts again, nor one before it."""
    person, secret, _ = ann
    later = NOON + timedelta(minutes=2)
    check = lambda code: second_factor.check(core.state, core.keys, person.staff_id, typed(code), at=later)  # noqa: E731
    check(code_at(secret, later))
    for each in (later, later - timedelta(seconds=30)):
        with pytest.raises(NotSignedIn):
            check(code_at(secret, each))


def test_a_recovery_code_works_once_however_it_is_written(core, ann):
    """Ten of them, each instead of one code; hyphens, spaces and capitals do not matter."""
    person, _, codes = ann
    assert len(set(codes)) == 10
    text = typed(codes[0].upper().replace("-", " "))
    second_factor.check(core.state, core.keys, person.staff_id, text, at=NOON)
    with pytest.raises(NotSignedIn):
        second_factor.check(core.state, core.keys, person.staff_id, text, at=NOON)
    assert second_factor.view(core.state, person.staff_id).recovery_left == 9
    fresh = second_factor.new_recovery_codes(core.state, person.staff_id)
    with pytest.raises(NotSignedIn):
        second_factor.check(core.state, core.keys, person.staff_id, typed(codes[1]), at=NOON)
    second_factor.check(core.state, core.keys, person.staff_id, typed(fresh[0]), at=NOON)


def test_guessing_codes_stops_after_ten(core, ann):
    """The right code is refused too then, from another place as well, and works a quarter of an hour later."""
    person, secret, _ = ann
    for _ in range(10):
        with pytest.raises(NotSignedIn):
            second_factor.check(core.state, core.keys, person.staff_id, typed("000000"), at=NOON)
    with pytest.raises(TooManyAttempts):
        second_factor.check(core.state, core.keys, person.staff_id, typed(code_at(secret, NOON), "5.6.7.8"), at=NOON)
    later = NOON + timedelta(minutes=16)
    second_factor.check(core.state, core.keys, person.staff_id, typed(code_at(secret, later)), at=later)


def test_what_makes_the_codes_can_not_be_read_from_the_state(core, ann):
    """Neither the secret nor a recovery code stands in the database; another person's row does not open."""
    person, secret, codes = ann
    core.state.settle()
    content = b"".join(path.read_bytes() for path in core.directory.glob("state.sqlite*"))
    assert secret.encode() not in content
    assert codes[0].replace("-", "").encode() not in content
    with pytest.raises(Conflict):
        second_factor.begin(core.state, core.keys, person.staff_id, at=NOON)


def test_a_half_open_session_opens_nothing_but_the_page_for_the_code(client, ann, form_token, wall):
    """After the password alone every page still asks to sign in; the code makes a new session, and once."""
    _, secret, _ = ann
    wall.step(timedelta(minutes=5))
    form = {"email": "ann@example.com", "password": PASSWORD, "next": "/system", "csrf": form_token("/sign-in")}
    answer = client.post("/sign-in", data=form, follow_redirects=False)
    assert answer.headers["location"] == "/sign-in/code?next=%2Fsystem"
    assert "spira_session" not in client.cookies
    client.cookies.set("spira_session", client.cookies["spira_half"])
    assert client.get("/cockpit", follow_redirects=False).status_code == 302
    assert client.get("/api/cockpit").status_code == 401
    del client.cookies["spira_session"]
    page = client.get("/sign-in/code?next=/system").text
    csrf = re.search(r'name="csrf" value="(\w+)"', page).group(1)
    wrong = client.post("/sign-in/code", data={"csrf": csrf, "code": "000000", "next": "/system"})
    assert (wrong.status_code, "spira_session" in client.cookies) == (401, False)
    right = {"csrf": csrf, "code": code_at(secret, wall.now()), "next": "/system"}
    answer = client.post("/sign-in/code", data=right, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/system")
    assert client.get("/system").status_code == 200


def test_the_page_for_the_code_is_closed_without_a_password(client):
    """Nobody starts at the second step."""
    assert client.get("/sign-in/code", follow_redirects=False).headers["location"].startswith("/sign-in?")


def test_where_everybody_needs_one_nothing_else_opens_before(signed_in, core, form_token):
    """Pages lead to enrolling and calls are refused; afterwards all is open as ever."""
    security = core.settings.security.model_copy(update={"second_factor": "required"})
    core.settings = core.settings.model_copy(update={"security": security})
    client = signed_in("ann", "operator")
    assert client.get("/cockpit", follow_redirects=False).headers["location"] == "/account/second-factor"
    assert client.get("/api/cockpit").json()["code"] == "E003"
    csrf = form_token("/account/second-factor")
    page = client.post("/account/second-factor", data={"csrf": csrf}).text
    secret = re.search(r'id="secret">([\w ]+)<', page).group(1).replace(" ", "")
    assert "<svg" in page
    done = client.post("/account/second-factor/confirm", data={"csrf": csrf, "code": code_at(secret, NOON)})
    assert done.status_code == 200
    assert len(re.findall(r"\b\w{4}-\w{4}-\w{4}-\w{4}\b", done.text)) == 10
    assert client.get("/cockpit").status_code == 200
