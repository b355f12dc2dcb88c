from __future__ import annotations

import re
from pathlib import Path, PurePath

import pytest

import spira.collect.identifier_rules
import spira.unify.notices  # noqa: F401  (kinds that pages show faults of)
from spira.definitions.check import check
from spira.definitions.workspace import read_definitions
from spira.kernel.diagnostics import render
from spira.testing.walks import BODIES, SETTINGS, SHOP

PAGES = sorted((Path(__file__).parents[2] / "docs" / "reference" / "errors").glob("D4*.md"))
BROKEN = {"broken.mjml": "<mjml><mj-body>{% if city %}</mj-body></mjml>"}
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
NAMED = PurePath("example.yaml")


def faults(written: str) -> list[str]:
    """What `spira check` says of an example that lies beside a small shop's definitions."""
    texts = [(PurePath("shop.yaml"), SHOP), (NAMED, written)]
    read = read_definitions(texts, SETTINGS, beside=lambda path: (BODIES | BROKEN).get(path.name))
    return [render(each, read.sources[each.at.path]) for each in check(read) if each.at.path == NAMED]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_fault_is_shown_as_its_page_says(page: Path) -> None:
    """
    The wrong example gets exactly the message of the page, and the right one none.
    """
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    (_, wrong), (_, said), (_, right) = blocks
    assert faults(wrong) == [said.rstrip("\n")]
    assert said.startswith(f"error[{page.stem}]")
    assert faults(right) == []


def test_several_faults_are_shown_in_one_pass() -> None:
    """
    A journey with four mistakes gets four messages, each once.
    """
    written = """journey: four
label: Four
enter: {event: Order Complete}
exit: didd('Order Completed')
steps:
  - send: {channel: email, template: helo}
  - branch: [{when: 3, steps: [exit]}]
""".replace("when: 3", "when: city = 3")
    assert len(faults(written)) == 4
