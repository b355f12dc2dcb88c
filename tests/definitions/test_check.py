"""Faults that no definition shows by itself."""

from spira.definitions.check import check


def found(workspace):
    """The code, line and message of every fault."""
    return [(each.code, each.at.line, each.message) for each in check(workspace)]


def test_a_name_is_used_once_in_a_kind(of_text):
    """
    The second definition is at fault and points to the first; another kind may use the name.
    """
    [fault] = check(of_text("note: a\n---\nwalk: a\n---\nnote: a\n"))
    assert (fault.code, fault.at.line, fault.also[0][1].line) == ("D101", 5, 1)


def test_a_name_that_is_an_address_of_the_console_is_refused(of_text):
    """
    A note can't be called as a page beside the notes is; another kind may, and so may a longer name.
    """
    [fault] = check(of_text("note: fresh\n---\nwalk: fresh\n---\nnote: fresher\n"))
    assert (fault.code, fault.at.line, fault.at.column) == ("D105", 1, 7)
    assert fault.message == "no note can be called `fresh`: the console has its own page at /notes/fresh"
    assert fault.help == "choose another name, such as `fresh_note`"


def test_an_unknown_reference_suggests_and_shows_the_one_that_was_meant(of_text):
    """
    The fault stands at the name, and says where the near one is defined.
    """
    [fault] = check(of_text("note: hello\n---\nwalk: a\nsteps: [{send: {channel: email, note: helo}}]\n"))
    assert (fault.code, fault.message) == ("D102", "there is no note called `helo`")
    assert (fault.at.line, fault.at.column, fault.at.width) == (4, 39, 4)
    assert fault.help == "did you mean `hello`?"
    assert [(note, span.line) for note, span in fault.also] == [("defined at", 1)]


def test_a_reference_to_a_definition_with_faults_is_not_a_fault(of_text):
    """
    One mistake gives one message, also across definitions.
    """
    assert [each[0] for each in found(of_text("note: a\nsize: x\n---\nnote: b\nuses: [a]\n"))] == ["D013"]


def test_a_circle_is_shown_once_as_a_path(of_text):
    """
    Whoever is in it, the circle is one fault that reads like a walk around it.
    """
    text = "note: a\nuses: [b]\n---\nnote: b\nuses: [c]\n---\nnote: c\nuses: [b, a]\n"
    faults = found(of_text(text))
    assert [each[0] for each in faults] == ["D103", "D103"]
    assert {each[2] for each in faults} == {
        "note `b` refers to itself: b → c → b",
        "note `a` refers to itself: a → b → c → a",
    }


def test_a_chain_and_a_diamond_are_no_circles(of_text):
    """
    Reaching one definition by two ways is fine.
    """
    text = "note: a\nuses: [b, c]\n---\nnote: b\nuses: [d]\n---\nnote: c\nuses: [d]\n---\nnote: d\n"
    assert found(of_text(text)) == []


def test_a_kind_checks_its_own(of_text):
    """
    What a kind adds comes with the rest, in the order of the file.
    """
    assert [each[0] for each in found(of_text("note: a\nsize: 10\n---\nnote: b\nsizes: 1\n"))] == ["D999", "D011"]
