"""The documentation covers what there is: settings, commands, kinds of definition, error codes."""

import inspect
import json
import os
import re
import shutil
from pathlib import Path

import pytest

import spira.worker.builtin  # noqa: F401  (registers everything)
from spira.cli.main import main
from spira.definitions.check import check
from spira.definitions.kinds import KINDS
from spira.definitions.workspace import read_workspace
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


INDEX = REFERENCE / "errors" / "index.md"
FAMILIES = (
    ("E0", "Asking"),
    ("E1", "Workspace, stores and processes"),
    ("E2", "Definitions and conditions that were asked about"),
    ("E3", "Delivery"),
    ("E4", "Imports"),
    ("E6", "The demo"),
    ("D0", "Files and their shape"),
    ("D1", "Between definitions"),
    ("D2", "Tracking plans"),
    ("D30", "Expressions"),
    ("D31", ""),
    ("D32", ""),
    ("D33", "Tags, models and audiences"),
    ("D40", "Journeys"),
    ("D41", ""),
    ("D42", "Templates"),
    ("D43", "Channels"),
    ("D45", "Notices"),
    ("D46", "Kinds of identifiers"),
    ("D47", "Probable matching"),
    ("D48", "Destinations"),
    ("D5", "Metrics"),
    ("D6", "Imports and mappings"),
)


def error_rows():
    """A line for each page, under the heading of its family."""
    pages = {path.stem: path for path in (REFERENCE / "errors").glob("[DE]*.md")}
    for prefix, title in FAMILIES:
        if title:
            yield f"\n## {title}\n\n| code | what it says |\n|---|---|"
        for code in sorted(each for each in pages if each.startswith(prefix)):
            first = pages[code].read_text(encoding="utf-8").splitlines()[0]
            yield f"| [{code}]({code}.md) | {first.partition(':')[2].strip()} |"


def test_golden_the_index_lists_every_error():
    """
    Every page stands in the index with its title (`make golden` rewrites it).
    """
    head, mark, _ = INDEX.read_text(encoding="utf-8").partition("<!-- drawn -->\n")
    drawn = head + mark + "\n".join(error_rows()) + "\n"
    assert {path.stem for path in (REFERENCE / "errors").glob("[DE]*.md")} == set(re.findall(r"\[([DE]\d+)\]", drawn))
    if os.environ.get("SPIRA_GOLDEN") == "rewrite":
        INDEX.write_text(drawn, encoding="utf-8")
    assert INDEX.read_text(encoding="utf-8") == drawn


SHOWN = re.compile(r"\bIn\s`([\w./]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)


def test_the_tutorial_builds_a_workspace_without_faults(tmp_path):
    """
    The files that the tutorial shows are, put together, what it says they are.
    """
    (tmp_path / "spira.toml").touch()
    for name, text in SHOWN.findall((DOCS / "tutorial" / "index.md").read_text(encoding="utf-8")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    workspace = read_workspace(tmp_path)
    assert check(workspace) == ()
    kinds = [each.kind for each in workspace.definitions]
    assert sorted(kinds) == ["audience", "channel", "journey", "tag", "tag", "template", "tracking"]
    json.loads((tmp_path / "events.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_a_readme_is_true(page, tmp_path):
    """
    Its links lead somewhere, its definitions and conditions are good in the example, its commands exist.
    """
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [each for each in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in each]
    assert [each for each in links if not (ROOT / each).exists()] == []
    conditions = re.findall(r"^ *```\n *(\S.*)\n *```$", text, re.MULTILINE) + re.findall(r"`(lifecycle = .+?)`", text)
    assert len(conditions) == 2
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    shutil.copytree(ROOT / "examples" / "retail", tmp_path, dirs_exist_ok=True)
    before = len(read_workspace(tmp_path).definitions)
    blocks = [each.replace("tag: orders_90d", "tag: shown") for each in blocks]
    blocks += [f'audience: shown_{place}\nwho: "{each}"\n' for place, each in enumerate(conditions)]
    (tmp_path / "tags" / "shown.yaml").write_text("---\n".join(blocks), encoding="utf-8")
    workspace = read_workspace(tmp_path)
    assert check(workspace) == ()
    assert len(workspace.definitions) == before + len(blocks)
    called = set(re.findall(r"\bspira ([a-z]+)\b", "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))))
    assert called <= set(main.commands)


def test_both_readmes_show_the_same_things():
    """
    The Chinese page has the blocks and links of the English one, in the same order.
    """
    english, chinese = ((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "README.zh-CN.md"))
    for pattern in (r"^#+ ", r"```\w*$", r"\]\(docs/(?!images)[^)]*\)"):
        assert len(re.findall(pattern, english, re.MULTILINE)) == len(re.findall(pattern, chinese, re.MULTILINE))
