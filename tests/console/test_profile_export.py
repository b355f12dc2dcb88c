from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import PurePath

import msgspec
import pytest
from pyarrow import parquet

from spira.collect.mapping.model import read_mapping
from spira.engage.audience_export import Wish
from spira.engage.profile_export import Bulk, Format, _as_kept, _told, leaving, mapping_of, written
from spira.engage.sheets import cell, sheet
from spira.kernel.viewer import Viewer
from spira.server import judging
from spira.storage import audit

WISH = {"purpose": "analysis", "traits": ["age"], "tags": ["orders_90d"], "audiences": True}


def taken(world, **more):
    return world.post("/api/profiles/export", json={**WISH, **more})


def test_every_format_has_the_same_people(world):
    """CSV, JSON Lines and Parquet tell of each person the same id, traits, tags and audiences; it is written down."""
    cells = list(csv.DictReader(io.StringIO(taken(world).content.decode("utf-8-sig"))))
    lines = [json.loads(each) for each in taken(world, format="jsonl").text.splitlines()]
    table = parquet.read_table(io.BytesIO(taken(world, format="parquet").content)).to_pylist()
    ids = [each["id"] for each in cells]
    assert len(set(ids)) == len(ids) == 60
    assert ids == [each["id"] for each in lines] == [each["id"] for each in table]
    for one, line, row in zip(cells, lines, table, strict=True):
        assert one["trait:age"] == line["trait:age"] == row["trait:age"]
        assert one["orders_90d"] == str(line["orders_90d"]) == row["orders_90d"]
        assert one["audiences"].split(";") == (line["audiences"] or [""]) == (row["audiences"] or [""])
    assert "@example.com" not in json.dumps(lines)
    assert "Person" not in json.dumps(lines)
    row = audit.latest(world.core.state, limit=1)[0]
    assert (row.action, row.subject) == ("profiles.export", "everyone")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 3, 1, 12), "2026-03-01T12:00:00.000Z"),
        (date(2026, 3, 1), "2026-03-01"),
        (Decimal("12.5000"), "12.5000"),
        (True, "true"),
        (-3, "-3"),
        ("-5.5", "-5.5"),
        ('two\nlines, "quoted"', 'two\nlines, "quoted"'),
    ],
)
def test_a_value_of_every_kind_has_the_same_words_in_every_format(value, text):
    """A cell of a sheet, a text of Parquet and a value of JSON Lines tell the same; JSON keeps numbers and truth."""
    assert next(csv.reader(io.StringIO(sheet([[value]])))) == [text]
    assert _as_kept(value, text=True) == text
    line = json.loads(msgspec.json.encode(_told(["x"], [value]), enc_hook=str))["x"]
    assert str(line).lower() == text.lower()


def test_a_text_that_a_sheet_would_run_is_made_a_text():
    """What begins like a formula is quoted; a number that is told as text is not."""
    assert [cell(each) for each in ("=1+1", "@x", "-a", "+86 1", "-5")] == ["'=1+1", "'@x", "'-a", "'+86 1", "-5"]


def test_for_writing_only_those_leave_who_may_be_written_to(world):
    """For marketing by e-mail: those who said yes, and no others; an audience narrows it."""
    allowed = taken(world, purpose="marketing", channel="email", format="jsonl").text.splitlines()
    assert {json.loads(each)["user_id"] for each in allowed} == {f"u{n}" for n in range(60) if n % 4}
    members = world.get("/api/audiences/lapsed").json()["members"]
    lapsed = taken(world, audience="lapsed", format="jsonl")
    assert int(lapsed.headers["x-spira-rows"]) == len(lapsed.text.splitlines()) > 0 or not members


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"purpose": ""}, 409),
        ({"traits": ["email"]}, 409),
        ({"traits": ["no_such"]}, 409),
        ({"tags": ["no_such"]}, 409),
        ({"format": "xls"}, 409),
        ({"purpose": "analysis", "contacts": True}, 403),
        ({"audience": "no_such"}, 404),
        ({"traits": "age"}, 422),
        ({"limit": 0}, 422),
        ({"after": "nobody"}, 422),
    ],
)
def test_what_may_not_leave_does_not(world, more, status):
    """Without a purpose, sealed or unknown traits, unknown tags, formats and audiences, addresses: refused."""
    assert taken(world, **more).status_code == status


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_parts_one_after_another_are_the_whole(world, form):
    """Each part goes on after the one before, with the heads of a sheet once; the last names no next."""
    whole, parts, after = taken(world, format=form).content, [], None
    while after is not None or not parts:
        answer = taken(world, format=form, limit=25, after=after)
        assert int(answer.headers["x-spira-rows"]) <= 25
        parts.append(answer.content)
        after = answer.headers.get("x-spira-next")
    assert len(parts) == 3
    assert b"".join(parts) == whole


def test_a_viewer_of_a_unit_takes_their_own_people_only(world):
    """Whoever sees one unit exports nobody of another."""
    guide = Viewer(staff_id="g", name="G", roles=frozenset({"operator"}), units=frozenset({987}))
    wish = Wish(audience="", purpose="analysis")
    assert leaving(world.core.lane(), guide, wish, judging.leaving(world.core)) == []
    form: Format = "csv"
    text = b"".join(written(world.core.lane(), world.core.vault, guide, Bulk(wish=wish, format=form), [], units={}))
    assert text.decode("utf-8-sig").strip() == "id,user_id,unit,first_seen,last_seen"


def test_the_mapping_back_is_a_mapping(world):
    """What the API writes is read as a mapping without a fault, with a column for each trait."""
    text = world.get("/api/profiles/export/mapping", params={"trait": ["age", "city"]}).text
    model, _, faults = read_mapping(text, PurePath("profiles.yaml"))
    assert faults in ((), [])
    assert text == mapping_of(["age", "city"])
    assert model.calls[0].traits == {"age": "t0", "city": "t1"}
