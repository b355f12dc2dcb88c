"""Faults of a model: each mistake once, at its place, with what to write instead."""

import pytest

GOOD = "walk: back\nsteps:\n  - send: {channel: email, note: hello}\n  - wait: 3 days\n  - exit\n"


def found(of_text, text):
    """The code, line, column and message of every fault of reading."""
    return [(each.code, each.at.line, each.at.column, each.message) for each in of_text(text).diagnostics]


def test_a_good_document_becomes_its_model(of_text):
    """
    Lists become tuples, aliases their fields, and nothing is reported.
    """
    workspace = of_text(GOOD + "---\nnote: hello\nfrom: 'x'\n")
    walk, note = workspace.definitions
    assert workspace.diagnostics == ()
    assert [walk.model.steps[1].wait, walk.model.steps[2]] == ["3 days", "exit"]
    assert note.model.from_ == "x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("walk: a\nentr: {}\n", ("D011", 2, 1, "`entr` is not a field of a walk")),
        ("walk: a\nenter:\n  evnt: x\n", ("D011", 3, 3, "`evnt` is not a field of `enter` of a walk")),
        ("walk: a\nsteps: [{send: {channel: email}}]\n", ("D012", 2, 10, "`send` of a walk needs `note`")),
        ("walk: a\ntimes: '5'\n", ("D013", 2, 8, "`times` must be a whole number, not the text `5`")),
        ("walk: a\nenter: [x]\n", ("D013", 2, 8, "`enter` must be a mapping, not a list")),
        ("note: 5\n", ("D013", 1, 7, "`note` must be text, not the number `5`")),
        ("note: a\nuses: b\n", ("D013", 2, 7, "`uses` must be a list, not the text `b`")),
        ("walk: a\nenter: {within: 30 dayz}\n", ("D014", 2, 17, "`30 dayz` is not a duration")),
        ("walk: a\nsteps: [exitt]\n", ("D015", 2, 9, "`exitt` is not a choice for `steps`")),
        ("walk: Win-Back\n", ("D016", 1, 7, "`Win-Back` can't be a name")),
        ("note: a\nnames: {B-b: 1}\n", ("D016", 2, 9, "`B-b` can't be a name")),
        ("walk: a\nlabel: {fr: x}\n", ("D017", 2, 9, "`fr` is not a language of labels")),
        ("walk: a\nlabel: ''\n", ("D017", 2, 8, "a label is a text")),
        ("walk: a\nsteps: [17]\n", ("D013", 2, 9, "`steps` must be a mapping or `exit`, not the number `17`")),
    ],
)
def test_a_mistake_gives_one_message_at_its_place(of_text, text, expected):
    """
    Wherever the mistake is, also inside a union, exactly one fault points at its characters.
    """
    [one] = found(of_text, text)
    assert one[:3] == expected[:3]
    assert one[3].startswith(expected[3])


def test_a_misspelt_field_is_not_also_missing(of_text):
    """
    `sendd` is reported as misspelt, and not as a step without `send` and without `wait`.
    """
    workspace = of_text("walk: a\nsteps: [{sendd: {channel: email, note: hello}}]\n")
    [fault] = workspace.diagnostics
    assert (fault.code, fault.help) == ("D011", "did you mean `send`?")


def test_a_misspelt_field_deep_inside_has_its_hint(of_text):
    """
    The fields that are allowed are known at any depth, also in models that hold themselves.
    """
    [fault] = of_text("walk: a\ndeep: [{branch: [{else: [{brunch: []}]}]}]\n").diagnostics
    assert (fault.message, fault.help) == ("`brunch` is not a field of `else` of a walk", "did you mean `branch`?")
    [fault] = of_text("walk: a\ndeep: [{zzz: 1}]\n").diagnostics
    assert fault.help == "its fields are branch, go"


def test_a_union_reports_its_likeliest_branch(of_text):
    """
    A step that waits badly is told about its duration, and nothing of the steps that it is not.
    """
    assert [each[0] for each in found(of_text, "walk: a\nsteps: [{wait: 3 dayz}]\n")] == ["D014"]


def test_all_faults_come_in_one_pass_in_the_order_of_the_file(of_text):
    """
    Nobody has to mend one fault to see the next.
    """
    text = "walk: A\nenter: {within: 1 dayz}\ntimes: x\nsteps:\n  - wait: 0 days\n  - sent: 1\nlabel: 5\n"
    assert [each[:2] for each in found(of_text, text)] == [
        ("D016", 1),
        ("D014", 2),
        ("D013", 3),
        ("D014", 5),
        ("D011", 6),
        ("D017", 7),
    ]


def test_a_name_that_can_be_mended_is_suggested(of_text):
    """
    The hint is a name that would pass.
    """
    [fault] = of_text("walk: Win-Back\n").diagnostics
    assert fault.help == "write `win_back`"


def test_a_comma_in_an_unquoted_label_is_recognised(of_text):
    """
    The commonest mistake with labels has a hint of its own.
    """
    [fault] = of_text("walk: a\nlabel: {en: Here lately, here often}\n").diagnostics
    assert fault.help is not None
    assert "comma" in fault.help
