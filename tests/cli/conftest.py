"""Running commands as a shell would, and a small shop to run them on."""

from __future__ import annotations

import json
import shutil

import pytest
from click.testing import CliRunner

from spira.cli.main import main
from spira.storage.keys import make_keys

TRACKING = "tracking: shop\nevents:\n  Order Completed:\n    properties: {order_id: text, revenue: money}\n"
TAG = "tag: orders_total\nlabel: {zh-CN: 订单数, en: Orders}\nvalue: count_of('Order Completed')\n"
AUDIENCE = "audience: buyers\nwho: orders_total >= 1\n"


class Ran:
    """What a command did."""

    def __init__(self, result):
        self.code = result.exit_code
        self.out = result.stdout
        self.err = result.stderr

    @property
    def json(self):
        """What it printed, read as JSON."""
        return json.loads(self.out)


def run(*arguments, answer=None):
    """Run `spira` with arguments; `answer` is typed when it asks."""
    return Ran(CliRunner().invoke(main, [str(each) for each in arguments], input=answer))


@pytest.fixture(scope="session")
def spira():
    """The program."""
    return run


def write(directory, files):
    """Write a workspace's files."""
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text, encoding="utf-8")


@pytest.fixture
def shop(tmp_path):
    """A workspace with keys and a few definitions, not applied yet."""
    return made(tmp_path / "shop")


@pytest.fixture(scope="session")
def applied_once(tmp_path_factory):
    """A shop with its definitions in force, made once; tests take copies."""
    directory = made(tmp_path_factory.mktemp("applied") / "shop")
    assert run("apply", "--yes", "--dir", directory).code == 0
    return directory


@pytest.fixture
def applied(applied_once, tmp_path):
    """The shop with its definitions in force."""
    return shutil.copytree(applied_once, tmp_path / "shop")


def made(directory):
    """A new shop."""
    write(
        directory,
        {
            "spira.toml": '[workspace]\nbrand = "Shop"\nzone = "UTC"\nlanguage = "en"\n',
            "tracking/shop.yaml": TRACKING,
            "tags/tags.yaml": TAG,
            "audiences/audiences.yaml": AUDIENCE,
        },
    )
    make_keys(directory)
    return directory
