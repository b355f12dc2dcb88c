"""The ladder: a package imports itself and the packages before it, and no one's privates."""

import ast
from pathlib import Path

import pytest

APP = Path(__file__).parents[2] / "src" / "spira"
LADDER = (
    "kernel storage definitions collect unify world segment ledger care community engage measure supply assist"
    " sandbox worker server console cli testing"
).split()
MODULES = sorted(APP.rglob("*/*.py"))


def imported(module: Path):
    """Each `spira.…` module that `module` names, with the line."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module else []
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("spira."):
                yield node.lineno, name.split(".")[1:]


def test_imports_go_down_the_ladder():
    """
    Upstream never names downstream; a leading underscore stays inside its package.
    """
    wrong = [
        f"{module.relative_to(APP)}:{line} imports spira.{'.'.join(there)}"
        for module in MODULES
        for home in [module.relative_to(APP).parts[0]]
        for line, there in imported(module)
        if LADDER.index(there[0]) > LADDER.index(home)
        or (there[0] != home and any(part.startswith("_") and not part.startswith("__") for part in there))
    ]
    assert wrong == []


def test_every_package_has_its_rung():
    """
    Each folder of the package stands on the ladder.
    """
    found = {path.name for path in APP.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert found <= set(LADDER)


@pytest.mark.parametrize(
    "package", sorted(APP.rglob("__init__.py")), ids=lambda path: str(path.parent.relative_to(APP))
)
def test_packages_re_export_nothing(package):
    """
    An `__init__.py` says what the package is; only `spira` itself offers names.
    """
    if package.parent == APP:
        return
    tree = ast.parse(package.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert not [node for node in tree.body if isinstance(node, ast.ImportFrom | ast.Import)]
