"""The JSON Schema of a kind is drawn from its model, and the two agree."""

import json

from spira.definitions.kinds import KINDS
from spira.definitions.schema import schema_of, write_schemas


def test_a_schema_is_closed_and_knows_names_and_choices():
    """
    An editor can underline what `check` would refuse: unknown keys, bad names, other choices.
    """
    schema = schema_of(KINDS.get("walk"))
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["walk"]
    assert schema["properties"]["walk"]["pattern"] == "^[a-z][a-z0-9_]*$"
    assert schema["$defs"]["Send"]["properties"]["channel"]["enum"] == ["email", "webhook"]


def test_fields_are_named_as_they_are_written():
    """
    `from` is the key, whatever Python has to call it.
    """
    assert "from" in schema_of(KINDS.get("note"))["properties"]


def test_a_file_is_written_for_every_kind(tmp_path):
    """
    Each file holds the schema of the kind it is named after.
    """
    written = write_schemas(tmp_path / "schema")
    assert [path.name for path in written] == ["walk.json", "note.json"]
    assert json.loads(written[1].read_text(encoding="utf-8")) == schema_of(KINDS.get("note"))
