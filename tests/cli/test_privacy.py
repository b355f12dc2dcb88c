"""`spira privacy`: an incident from its writing down to its closing, with no server running."""


def test_an_incident_is_written_down_told_of_and_listed(spira, applied):
    """Its clock stands in the list; what is missing keeps it open, and the message says what."""
    made = spira(
        "privacy", "report-incident", "leak", "--data", "contact", "--data", "orders",
        "--happened", "A list was mislaid", "--people", "40", "--law", "gdpr", "--dir", applied, "--json",
    ).json  # fmt: skip
    assert (made["data"], made["people"], made["authority"]) == (["contact", "orders"], 40, "open")
    number = made["incident_id"]
    words = ("--words", "No harm came of it", "--not-needed", "--dir", applied)
    assert "not_needed" in spira("privacy", "incident-told", number, "authority", *words).out
    listed = spira("privacy", "incidents", "--dir", applied).out
    assert listed.startswith("1 open, 0 due within a day, 0 late")
    assert number in listed
    refused = spira("privacy", "close-incident", number, "--dir", applied)
    assert refused.code == 1
    assert "`people`, `measures` is missing" in refused.err


def test_recipients_are_listed_and_an_unknown_duty_is_none(spira, applied):
    """Nothing was given to anybody yet; writing down that somebody was told of nothing is refused."""
    assert spira("privacy", "recipients", "--dir", applied, "--json").json["waiting"] == []
    assert spira("privacy", "recipients", "--dir", applied).code == 0
    refused = spira("privacy", "recipient-told", "duty_none", "--dir", applied)
    assert (refused.code, "there is no duty" in refused.err) == (1, True)
