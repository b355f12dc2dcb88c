"""The door's pages speak to a stranger in the language of their browser."""

import pytest

from spira.testing.cores import staff


@pytest.mark.parametrize(
    ("asked", "said"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "登录"), ("zh-TW", "登录"), ("en-GB,en;q=0.9", "Sign in"),
     ("en;q=0.2, zh;q=0.7", "登录"), ("fr-FR", "Sign in"), ("", "Sign in"), ("*", "Sign in"), (";;q=x,,", "Sign in")],
)  # fmt: skip
def test_before_anybody_chose_the_browser_says_the_language(client, asked, said):
    """What the browser likes best of ours; the workspace's language, English here, where it likes none."""
    assert f"<h1>{said}</h1>" in client.get("/sign-in", headers={"accept-language": asked}).text


def test_what_was_chosen_comes_before_the_browser(client, form_token):
    """A choice at the door holds, whatever the browser asks for."""
    chosen = {"csrf": form_token("/sign-in"), "language": "en", "next": "/sign-in"}
    assert client.post("/me/preferences", data=chosen, headers={"accept-language": "zh-CN"}).status_code == 200
    assert "<h1>Sign in</h1>" in client.get("/sign-in", headers={"accept-language": "zh-CN"}).text


def test_the_language_of_the_door_goes_on_inside(signed_in, core):
    """Who chose nothing reads the cockpit in the language in which they signed in; who chose reads theirs."""
    client = signed_in("ann", "operator")
    chinese = {"accept-language": "zh-CN"}
    assert "<h1>看板</h1>" in client.get("/cockpit", headers=chinese).text
    assert "<h1>Cockpit</h1>" in client.get("/cockpit").text
    assert core.settings.workspace.language == "en"


def test_a_wrong_password_is_told_in_the_language_of_the_form(client, core, form_token):
    """The form comes again as it was, with the fault in the same language."""
    staff(core, "ann", "operator")
    form = {"email": "ann@example.com", "password": "wrong", "csrf": form_token("/sign-in")}
    answer = client.post("/sign-in", data=form, headers={"accept-language": "zh-CN"})
    assert answer.status_code == 401
    assert "<h1>登录</h1>" in answer.text
