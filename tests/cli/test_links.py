"""Short links and webhooks on the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import zxingcpp
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples" / "hooks"


def test_a_link_is_made_listed_drawn_and_ended(spira, applied, tmp_path):
    """
    The address that is printed is what a reader of the drawn code reads; an ended link leaves the list.
    """
    said = spira(
        "link", "add", "https://shop.example/spring", "--campaign", "spring", "--code", "door", "--dir", applied
    )
    address = said.out.strip()
    assert address.endswith("/r/door")
    drawn = tmp_path / "door.png"
    spira("link", "qr", "door", "--out", drawn, "--dir", applied)
    assert zxingcpp.read_barcodes(Image.open(drawn))[0].text == address
    vector = tmp_path / "door.svg"
    spira("link", "qr", "door", "--out", vector, "--colour", "#000000", "--dir", applied)
    assert vector.read_text().startswith("<?xml")

    assert "door" in spira("link", "list", "--dir", applied).out
    assert spira("link", "end", "door", "--yes", "--dir", applied).code == 0
    assert spira("link", "list", "--dir", applied, "--json").json["links"] == []
    assert spira("link", "list", "--all", "--dir", applied, "--json").json["totals"] == {"leads": 0, "over": 1}


def test_a_target_that_is_no_page_is_a_fault(spira, applied):
    """
    It says what to write instead, and makes nothing.
    """
    ran = spira("link", "add", "javascript:alert(1)", "--dir", applied)
    assert ran.code == 1
    assert "no page that a link can lead to" in ran.err


def test_a_hook_is_tried_from_the_files_before_it_is_applied(spira, shop):
    """
    Headers and body of an example become an event; what no rule takes ends with 1 and the reason.
    """
    (shop / "hooks").mkdir()
    shutil.copy(EXAMPLES / "service.yaml", shop / "hooks" / "service.yaml")
    ran = spira("hook", "test", "service", EXAMPLES / "service.ticket.json", "--dir", shop, "--json")
    assert ran.json["calls"][0]["event"] == "Ticket Closed"
    assert ran.json["calls"][0]["messageId"].startswith("hook-service-msg_")
    assert (ran.json["faults"], ran.json["ignored"]) == ([], False)

    body = shop / "odd.json"
    body.write_text(json.dumps({"type": "odd"}))
    odd = spira("hook", "test", "service", body, "--header", "webhook-id: 7", "--dir", shop)
    assert odd.code == 1
    assert "no rule takes such a call" in odd.err
    assert spira("hook", "test", "nothing", body, "--dir", shop).code == 1


def test_applied_hooks_are_listed_with_what_is_missing(spira, shop):
    """
    A hook whose source is not there says so before anybody calls.
    """
    (shop / "hooks").mkdir()
    shutil.copy(EXAMPLES / "service.yaml", shop / "hooks" / "service.yaml")
    spira("apply", "--yes", "--dir", shop)
    [row] = spira("hook", "list", "--dir", shop, "--json").json["hooks"]
    assert (row["hook"], row["trouble"]) == ("service", "no_source")
    assert "service" in spira("hook", "list", "--dir", shop).out
