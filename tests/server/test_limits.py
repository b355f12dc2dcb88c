from __future__ import annotations

from datetime import timedelta

import pytest

from spira.server import limits
from spira.server.errors import TooManyRequests
from spira.server.limits import Limits
from spira.server.sessions import make_token
from spira.testing.cores import NOON, staff


def limited(core, number):
    security = core.settings.security.model_copy(update={"requests_per_minute": number})
    core.settings = core.settings.model_copy(update={"security": security})


def test_a_bucket_empties_and_fills_by_the_minute():
    """A minute's worth at once, then one each second of sixty; the wait is told."""
    buckets = Limits()
    for _ in range(60):
        buckets.take("ann", None, per_minute=60, at=NOON)
    with pytest.raises(TooManyRequests) as refused:
        buckets.take("ann", None, per_minute=60, at=NOON)
    assert refused.value.wait == 1
    buckets.take("bob", None, per_minute=60, at=NOON)
    buckets.take("ann", None, per_minute=60, at=NOON + timedelta(seconds=1))
    with pytest.raises(TooManyRequests):
        buckets.take("ann", None, per_minute=60, at=NOON + timedelta(seconds=1))


def test_what_costs_much_has_a_stricter_bucket_of_its_own():
    """Thirty exports empty theirs, and leave all else open."""
    buckets = Limits()
    for _ in range(limits.COSTS["export"]):
        buckets.take("ann", "export", per_minute=600, at=NOON)
    with pytest.raises(TooManyRequests) as refused:
        buckets.take("ann", "export", per_minute=600, at=NOON)
    assert refused.value.wait == 2
    buckets.take("ann", None, per_minute=600, at=NOON)
    for _ in range(1_000):
        buckets.take("ann", "free", per_minute=600, at=NOON)


def test_buckets_do_not_grow_without_end(monkeypatch):
    """Whoever comes from ten thousand addresses takes no more memory than is set aside."""
    monkeypatch.setattr(limits, "MOST_BUCKETS", 100)
    buckets = Limits()
    for number in range(1_000):
        buckets.take(f"at:{number}", None, per_minute=600, at=NOON + timedelta(milliseconds=number))
    assert len(buckets._buckets) <= 100


def test_every_cost_that_a_route_names_is_known(app):
    """A route can't name a bucket that is not there."""
    named = {handler.opt.get("cost") for route in app.routes for handler in getattr(route, "route_handlers", ())}
    assert named - {None, limits.FREE, limits.FACTS} <= set(limits.COSTS)
    assert {"sign_in", "public"} <= named


def test_a_program_is_told_how_long_to_wait(client, core, wall):
    """429 with Retry-After in the house's shape; other tokens go on; after the wait it goes on as well."""
    limited(core, 30)
    ann, bob = (
        {"authorization": f"Bearer {make_token(core.state, staff(core, name, 'operator').staff_id, name='x', at=NOON)}"}
        for name in ("ann", "bob")
    )
    codes = [client.get("/api/clock", headers=ann).status_code for _ in range(31)]
    assert codes == [200] * 30 + [429]
    refused = client.get("/api/clock", headers=ann)
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("E005", "2")
    assert client.get("/api/clock", headers=bob).status_code == 200
    wall.step(timedelta(seconds=2))
    assert client.get("/api/clock", headers=ann).status_code == 200


def test_a_person_sees_a_page_and_files_are_not_counted(client, core):
    """A visitor who asks too often gets a page with Retry-After; styles go on."""
    limited(core, 30)
    pages = [client.get("/sign-in") for _ in range(31)]
    assert (pages[-1].status_code, pages[-1].headers["retry-after"]) == (429, "2")
    assert "<h1>" in pages[-1].text
    assert client.get("/static/app.css").status_code == 200


def test_visitors_behind_a_trusted_proxy_are_counted_apart(client, core):
    """The address that the proxy adds is counted; the one that a visitor writes is not believed."""
    limited(core, 30)
    server = core.settings.server.model_copy(update={"trusted_proxies": ["testclient"]})
    core.settings = core.settings.model_copy(update={"server": server})
    for number in range(31):
        last = client.get("/sign-in", headers={"x-forwarded-for": f"1.1.1.{number}, 9.9.9.9"})
    assert last.status_code == 429
    assert client.get("/sign-in", headers={"x-forwarded-for": "9.9.9.8"}).status_code == 200
