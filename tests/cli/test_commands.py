"""A short life of a workspace, command by command, with no server running."""

import sqlite3


def test_a_plan_shows_what_apply_then_does(spira, shop):
    """
    Three additions are planned, applied, and then there is nothing left to plan.
    """
    planned = spira("plan", "--dir", shop)
    assert "+ tag orders_total" in planned.out
    assert planned.out.endswith("3 to add, 0 to change, 0 to remove\n")
    assert spira("apply", "--yes", "--dir", shop).out == "generation 1 is in force\n"
    assert spira("plan", "--dir", shop).out == "nothing to change\n"


def test_apply_asks_first(spira, shop):
    """
    A no changes nothing; the plan has been shown.
    """
    ran = spira("apply", "--dir", shop, answer="n\n")
    assert ran.code == 130
    assert "+ audience buyers" in ran.out
    assert spira("plan", "--dir", shop, "--json").json["base"] == 0


def test_definitions_with_faults_are_not_applied(spira, shop):
    """
    The error sends to `spira check`.
    """
    (shop / "tags" / "tags.yaml").write_text("tag: orders_total\n", encoding="utf-8")
    ran = spira("apply", "--yes", "--dir", shop)
    assert ran.code == 1
    assert "error[E201]" in ran.err
    assert "spira check" in ran.err


def test_a_source_is_made_with_its_key_and_listed_without(spira, applied):
    """
    The write key is printed when it is made, and never again.
    """
    made = spira("source", "add", "web", "--dir", applied, "--json").json
    assert made["source"] == "web"
    listed = spira("source", "list", "--dir", applied)
    assert "web" in listed.out
    assert made["write_key"] not in listed.out


def test_a_refresh_tells_its_stages(spira, applied):
    """
    Stages 2 to 6, in order.
    """
    stages = [each["stage"] for each in spira("refresh", "--full", "--dir", applied, "--json").json["stages"]]
    assert stages[0] == "collect.load"
    assert stages[-1] == "segment.facts"


def test_a_preview_counts(spira, applied):
    """
    The answer has exactly the fields that scripts read.
    """
    assert spira("refresh", "--dir", applied).code == 0
    found = spira("preview", "orders_total >= 1", "--dir", applied, "--json").json
    assert set(found) == {"count", "total", "sample", "as_of", "ms"}
    assert "0 of 0 people" in spira("preview", "orders_total >= 1", "--dir", applied).out


def test_a_bad_condition_is_drawn_with_its_place(spira, applied):
    """
    The caret stands under the character, on stderr.
    """
    ran = spira("preview", "orders_totl >= 1", "--dir", applied)
    assert ran.code == 1
    assert ran.err.startswith("error[D305]")
    assert "^^^^^^^^^^^" in ran.err


def test_an_audience_is_shown_and_an_unknown_one_is_not(spira, applied):
    """
    With its condition, and its size once that is worked out; a wrong name says which there are.
    """
    shown = spira("audience", "show", "buyers", "--dir", applied, "--json").json
    assert (shown["audience"], shown["count"], shown["members"]) == ("buyers", None, [])  # before the first refresh
    assert "buyers" in spira("audience", "list", "--dir", applied).out
    missing = spira("audience", "show", "byers", "--dir", applied)
    assert missing.code == 1
    assert "buyers" in missing.err


def test_nobody_is_told_as_nobody(spira, applied):
    """
    An identifier that is not known is a plain answer with the way to write one.
    """
    ran = spira("profile", "show", "user_id:1", "--dir", applied)
    assert ran.code == 1
    assert "nobody has the identifier `user_id:1`" in ran.err


def test_the_audit_is_verified_and_a_change_is_found(spira, applied):
    """
    After somebody edits a row behind Spira's back, the command says which.
    """
    told = spira("audit", "verify", "--dir", applied).out
    assert told.startswith("the audit is whole: ")
    head = told.split("its head is ")[1].split(";")[0]
    assert spira("audit", "verify", "--expect", head, "--dir", applied).code == 0
    with sqlite3.connect(applied / "data" / "state.sqlite") as state:
        state.execute("drop trigger audit_no_update")
        state.execute("update audit set actor = 'nobody' where number = 1")
    state.close()
    ran = spira("audit", "verify", "--dir", applied)
    assert ran.code == 1
    assert "row 1 was changed" in ran.err
    found = spira("audit", "verify", "--dir", applied, "--json").json
    assert (found["whole"], found["first_bad_row"]) == (False, 1)
