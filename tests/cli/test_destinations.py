"""`spira destination` and `spira audience freeze`, `split`: as a shell runs them, on a workspace that nobody serves."""

from __future__ import annotations

import shutil

import pytest

FILES = {
    "destinations/lake.yaml": "destination: lake\nkind: files\naddress: lake\naudience: buyers\npurpose: analysis\n"
    "fields: {id: id}\n",
    "tags/hand.yaml": "tag: kept\nmanual: flag\n---\ntag: arm\nmanual: choice\nvalues: {A: One, B: Two}\n",
}


@pytest.fixture(scope="module")
def shop(spira, applied_once, tmp_path_factory):
    """The shop with a destination, and two tags that are set by hand."""
    applied = shutil.copytree(applied_once, tmp_path_factory.mktemp("destinations") / "shop")
    for name, text in FILES.items():
        (applied / name).parent.mkdir(exist_ok=True)
        (applied / name).write_text(text, encoding="utf-8")
    assert spira("apply", "--yes", "--dir", applied).code == 0
    return applied


def test_a_destination_is_tried_and_started(spira, shop):
    """
    Each command says what became of it; asking before it is started is refused with the next step.
    """
    early = spira("destination", "run", "lake", "--dir", shop)
    assert early.code == 1
    assert "start it first" in early.err
    assert spira("destination", "test", "lake", "--dir", shop).out == "reached\n"
    assert spira("destination", "start", "lake", "--reason", "weekly figures", "--dir", shop).code == 0
    assert "quiet" in spira("destination", "list", "--dir", shop).out
    assert "weekly figures" in spira("destination", "show", "lake", "--dir", shop).out


def test_an_audience_of_nobody_is_split(spira, shop):
    """
    Nobody is no fault; shares that are none are a wrong call of the command.
    """
    split = ("audience", "split", "buyers", "--tag", "arm", "--seed", "spring", "--dir", shop)
    assert "0 of 0 people" in spira(*split, "--share", "A=50", "--share", "B=50").out
    assert spira(*split, "--share", "A").code == 2
