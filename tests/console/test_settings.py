from __future__ import annotations

import json
from importlib.resources import files

import pytest

from spira.kernel.settings import Settings, load_settings
from spira.storage.audit import latest

WRITTEN = """\
# what the shop is
[workspace]
brand = "Corner Shop"  # on every page
zone = "UTC"
language = "en"

[security]
session_hours = 8
"""
ALL = [(section, name, field) for section, whole in Settings.model_fields.items()
       for name, field in whole.annotation.model_fields.items()]  # fmt: skip


@pytest.fixture
def place(core):
    file = core.directory / "spira.toml"
    file.write_text(WRITTEN, encoding="utf-8")
    core.settings = load_settings(core.directory)
    return file


@pytest.fixture
def send(place, signed_in, form_token):  # noqa: ARG001  (the file must be there)
    """Post a section's form as an administrator."""
    client = signed_in("ann", "administrator")
    return lambda section, **form: client.post(
        f"/settings/{section}", data={**form, "csrf": form_token("/settings")}, follow_redirects=False
    )


@pytest.mark.parametrize(("section", "name", "field"), ALL, ids=lambda each: each if isinstance(each, str) else "")
def test_every_setting_has_words_in_both_languages(section, name, field):
    """In English those of the model itself."""
    texts = {
        language: json.loads(files("spira.console").joinpath("locales", language, "staff.json").read_text("utf-8"))
        for language in ("en", "zh-CN")
    }
    assert texts["en"][f"setting.{section}.{name}"] == field.description
    assert texts["zh-CN"][f"setting.{section}.{name}"] != field.description


def test_a_change_keeps_comments_and_holds_at_once(core, place, send):
    """Only what changed is written; the next page has the new brand; the audit has the names and no values."""
    answer = send("workspace", brand="Sea Shop", zone="UTC", currency="CNY")
    assert answer.headers["location"] == "/settings?done=settings_changed"
    assert place.read_text() == WRITTEN.replace("Corner Shop", "Sea Shop")
    assert core.settings.workspace.brand == "Sea Shop"
    row = latest(core.state, limit=1)[0]
    assert (row.action, row.subject, row.detail) == ("settings.change", "workspace", {"names": ["brand"]})
    assert send("workspace", brand="Sea Shop").headers["location"].endswith("settings_same")


def test_what_is_read_at_the_start_waits_for_it(core, send, client):
    """The file has it, the running server not yet, and the page says so."""
    answer = send("worker", tick_seconds="5", load_seconds="1")
    assert answer.headers["location"].endswith("settings_next")
    assert (core.settings.worker.tick_seconds, load_settings(core.directory).worker.tick_seconds) == (30.0, 5.0)
    assert client.get("/api/settings").json()["waiting"] == 1
    assert "takes effect at the next start." in client.get("/settings").text


@pytest.mark.parametrize(
    ("section", "form"),
    [
        ("security", {"session_hours": "0"}),
        ("security", {"session_hours": "many"}),
        ("workspace", {"zone": "Mars/Base"}),
    ],
)
def test_a_fault_changes_nothing_and_keeps_what_was_typed(place, send, section, form):
    """The same models judge as at the start."""
    answer = send(section, **form)
    assert answer.status_code == 400
    assert f'value="{next(iter(form.values()))}"' in answer.text
    assert place.read_text() == WRITTEN


def test_what_only_the_file_may_say_is_refused(place, send):
    """Where the server listens is not changed from a browser."""
    assert send("server", port="1").status_code == 409
    assert send("nothing", port="1").status_code == 404
    assert place.read_text() == WRITTEN
