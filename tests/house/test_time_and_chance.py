"""Time, chance and the environment are reached through the kernel alone, so that a test can hold them still."""

import ast
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "src" / "spira"
OUTSIDE_KERNEL = sorted(path for path in APP.rglob("*.py") if path.relative_to(APP).parts[0] != "kernel")
BANNED = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "sleep"),
    ("uuid", "uuid4"),
    ("uuid", "uuid1"),
    ("os", "environ"),
    ("os", "getenv"),
}


@pytest.mark.parametrize("module", OUTSIDE_KERNEL, ids=lambda path: str(path.relative_to(APP)))
def test_only_the_kernel_asks_the_machine(module):
    """
    No module outside the kernel reads the clock, the environment or chance by itself.
    """
    tree = ast.parse(module.read_text(encoding="utf-8"))
    named = {
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    imports = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if isinstance(node, ast.Import) or node.module == "random"
    }
    assert named & BANNED == set()
    assert "random" not in imports
