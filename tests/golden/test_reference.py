"""The reference page of definitions: its tables are the models', and its examples are right."""

import os
import re
from pathlib import Path, PurePath

import pytest

import spira.worker.builtin  # noqa: F401  (registers every kind)
from spira.definitions.check import check
from spira.definitions.kinds import KINDS
from spira.definitions.reference import fields_of
from spira.definitions.workspace import read_definitions
from spira.kernel.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "definitions.md"
REAL = [kind for _, kind in KINDS.items()]


def part(text, kind):
    """Where the tables of a kind begin and end in the page."""
    begin = text.index(f"<!-- fields: {kind.name} -->\n") + len(f"<!-- fields: {kind.name} -->\n")
    return begin, text.index("<!-- end -->", begin)


@pytest.mark.parametrize("kind", REAL, ids=lambda kind: kind.name)
def test_golden_tables_of_a_kind_are_drawn_from_its_model(kind):
    """
    Every key of a kind stands in the page as the model has it (`make golden` rewrites the tables).
    """
    text = PAGE.read_text(encoding="utf-8")
    begin, end = part(text, kind)
    drawn = f"\n{fields_of(kind)}\n\n"
    if os.environ.get("SPIRA_GOLDEN") == "rewrite":
        PAGE.write_text(text[:begin] + drawn + text[end:], encoding="utf-8")
    else:
        assert text[begin:end] == drawn


def test_the_examples_of_the_page_are_a_workspace_without_faults():
    """
    Put together, everything that the page shows passes `spira check`.
    """
    examples = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    beside = {PurePath("we_miss_you.txt"): "{{ unsubscribe_url }}"}
    texts = [(PurePath("example.yaml"), "---\n".join(examples))]
    workspace = read_definitions(texts, Settings(), beside=beside.get)
    assert check(workspace) == ()
    assert {each.kind for each in workspace.definitions} == {kind.name for kind in REAL}
