"""`spira check`: for people and for editors."""

from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "retail"


def test_the_example_workspace_has_no_faults(spira):
    """
    What people copy from is right.
    """
    ran = spira("check", "--dir", EXAMPLE)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("definitions, no faults\n")


@pytest.fixture
def broken(shop):
    """The shop with two mistakes, the second behind wide characters."""
    (shop / "tags" / "tags.yaml").write_text("tag: orders\nvlaue: 1\nlabel: {zh-CN: 订单, fr: x}\n", encoding="utf-8")
    (shop / "audiences" / "audiences.yaml").unlink()
    return shop


def test_faults_are_drawn_and_counted(spira, broken):
    """
    Every fault with its place, then how many in how many files; exit code 1.
    """
    ran = spira("check", "--dir", broken)
    assert ran.code == 1
    assert "error[D011]: `vlaue` is not a field of a tag\n --> tags/tags.yaml:2:1\n" in ran.out
    assert ran.out.endswith("2 faults in 1 file\n")


@pytest.mark.parametrize("how", [("--json",), ("--format", "json")])
def test_editors_get_places_counted_from_zero(spira, broken, how):
    """
    Lines and characters as the Language Server Protocol counts them.
    """
    ran = spira("check", "--dir", broken, *how)
    assert ran.code == 1
    [first, second] = ran.json["diagnostics"]
    assert (first["code"], first["path"], first["help"]) == ("D011", "tags/tags.yaml", "did you mean `value`?")
    assert first["range"] == {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 5}}
    assert second["range"]["start"] == {"line": 2, "character": 19}


def test_checking_writes_nothing(spira, shop):
    """
    No stores come into being by looking.
    """
    before = sorted(shop.rglob("*"))
    assert spira("check", "--dir", shop).code == 0
    assert sorted(shop.rglob("*")) == before
