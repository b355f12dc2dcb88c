"""The documentation covers what there is: settings, commands, kinds of definition, error codes."""

import inspect
import re
from pathlib import Path

import pytest

import spira.worker.builtin  # noqa: F401  (registers everything)
from spira.cli.main import main
from spira.definitions.kinds import KINDS
from spira.kernel import errors
from spira.kernel.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
APP = ROOT / "src" / "spira"
SETTINGS = [
    (section, name, field)
    for section, whole in Settings.model_fields.items()
    for name, field in whole.annotation.model_fields.items()
]
CODES = sorted(
    {code for path in APP.rglob("*.py") for code in re.findall(r'"([DE]\d{3})"', path.read_text(encoding="utf-8"))}
)


@pytest.mark.parametrize(("section", "name", "field"), SETTINGS, ids=lambda each: each if isinstance(each, str) else "")
def test_every_setting_is_documented(section, name, field):
    """
    `settings.md` has a row for every setting, with what it is for.
    """
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    assert f"`{section}.{name}`" in text
    assert field.description in text


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_has_its_page(code):
    """
    A code that the program can answer with has a page that begins with it, a cause and a next step.
    """
    page = REFERENCE / "errors" / f"{code}.md"
    assert page.is_file(), f"write docs/reference/errors/{code}.md"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {code}")
    assert len(text.split()) > 20


def test_every_error_page_is_of_a_code():
    """
    No page tells of a code that nothing answers with.
    """
    assert {path.stem for path in (REFERENCE / "errors").glob("[DE]*.md")} <= set(CODES)


def test_runtime_errors_have_codes_of_their_own():
    """
    No two runtime errors share a code.
    """
    classes = [each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, errors.SpiraError)]
    codes = [each.code for each in classes]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_documented(name):
    """
    `cli.md` has a section for every command, and names each of its options.
    """
    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    assert f"## `spira {name}" in text
    for parameter in main.commands[name].params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert f"`{option}`" in text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_definition_is_documented(kind):
    """
    `definitions.md` has a section for every kind, and names each of its keys.
    """
    text = (REFERENCE / "definitions.md").read_text(encoding="utf-8")
    assert f"## `{kind}`" in text
    for name, field in KINDS.get(kind).model.model_fields.items():
        assert f"`{field.alias or name}`" in text
