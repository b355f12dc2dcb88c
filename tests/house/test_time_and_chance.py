"""Time, chance and the environment are reached through the kernel alone, so that a test can hold them still."""

import ast
from pathlib import Path

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


def test_only_the_kernel_asks_the_machine():
    """
    No module outside the kernel reads the clock, the environment or chance by itself.
    """
    asking = {str(module.relative_to(APP)): asked_by(module) for module in OUTSIDE_KERNEL}
    assert {name: asked for name, asked in asking.items() if asked} == {}


def asked_by(module):
    """What of the machine a module names: attributes that are banned, and chance."""
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
    return named & BANNED | ({("random", "")} if "random" in imports else set())
