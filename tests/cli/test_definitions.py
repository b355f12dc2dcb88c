"""The history of definitions on the command line: listed, shown line by line, and gone back to."""


def change(spira, applied):
    """Change a tag by hand and apply it; the file."""
    path = applied / "tags" / "tags.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("count_of(", "2 * count_of("), encoding="utf-8")
    assert "generation 2" in spira("apply", "--yes", "--dir", applied).out
    return path


def test_history_tells_what_each_apply_changed(spira, applied):
    """The newest first; `--before` goes on; one of them line by line."""
    change(spira, applied)
    listed = spira("definitions", "history", "--dir", applied).out
    assert listed.index("~ tag orders_total") < listed.index("+ tag orders_total")
    older = spira("definitions", "history", "--before", "2", "--dir", applied, "--json").json
    assert [each["generation"] for each in older["generations"]] == [1]
    shown = spira("definitions", "show", "2", "--dir", applied).out
    assert "~ tag orders_total" in shown
    assert "    + value: 2 * count_of(" in shown
    assert "    - value: count_of(" in shown


def test_going_back_asks_first_and_makes_another_generation(spira, applied):
    """A no changes nothing; a yes writes the files and applies them; a generation that never was is an error."""
    path = change(spira, applied)
    ran = spira("definitions", "roll-back", "1", "--dir", applied, answer="n\n")
    assert ran.code == 130
    assert "2 * count_of(" in path.read_text(encoding="utf-8")
    ran = spira("definitions", "roll-back", "1", "--yes", "--dir", applied)
    assert ran.out == "generation 3 is in force, and says what generation 1 said\n"
    assert "2 * count_of(" not in path.read_text(encoding="utf-8")
    assert spira("plan", "--dir", applied).out == "nothing to change\n"
    assert "error[E004]" in spira("definitions", "roll-back", "9", "--yes", "--dir", applied).err


def test_a_definition_shows_the_sql_it_compiles_to(spira, shop):
    """From the files alone, in each engine's words; a name that is none gets its neighbour, a fault the next step."""
    sql = {
        each: spira("definitions", "sql", "tag", "orders_total", "--dialect", each, "--dir", shop).out
        for each in ("duckdb", "clickhouse", "spark")
    }
    assert "$as_of" in sql["duckdb"]
    assert "{as_of: DateTime64(6)}" in sql["clickhouse"]
    assert "SETTINGS join_use_nulls = 1" in sql["clickhouse"]
    assert ":as_of AS TIMESTAMP_NTZ" in sql["spark"]
    found = spira("definitions", "sql", "audience", "buyers", "--dir", shop, "--json").json
    assert (found["name"], found["dialect"], '"orders_total"' in found["sql"]) == ("buyers", "duckdb", True)
    assert not (shop / "data").exists()
    ran = spira("definitions", "sql", "audience", "buyer", "--dir", shop)
    assert (ran.code, "did you mean `buyers`?" in ran.err) == (1, True)
    (shop / "audiences" / "audiences.yaml").write_text("audience: buyers\nwho: orders_totl >= 1\n", encoding="utf-8")
    assert "spira check" in spira("definitions", "sql", "audience", "buyers", "--dir", shop).err
