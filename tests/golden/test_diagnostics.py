"""Diagnostics as a person reads them: those of the pages of errors, and of a few whole files."""

import os
import re
from pathlib import Path, PurePath

import pytest

import spira.worker.builtin  # noqa: F401  (registers every kind)
from spira.definitions.check import check
from spira.definitions.workspace import read_definitions
from spira.kernel.diagnostics import render
from spira.kernel.settings import Settings

HERE = Path(__file__).parent
PAGES = sorted((HERE.parents[1] / "docs" / "reference" / "errors").glob("D[01]*.md"))
FILES = sorted((HERE / "diagnostics").glob("*.yaml"))
EXAMPLE = PurePath("example.yaml")
SHOP = "tracking: shop\nevents:\n  Order Completed:\n    properties: {order_id: text, revenue: money, store_id: text}\n"
WRONG = re.compile(r"## Wrong\n\n```yaml\n(.*?)```\n\n```text\n(.*?)\n```", re.DOTALL)
RIGHT = re.compile(r"## Right\n\n```yaml\n(.*?)```", re.DOTALL)
WITHOUT_EXAMPLE = {"D005", "D103"}  # a file that is no text; a circle that no built-in kind can make


def shown(text, path=EXAMPLE):
    """Everything that is wrong with one file beside a shop's tracking plan, as a terminal shows it."""
    texts = [(PurePath("tracking/shop.yaml"), SHOP), (path, text)]
    beside = {PurePath("hello.txt"): "Hello {{ brand }}"}
    workspace = read_definitions(texts, Settings(), beside=beside.get)
    return "\n\n".join(render(each, workspace.sources[each.at.path]) for each in check(workspace))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_golden_example_of_an_error_page(page):
    """
    The wrong example gives the very text that the page shows, with the page's own code, and the right one nothing.
    """
    text = page.read_text(encoding="utf-8")
    if page.stem in WITHOUT_EXAMPLE:
        assert "## Wrong" not in text
        return
    wrong, expected = WRONG.search(text).groups()
    assert shown(wrong) == expected
    assert {found.split("]")[0] for found in expected.split("error[")[1:]} == {page.stem}
    assert shown(RIGHT.search(text).group(1)) == ""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_golden_diagnostics_of_a_file(file):
    """
    A whole file's faults read as they did when they were last looked at (`make golden` rewrites them).
    """
    found = shown(file.read_text(encoding="utf-8"), PurePath(file.name)) + "\n"
    golden = file.with_suffix(".txt")
    if os.environ.get("SPIRA_GOLDEN") == "rewrite":
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
