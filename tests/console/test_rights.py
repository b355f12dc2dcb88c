"""Rights: what people ask for is filed, shown with its clock, carried out, and answered."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from litestar.testing import TestClient
from tests.console.world import World

from spira.console.app import create_app
from spira.engage.audience_export import Wish
from spira.kernel.ids import read_profile
from spira.kernel.settings import RightsSettings
from spira.kernel.viewer import SYSTEM
from spira.server.api import exports
from spira.server.sessions import open_session
from spira.server.staff import NewStaff, add_staff
from spira.storage import audit
from spira.unify import receipts


@pytest.fixture(scope="module")
def lived(open_world):
    """A world of this module's own."""
    with open_world("rights") as made:
        yield made


@pytest.fixture(scope="module")
def officer(lived: World):
    """A privacy officer before it."""
    core = lived.core
    new = NewStaff(email="pia@example.org", name="Pia", roles=("privacy_officer",))
    made = add_staff(core.state, new, at=core.clock.now())
    client = TestClient(create_app(core, wall=core.clock), raise_server_exceptions=False)
    client.cookies.set("spira_session", open_session(core.state, made.staff_id, at=core.clock.now(), hours=800))
    client.cookies.set("spira_language", "en")
    client.headers["x-csrf-token"] = client.get("/requests").text.split('name="csrf" value="')[1].split('"')[0]
    return client


def filed(officer, right, person, **more):
    """File a request by the form; its page's address."""
    form = {"right": right, "law": "pipl", "kind": "user_id", "identifier": person, **more}
    answer = officer.post("/requests", data=form, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def test_a_request_is_filed_and_shown_with_its_clock(officer, lived):
    """It stands in the register with the days that are left, and on its own page with whom it is about, masked."""
    place = filed(officer, "portability", "u3", note="<i>all of it</i>")
    page = officer.get("/requests").text
    assert "Portability" in page
    assert "days left" in page
    own = officer.get(place).text
    assert lived.person("u3") in own
    assert "&lt;i&gt;all of it" in own
    assert "Person 3" not in own
    assert officer.get("/requests/req_nobody").status_code == 404
    old = officer.get(f"/rights/{place.rpartition('/')[2]}", follow_redirects=False)
    assert (old.status_code, old.headers["location"]) == (301, place)
    assert officer.get("/rights?status=open", follow_redirects=False).headers["location"] == "/requests?status=open"
    assert officer.get("/requests?status=lost").status_code == 404
    assert (
        officer.post("/requests", data={"right": "correction", "kind": "user_id", "identifier": "u3"}).status_code
        == 422
    )


def test_a_package_has_everything_for_machines_and_to_read(officer, lived):
    """JSON, a page in clear, and the data map; taking it is an act, and closing the request another."""
    place = filed(officer, "access", "u4")
    answer = officer.post(f"{place}/package")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told = json.loads(archive.read("person.json"))
        page, data_map = archive.read("person.html").decode(), archive.read("data-map.html").decode()
    assert "u4@example.com" in {each["shown"] for each in told["identifiers"]}
    assert "u4@example.com" in page
    assert "<script" not in page
    assert "vault" in data_map
    officer.post(f"{place}/carry-out", data={"answer": "Handed over."})
    row = officer.get(f"/api{place}").json()
    assert (row["row"]["request"]["status"], row["answer"]) == ("done", "Handed over.")
    acts = [each.action for each in audit.latest(lived.core.state, limit=10)]
    assert {"person.export", "rights.done"} <= set(acts)


def test_a_correction_is_believed_before_every_source(officer, lived):
    """The next turn has the new value, and keeps it when a source tells the old one again."""
    place = filed(officer, "correction", "u5", trait="city", value="Yantai")
    assert officer.post(f"{place}/carry-out", follow_redirects=False).status_code == 303
    lived.core.refresh()
    city = f"select value, source from traits where name = 'city' and profile_id = {profile_of(lived, 'u5')}"
    (told,) = lived.core.lane().query(city)
    assert told == ("Yantai", "spira")
    wrong = filed(officer, "correction", "u5", trait="email", value="other@example.com")
    assert officer.post(f"{wrong}/carry-out").status_code == 422
    assert officer.post(f"{wrong}/refuse", data={"answer": "Change it in your account."}, follow_redirects=False)


def test_a_restricted_person_is_kept_and_not_used_until_that_is_lifted(officer, lived):
    """No tag and no audience has them after the next turn, and both do again once the restriction is lifted."""
    mine = f"select count(*) from tags where orders_90d is not null and profile_id = {profile_of(lived, 'u6')}"
    assert lived.core.lane().value(mine) == 1
    place = filed(officer, "restriction", "u6")
    officer.post(f"{place}/carry-out")
    lived.core.refresh()
    assert lived.core.lane().value(mine) == 0
    assert "Lift the restriction" in officer.get(place).text
    officer.post(f"{place}/lift")
    lived.core.refresh()
    assert lived.core.lane().value(mine) == 1


def test_what_a_relative_asks_for_marks_the_person_as_deceased_and_nothing_is_sent_from_then_on(officer, lived):
    """The request says who asks; the gate's reason holds for every purpose, until the mark is taken back."""
    place = filed(officer, "access", "u5", relative="spouse")
    assert "Husband or wife of the deceased" in officer.get("/requests").text
    told = officer.get(f"/api{place}").json()
    assert (told["row"]["request"]["relative"], told["deceased"]) == ("spouse", "spouse")
    assert "Take it back" in officer.get(place).text
    lived.core.refresh()
    person = told["found"]["person"]["id"]

    def reasons():
        reaches = officer.get(f"/api/profiles/{person}").json()["reach"]
        return {each["reason"] for each in reaches} - {"unreachable", "suppressed"}

    assert reasons() == {"deceased"}
    mine = f"select count(*) from tags where profile_id = {profile_of(lived, 'u5')} and orders_90d is not null"
    assert lived.core.lane().value(mine) == 0
    officer.post(f"{place}/lift")
    lived.core.refresh()
    assert "deceased" not in reasons()


def test_an_erasure_has_a_receipt_that_is_signed_and_names_every_store(officer, lived):
    """Who has it can verify it; a changed figure is found out; the request outlives the person, their words do not."""
    place = filed(officer, "erasure", "u8", note="I want to be gone")
    officer.post(f"{place}/carry-out", data={"answer": "Goodbye"})
    row = officer.get(f"/api{place}").json()
    assert (row["found"], row["note"], row["answer"]) == (None, "", "")
    number = row["row"]["request"]["receipt"]
    document = officer.get(f"/api/requests/receipts/{number}").json()
    found = receipts.verify(document, key=receipts.public_key(lived.core.keys))
    assert set(found.stores) >= {"log", "state", "warehouse", "backups"}
    assert found.total > 5
    assert "u8" not in json.dumps(document)
    document["total"] += 1
    with pytest.raises(receipts.BadReceipt):
        receipts.verify(document, key=None)


def test_what_is_late_is_said_to_be(officer, lived):
    """A day before its deadline a request is pressing, a day after it is late; extending it once gives time."""
    place = filed(officer, "portability", "u9", law="gdpr")
    clock, due = lived.core.clock, officer.get(f"/api{place}").json()["row"]["request"]["due_at"]
    assert officer.get("/api/requests").json()["late"] == 0
    lived.core.step_clock(clock.now() + timedelta(days=33))
    page = officer.get("/requests").text
    assert '<span class="pill bad">Late</span>' in page
    assert officer.get("/api/requests").json()["late"] >= 1
    officer.post(f"{place}/extend")
    after = officer.get(f"/api{place}").json()["row"]
    assert (after["late"], after["request"]["extended"]) == (False, True)
    assert after["request"]["due_at"] > due
    assert officer.post(f"{place}/extend").status_code == 409


def profile_of(world, user):
    """The number of somebody's profile."""
    asked = "select coalesce(moved.profile_id, subject_id) from identifiers left join moved using (subject_id)"
    return int(world.core.lane().value(f"{asked} where identifiers.value = ?", [user]))


def test_the_record_of_processing_is_drawn_from_what_is_in_force(officer, lived):
    """Purposes with their notices and journeys, who else handles data and where, what lies where; the page says it."""
    said = ["Aliyun; SMS; CN", "Mailer; e-mail; US"]
    rights = lived.core.settings.rights.model_copy(update={"processors": said, "contact": "Paula, +1 202"})
    lived.core.settings = lived.core.settings.model_copy(update={"rights": rights})
    found = officer.get("/api/processing").json()
    marketing = next(each for each in found["purposes"] if each["purpose"] == "marketing")
    assert [(each["notice"], each["versions"]) for each in marketing["notices"]] == [("offers", 2)]
    assert "win_back" in marketing["journeys"]
    assert [(each["name"], each["abroad"]) for each in found["processors"]] == [("Aliyun", False), ("Mailer", True)]
    assert {"vault", "events", "permissions"} <= {each["table"] for each in found["held"]}
    assert (found["needs_officer"], found["contact"]) == (False, "Paula, +1 202")
    page = officer.get("/processing").text
    assert "offers and news of new things" in page
    assert "Mailer" in page
    with pytest.raises(ValueError, match="is no processor"):
        RightsSettings(processors=["Aliyun"])


def test_what_needs_an_impact_assessment_is_said_until_one_is_written_down(officer, lived):
    """A journey that chooses people, a model and a processor abroad need one; it stays on the page for years."""
    rights = lived.core.settings.rights.model_copy(update={"processors": ["Mailer; e-mail; US", "Aliyun; SMS; CN"]})
    lived.core.settings = lived.core.settings.model_copy(update={"rights": rights})
    needs = {each["subject"]: each for each in officer.get("/api/processing").json()["to_assess"]}
    assert needs["processor:Mailer"]["why"] == ["abroad"]
    assert needs["model:next_order_date"]["standing"] == "none"
    assert "processor:Aliyun" not in needs
    told = {
        "subject": "processor:Mailer",
        "result": "measures",
        "risks": "Read <i>abroad</i>",
        "review_on": "2199-01-01",
    }
    assert officer.post("/processing/assessments", data=told).status_code == 422
    assert officer.post("/processing/assessments", data={**told, "subject": "processor:Nobody"}).status_code == 422
    told["measures"] = "A contract of the standard kind"
    assert officer.post("/processing/assessments", data=told, follow_redirects=False).status_code == 303
    found = officer.get("/api/processing").json()
    mailer = next(each for each in found["to_assess"] if each["subject"] == "processor:Mailer")
    assert (mailer["standing"], mailer["result"], mailer["review_on"]) == ("stands", "measures", "2199-01-01")
    assert "Read &lt;i&gt;abroad" in officer.get("/processing").text
    number = found["assessments"][0]["assessment_id"]
    assert officer.post(f"/processing/assessments/{number}/delete").status_code == 409


def test_an_incident_is_written_down_told_of_and_closed(officer, lived):
    """By forms: its clock stands on the pages, it is closed only when nothing is missing, and stays as proof."""
    wrong = officer.post("/incidents", data={"kind": "leak", "happened": "A <b>list</b> was mislaid"})
    assert (wrong.status_code, "A &lt;b&gt;list" in wrong.text) == (422, True)
    facts = {"kind": "leak", "data": ["contact", "finance"], "happened": "A <b>list</b> was mislaid", "law": "pipl"}
    noticed = {"noticed_at": f"{lived.core.clock.now() - timedelta(hours=2):%Y-%m-%dT%H:%M:%S}Z"}
    answer = officer.post("/incidents", data={**facts, **noticed}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"].partition("?")[0]
    listed = officer.get("/incidents").text
    assert "22 hours left" in listed
    assert "Money and payment" in listed
    assert officer.post(f"{place}/close").status_code == 409
    assert officer.post(f"{place}/told", data={"whom": "authority", "needed": "no", "words": "Why"}).status_code == 422
    officer.post(f"{place}/told", data={"whom": "authority", "needed": "yes", "words": "Form no. 7"})
    officer.post(f"{place}/told", data={"whom": "people", "needed": "no", "words": "It was sealed"})
    page = officer.get(place).text
    assert "how many people is known, what was done is written" in page
    assert officer.post(f"{place}/revise", data={**facts, "people": "many"}).status_code == 422
    officer.post(f"{place}/revise", data={**facts, "people": "1,200", "measures": "Given back"})
    assert "Close the incident" in officer.get(place).text
    assert officer.post(f"{place}/close", follow_redirects=False).status_code == 303
    found = officer.get(f"/api{place}").json()
    assert (found["row"]["incident"]["people"], found["row"]["late"], found["missing"]) == (1200, False, [])
    page = officer.get(place).text
    assert "Form no. 7" in page
    assert '<form method="post" action="/incidents' not in page
    assert officer.get("/incidents/inc_nobody").status_code == 404


def test_who_else_has_the_data_has_to_hear_of_an_erasure_and_the_receipt_says_so(officer, lived):
    """A list for a recipient, an erasure: the duty stands on the page of exports until somebody tells them."""
    core = lived.core
    rights = core.settings.rights.model_copy(update={"processors": ["Mailer; mail; US"]})
    core.settings = core.settings.model_copy(update={"rights": rights})
    person = lived.person("u11")
    wish = Wish(audience="", purpose="analysis", recipient="Mailer")
    exports.leave(core, SYSTEM, "people", [read_profile(person)], wish, reason="")
    erased = officer.post("/api/erase", json={"identifier": "user_id:u11"}).json()

    (owed,) = erased["signed"]["recipients"]
    assert (owed["recipient"], owed["told_at"]) == ("Mailer", None)
    assert receipts.verify(erased["signed"], key=None).number == erased["receipt"]
    page = officer.get("/exports").text
    assert person in page
    assert "They were told" in page
    assert "not told yet" in officer.get(f"/requests?receipt={erased['receipt']}").text
    officer.post(f"/exports/told/{owed['duty']}")
    again = officer.get(f"/api/requests/receipts/{erased['receipt']}").json()
    assert again["recipients"][0]["told_at"] is not None
    assert receipts.verify(again, key=None).number == erased["receipt"]
    assert officer.get("/api/exports").json()["abroad"]["people"] == 1


def test_two_at_one_incident_do_not_take_each_others_words_away(officer):
    """Who comes second is told so, sees what the first wrote, and finds what they typed still there."""
    known = {"kind": "leak", "data": ["contact"], "happened": "A list was mislaid", "version": "1"}
    made = officer.post("/api/incidents", json={**known, "version": None}).json()["incident_id"]
    assert officer.post(f"/incidents/{made}/revise", data={**known, "cause": "A wrong address"}).status_code == 200
    late = officer.post(f"/incidents/{made}/revise", data={**known, "harm": "None that is known"})
    assert late.status_code == 409
    assert "somebody else has written" in late.text
    assert "A wrong address" in late.text
    assert "None that is known" in late.text
    assert officer.get(f"/api/incidents/{made}").json()["harm"] == ""
