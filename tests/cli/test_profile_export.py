"""`spira profile export`: an export that was broken off goes on where it was, and comes to the same file."""

from __future__ import annotations

import pytest

from spira.cli.profile import _bring, _last

IDS = [f"p_{n:013d}" for n in range(1, 8)]
CELL = '"two\nlines"'


class Answered:
    """One part of the API's answer."""

    def __init__(self, content, after):
        self.content = content
        self.headers = {} if after is None else {"x-spira-next": after}


class Api:
    """The API, giving two people a part; after `breaks` parts it is gone."""

    def __init__(self, form, *, breaks=99):
        self.form, self.left, self.asked = form, breaks, []

    def line(self, id):
        return f"{id},{CELL}\r\n" if self.form == "csv" else f'{{"id":"{id}","city":"x"}}\n'

    def post(self, _path, wish):
        self.asked.append(wish["after"])
        self.left -= 1
        if self.left < 0:
            raise ConnectionError
        start = IDS.index(wish["after"]) + 1 if wish["after"] else 0
        heads = "\ufeffid,city\r\n" if self.form == "csv" and not wish["after"] else ""
        some = IDS[start : start + 2]
        return Answered((heads + "".join(map(self.line, some))).encode(), some[-1] if start + 2 < len(IDS) else None)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("torn", [0, 1, 9, 20])
def test_a_broken_export_goes_on_and_is_the_same_file(tmp_path, form, torn):
    """However much of the last part is missing, what is fetched again fits to what is there."""
    whole, file = tmp_path / f"whole.{form}", tmp_path / f"people.{form}"
    _bring(Api(form), {"format": form}, whole)
    with pytest.raises(ConnectionError):
        _bring(Api(form, breaks=2), {"format": form}, file)
    part = file.with_name(f"{file.name}.part")
    part.write_bytes(part.read_bytes()[: len(part.read_bytes()) - torn])
    again = Api(form)
    _bring(again, {"format": form}, file)

    assert again.asked[0] in IDS[:3]
    assert (file.read_bytes(), part.exists()) == (whole.read_bytes(), False)


@pytest.mark.parametrize("other", [{"purpose": "service"}, {"audience": "loyal"}, {"traits": ["age", "city"]}])
def test_another_wish_of_the_same_file_begins_anew(tmp_path, other):
    """Rows of other people or columns are never put behind those of a wish that was broken off."""
    wish = {"format": "csv", "purpose": "analysis", "audience": "", "traits": ["city"]}
    file = tmp_path / "people.csv"
    with pytest.raises(ConnectionError):
        _bring(Api("csv", breaks=2), wish, file)
    changed, again = Api("csv", breaks=2), Api("csv")
    with pytest.raises(ConnectionError):
        _bring(changed, {**wish, **other}, file)
    _bring(again, dict(sorted({**wish, **other}.items())), file)

    assert (changed.asked[0], again.asked[0]) == (None, IDS[2])
    assert [each.name for each in tmp_path.iterdir()] == ["people.csv"]
    assert file.read_text(encoding="utf-8").count("id,city") == 1


def test_what_holds_nobody_whole_is_begun_anew(tmp_path):
    """Heads alone, half a person, or no file."""
    part = tmp_path / "people.csv.part"
    for content in (b"\xef\xbb\xbfid,city\r\n", f"id\r\n{IDS[0]},x".encode()):
        part.write_bytes(content)
        assert _last(part, "csv") is None
        assert not part.exists()
