"""The page on the law names a test for what Spira does about a requirement: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "law.md"


def rows():
    """(what is asked, how it is done, tests) of each row of the page's tables."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [each.strip() for each in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and cells[0] not in ("what is asked", "---"):
            yield cells


def test_every_test_that_the_page_names_is_there():
    """A test that was renamed or removed is no proof any more."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8"))
    assert len(named) > 20
    gone = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"\ndef {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert gone == []


def test_what_has_no_test_says_that_it_is_not_done():
    """Each row names a test, or says openly that it is not done."""
    silent = [asked for asked, how, tests in rows() if not tests and "**not done" not in how.lower()]
    assert silent == []
