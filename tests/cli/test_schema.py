"""`spira schema`: a file for every kind."""

from spira.definitions.kinds import KINDS


def test_every_kind_gets_its_schema(spira, tmp_path):
    """
    The files are named after the kinds, and listed.
    """
    ran = spira("schema", tmp_path / "schema", "--json")
    assert ran.code == 0
    assert sorted(path.stem for path in (tmp_path / "schema").iterdir()) == sorted(KINDS)
    assert len(ran.json["files"]) == len(list(KINDS))
