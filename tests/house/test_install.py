"""What an install brings: with the packages that every install has, everything begins."""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
BEGINS = ("spira.cli.main", "spira.console.serving", "spira.worker.builtin", "spira.worker.child")
# Packages of Python that are here, and that no install of ours brings, are not found.
BARE = """
import importlib, sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

ABSENT, begins = frozenset(sys.argv[1].split()), sys.argv[2:]
sys.meta_path.insert(0, Missing())
for each in begins:
    importlib.import_module(each)
"""


def brought(lines: list[str]) -> set[str]:
    """The packages that some requirements bring, and all that these need."""
    found: set[tuple[str, frozenset[str]]] = set()
    ahead = [(Requirement(line), frozenset[str]()) for line in lines]
    while ahead:
        needed, extras = ahead.pop()
        own = plain(needed.name), frozenset(needed.extras)
        asked = needed.marker is None or any(needed.marker.evaluate({"extra": each}) for each in ("", *extras))
        if asked and own not in found:
            found.add(own)
            ahead += [(Requirement(line), own[1]) for line in metadata.requires(own[0]) or ()]
    return {name for name, _ in found}


def plain(name: str) -> str:
    """A package's name as all of them are compared."""
    return name.lower().replace("_", "-")


def test_everything_begins_with_what_every_install_has():
    """The command line, the server, all that registers itself and a child need none of the extras."""
    lines = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    own = brought(lines) | {"spira"}
    here = metadata.packages_distributions().items()
    absent = [module for module, packages in here if own.isdisjoint(map(plain, packages))]
    assert {"playwright", "pytest"}.issubset(absent)
    command = [sys.executable, "-c", BARE, " ".join(absent), *BEGINS]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
