"""Plug-ins: what the guide to writing a channel shows is a channel, is found, and keeps the contract."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-channel.md"
SHOWN = re.compile(r"\bIn\s`([\w./]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)


@pytest.fixture
def plugin(tmp_path):
    """The guide's files, and what `pip install` would write about them."""
    for name, text in SHOWN.findall(GUIDE.read_text(encoding="utf-8")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    about = tmp_path / "spira_text_gateway-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: spira-text-gateway\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[spira.plugins]\ntext_gateway = spira_text_gateway\n")
    (tmp_path / "spira.toml").write_text("")
    return tmp_path


def run(plugin, *arguments):
    """A fresh Python that has the plug-in on its path."""
    environment = {**os.environ, "PYTHONPATH": str(plugin)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=plugin, env=environment, capture_output=True, encoding="utf-8", check=False
    )


def test_an_installed_channel_is_known_to_definitions(plugin):
    """
    The guide's channel definition has no fault once its package is installed.
    """
    done = run(plugin, "-m", "spira.cli.main", "check")
    assert done.stdout.strip() == "1 definition, no faults", done.stdout + done.stderr
    assert run(plugin.parent, "-m", "spira.cli.main", "check", "--dir", str(plugin)).returncode == 1


def test_the_channel_of_the_guide_keeps_the_contract(plugin):
    """
    The guide's test file passes as it stands, with warnings as errors.
    """
    done = run(plugin, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "test_spira_text_gateway.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout


def test_a_broken_plugin_is_named(plugin):
    """
    A plug-in that can't be imported stops the program with a line that says which it is and what to do.
    """
    (plugin / "spira_text_gateway.py").write_text("import nowhere_to_be_found\n")
    done = run(plugin, "-m", "spira.cli.main", "check")
    assert done.returncode == 1
    assert "error[E105]: the plug-in `text_gateway` can't be loaded" in done.stderr
    assert "pip uninstall spira-text-gateway" in done.stderr
    assert "Traceback" not in done.stderr
