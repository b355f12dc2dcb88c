"""Deliveries: the list with its filters, and the story of a single one."""

from __future__ import annotations

from spira.engage.delivery.gate import REASONS


def test_the_newest_come_first_and_each_once(world):
    """Page by page, in the order in which they were asked for, every delivery is there once."""
    first = world.get("/api/deliveries", params={"limit": 7}).json()
    seen, told = first["deliveries"], first
    while told["next"]:
        told = world.get("/api/deliveries", params={"limit": 7, "before": told["next"]}).json()
        seen += told["deliveries"]
    ids = [each["delivery_id"] for each in seen]
    assert len(ids) == len(set(ids)) == world.core.lane().value("select count(*) from deliveries")
    asked = [each["created_at"] for each in seen]
    assert asked == sorted(asked, reverse=True)


def test_the_list_is_narrowed_and_says_by_what(world, english):
    """A filter is a chip that can be taken out; what is left is of that kind only."""
    told = world.get("/api/deliveries", params={"reason": "no_consent", "journey": "win_back"}).json()["deliveries"]
    assert told
    assert {(each["reason"], each["journey"]) for each in told} == {("no_consent", "win_back")}
    page = english("/deliveries?reason=no_consent")
    assert "No consent" in page
    assert 'aria-current="true" href="?"' in page
    assert "No delivery is like that" in english("/deliveries?until=2001-01-01")
    assert english("/deliveries?since=yesterday&reason=").count("<tr>") > 5


def test_people_stand_there_masked(english):
    """Neither names nor addresses are in clear."""
    page = english("/deliveries")
    assert 'href="/people/p_' in page
    assert "Person " not in page
    assert "@example.com" not in page


def test_why_one_was_withheld_is_told_in_the_order_of_the_gate(world, english):
    """What comes before the reason passed, the reason stopped it, and nothing was asked after it."""
    number = world.core.lane().value("select min(delivery_id) from deliveries where reason = 'no_consent'")
    told = world.get(f"/api/deliveries/{number}").json()
    assert [each["name"] for each in told["checks"]] == list(REASONS)
    place = REASONS.index("no_consent")
    outcomes = ["passed"] * place + ["stopped"] + ["not_asked"] * (len(REASONS) - place - 1)
    assert [each["outcome"] for each in told["checks"]] == outcomes
    page = english(f"/deliveries/{number}")
    assert "they never said" in page
    assert "Stopped" in page


def test_one_that_was_sent_tells_its_attempt_and_its_result(world, english):
    """Asked for, handed over, taken: in the order of time; every check passed."""
    number = world.core.lane().value("select min(delivery_id) from deliveries where sent_at is not null")
    told = world.get(f"/api/deliveries/{number}").json()
    assert {each["outcome"] for each in told["checks"]} == {"passed"}
    kinds = [each["kind"] for each in told["happenings"]]
    assert kinds[:3] == ["asked", "attempt", "result"]
    page = english(f"/deliveries/{number}")
    assert "Handed to the channel" in page
    assert "/rendered?as=p_" in page


def test_a_delivery_of_another_units_person_is_not_there(signed_in, core):
    """Staff of one store see their own people's deliveries and no others."""
    client = signed_in("gus", "guide", unit_id=core.units["A"])
    listed = client.get("/api/deliveries", params={"limit": 500}).json()["deliveries"]
    assert listed
    assert client.get("/deliveries/3").status_code == 404
    assert client.get("/api/deliveries/3").status_code == 404
    assert client.get("/api/deliveries/1").status_code == 200
    assert all(int(each["delivery_id"]) % 3 for each in listed)


def test_a_reader_sees_no_deliveries(signed_in):
    """They are single people's."""
    client = signed_in("rae", "reader")
    assert client.get("/deliveries").status_code == 403


def test_hostile_words_of_a_provider_are_only_text(signed_in, core):
    """What a provider said stands on the page as it was said."""
    core.house.warehouse.execute("update deliveries set journey = '<img src=x onerror=1>' where delivery_id = 1")
    core.house.warehouse.execute(
        "insert into attempts values (1, 'result', ?, 'failed', null, '<script>x</script>', 1)", [core.clock.now()]
    )
    page = signed_in("ann", "administrator").get("/deliveries/1").text
    assert "<script>x" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;x" in page
