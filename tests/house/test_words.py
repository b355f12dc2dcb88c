"""The house's own rules on text: docstrings, test sentences, sizes, and names that never appear."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = ROOT / "src" / "spira"
SOURCES = sorted(path for path in APP.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
LONG_FILE = 400
LONG_FUNCTION = 60
# Files and functions that are longer than the house likes; the lists may only shrink.
LONG_FILES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()


@pytest.fixture(scope="module")
def sources():
    """Every module of the package: its name, its text and its tree."""
    return [(str(path.relative_to(APP)), text, ast.parse(text)) for path, text in _read(SOURCES)]


def _read(paths):
    return [(path, path.read_text(encoding="utf-8")) for path in paths]


def test_a_module_says_what_it_is(sources):
    """
    Every module begins with a docstring.
    """
    assert [name for name, _, tree in sources if not ast.get_docstring(tree)] == []


def test_public_things_are_explained(sources):
    """
    Every public function, class and method of the package has a docstring.
    """
    named = [
        (name, node)
        for name, _, tree in sources
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    assert [
        f"{name}:{each.name}" for name, each in named if not each.name.startswith("_") and not ast.get_docstring(each)
    ] == []


def test_nothing_grows_too_long(sources):
    """
    A file stays under 400 lines and a function under 60, but for the lists above.
    """
    assert {name for name, text, _ in sources if len(text.splitlines()) > LONG_FILE} <= LONG_FILES
    long = {
        f"{name}:{node.name}"
        for name, _, tree in sources
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno > LONG_FUNCTION
    }
    assert long <= LONG_FUNCTIONS


def test_a_test_says_what_is_true():
    """
    Every test has a docstring with one sentence.
    """
    silent = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path, text in _read(TESTS)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_machine_and_no_registry_is_named():
    """
    No tracked text names a package registry's host or a path of somebody's machine.
    """
    banned = "|".join(
        ("pypi" + r"\.org", "python" + "hosted", "registry" + r"\.npmjs", "deb" + r"\.debian", "/work" + "/main")
    )
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    found = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.suffix in {".js", ".png", ".svg"} or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="ignore")
        if re.search(banned, text):
            found.append(name)
    assert found == []
