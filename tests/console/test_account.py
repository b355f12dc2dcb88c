from __future__ import annotations

import re
from datetime import timedelta

import pytest
from pyotp import TOTP

from spira.kernel.clock import iso
from spira.server import second_factor, sessions
from spira.server.staff import by_email
from spira.testing.cores import NOON, PASSWORD

NEW = "tulips by the old harbour"


@pytest.fixture
def ann(signed_in):
    return signed_in("ann", "operator")


@pytest.fixture
def send(ann, form_token):
    """Post a form of the account's pages as Ann."""
    return lambda path, **form: ann.post(path, data={**form, "csrf": form_token("/account")}, follow_redirects=False)


def me(core):
    return by_email(core.state, "ann@example.com").staff_id


def test_commands_of_the_machine_have_no_account(local):
    """The page says so, and what is for people is refused."""
    assert "You are a command" in local.get("/account").text
    assert local.get("/api/account").json()["local"] is True
    assert local.post("/api/account/sessions/end-others").status_code == 403


def test_a_password_changes_with_the_present_one(core, ann, send):
    """A wrong one and a weak one are refused with a reason; afterwards other sessions have ended and this one not."""
    other = sessions.open_session(core.state, me(core), at=NOON, hours=12)
    assert "present password is wrong" in send("/account/password", present="no", new=NEW).text
    assert "among the first" in send("/account/password", present=PASSWORD, new="basketball2024").text
    assert sessions.staff_of_session(core.state, other, at=NOON)
    assert send("/account/password", present=PASSWORD, new=NEW).headers["location"].endswith("password_changed")
    assert sessions.staff_of_session(core.state, other, at=NOON) is None
    assert ann.get("/account").status_code == 200


def test_guessing_the_present_password_stops(send):
    """Ten wrong ones, then the right one waits too."""
    codes = [send("/account/password", present="no", new=NEW).status_code for _ in range(10)]
    assert codes == [422] * 10
    assert send("/account/password", present=PASSWORD, new=NEW).status_code == 429


def test_sessions_are_listed_and_ended(core, ann, send):
    """This one is marked and stays; another is ended by its button, and all others together."""
    first, second = (sessions.open_session(core.state, me(core), at=NOON, hours=12) for _ in range(2))
    found = ann.get("/api/account").json()["sessions"]
    assert [each["this"] for each in found].count(True) == 1
    name = sessions.sessions_of(core.state, me(core), at=NOON, this=first)
    mine = next(each.id for each in name if each.this)
    assert send(f"/account/sessions/{mine}/end").status_code == 303
    assert sessions.staff_of_session(core.state, first, at=NOON) is None
    assert send("/account/sessions/end-others").status_code == 303
    assert sessions.staff_of_session(core.state, second, at=NOON) is None
    assert len(ann.get("/api/account").json()["sessions"]) == 1


def test_a_token_is_shown_once_and_revoked(core, ann, send):
    """It works until it is revoked; the list never has it."""
    page = send("/account/tokens", name="till", days="30").text
    token = re.search(r"spt_[\w-]+", page).group()
    assert token not in ann.get("/account").text
    row = ann.get("/api/account").json()["tokens"][0]
    assert row["name"] == "till"
    assert row["expires_at"] == iso(NOON + timedelta(days=30))
    assert sessions.staff_of_token(core.state, token, at=NOON)
    assert send(f"/account/tokens/{row['id']}/revoke").status_code == 303
    assert sessions.staff_of_token(core.state, token, at=NOON) is None


def test_the_second_factor_is_turned_off_with_password_and_code(core, ann, send):
    """Neither alone is enough."""
    secret = second_factor.begin(core.state, core.keys, me(core), at=NOON)
    code = TOTP(secret).generate_otp(second_factor.step_of(NOON))
    codes = second_factor.confirm(
        core.state, core.keys, me(core), second_factor.Code(text=code, origin="", allowed=10), at=NOON
    )
    assert "recovery codes left" in ann.get("/account").text
    assert send("/account/second-factor/off", password="no", code=codes[0]).status_code == 422
    assert send("/account/second-factor/off", password=PASSWORD, code="000000").status_code == 422
    assert send("/account/second-factor/off", password=PASSWORD, code=codes[0]).status_code == 303
    assert not second_factor.has_factor(core.state, me(core))


def test_the_code_to_scan_fits_its_room_and_opens_the_authenticator_on_a_telephone(send):
    """It is never cut, whatever its size; who reads on the telephone itself opens the same address by a link."""
    page = send("/account/second-factor").text
    square = page[page.index("code-square") :].split("</div>")[0]
    assert "viewBox=" in square
    assert not {"width=", "height="} & set(square.replace('"', " ").split())
    assert 'href="otpauth://totp/' in page
