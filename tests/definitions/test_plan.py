"""A plan says what would change, how far it reaches, and for whom; it writes nothing."""

import pytest

from spira.definitions.apply import Applied
from spira.definitions.plan import plan
from spira.kernel.errors import DefinitionsInvalid

NOTES = "note: a\nsize: 1\nlabel: A\n---\nnote: b\nuses: [a]\n"
BEFORE = NOTES + "---\nwalk: w\nsteps: [{send: {channel: email, note: b}}]\n"


def in_force(workspace, generation=1):
    """A workspace as if it had been applied."""
    return Applied(generation=generation, definitions=workspace.definitions)


def changes(of_text, after, before=BEFORE):
    """What going from one text to another changes."""
    return plan(in_force(of_text(before)), of_text(after)).changes


def test_the_first_plan_adds_everything(of_text):
    """
    Against generation 0 each definition is an addition, kinds in the order they were registered.
    """
    found = plan(Applied(generation=0), of_text(BEFORE))
    assert [(each.action, each.kind, each.name) for each in found.changes] == [
        ("add", "walk", "w"),
        ("add", "note", "a"),
        ("add", "note", "b"),
    ]
    assert found.base == 0


def test_nothing_changed_is_an_empty_plan(of_text):
    """
    Comments and layout are no change.
    """
    assert changes(of_text, "# new comment\n" + BEFORE) == ()


def test_a_change_names_its_fields_and_what_it_reaches(of_text):
    """
    The old and the new value stand side by side, and everything that refers to it is listed, near and far.
    """
    [change] = changes(of_text, BEFORE.replace("size: 1", "size: 2"))
    assert change.difference == ("size: 1 → 2",)
    assert change.reaches == (("note", "b"), ("walk", "w"))
    assert change.severity == "recompute"


@pytest.mark.parametrize(
    ("old", "new", "severity"),
    [
        ("label: A", "label: B", "text"),
        ("channel: email", "channel: webhook", "in_flight"),
        ("size: 1", "size: 5", "recompute"),
    ],
)
def test_the_severity_says_what_a_change_costs(of_text, old, new, severity):
    """
    A label is text, a walk has people inside, and anything else is computed again.
    """
    [change] = changes(of_text, BEFORE.replace(old, new))
    assert change.severity == severity


def test_what_is_left_out_is_removed(of_text):
    """
    A file that is gone takes its definitions with it.
    """
    [change] = changes(of_text, NOTES)
    assert (change.action, change.name, change.severity) == ("remove", "w", "in_flight")


def test_people_are_counted_by_those_who_know_them(of_text):
    """
    The caller's counts stand beside each change, but for changes of mere text.
    """
    asked = []

    def assess(change):
        asked.append(change.name)
        return {"leave": 3}

    after = of_text(BEFORE.replace("size: 1", "size: 2").replace("uses: [a]", "uses: [a]\nlabel: B"))
    found = plan(in_force(of_text(BEFORE)), after, assess={"note": assess})
    assert [(each.name, dict(each.people)) for each in found.changes] == [("a", {"leave": 3}), ("b", {})]
    assert asked == ["a"]


def test_definitions_with_faults_are_not_planned(of_text):
    """
    The error names the place of each fault, be it in one definition or between two.
    """
    with pytest.raises(DefinitionsInvalid) as fault:
        plan(Applied(generation=0), of_text("note: a\nsize: x\n---\nnote: b\nuses: [c]\n"))
    assert "notes/a.yaml:2:7: [D013]" in str(fault.value)
    assert "notes/a.yaml:5:8: [D102]" in str(fault.value)
