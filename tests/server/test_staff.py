from __future__ import annotations

import pytest

from spira.kernel.errors import Conflict
from spira.server import sessions
from spira.server.errors import NotSignedIn, Unacceptable
from spira.server.staff import NewStaff, add_staff, set_password, viewer_of
from spira.testing.cores import NOON, staff


def test_an_address_signs_in_one_person(core):
    """The same address in other letters is the same person."""
    staff(core, "ann", "guide")
    with pytest.raises(Conflict):
        add_staff(core.state, NewStaff(email="Ann@Example.com", name="Ann", roles=("guide",)), at=NOON)


def test_a_unit_brings_all_units_below(core):
    """Staff of the brand see both stores; staff without a unit see everyone."""
    whole = core.units
    brand = viewer_of(core.state, staff(core, "bea", "operator", unit_id=whole["brand"]), language="en")
    assert brand.units == set(whole.values())
    assert viewer_of(core.state, staff(core, "roo", "operator"), language="en").units is None


def test_a_new_password_ends_every_session(core):
    """Whoever had a session signs in again."""
    ann = staff(core, "ann", "guide")
    secret = sessions.open_session(core.state, ann.staff_id, at=NOON, hours=1)
    assert sessions.staff_of_session(core.state, secret, at=NOON)
    set_password(core.state, ann.staff_id, "another long sentence")
    assert sessions.staff_of_session(core.state, secret, at=NOON) is None
    with pytest.raises(Unacceptable):
        set_password(core.state, ann.staff_id, "too short")


def test_a_link_works_once_and_a_new_one_ends_the_old(core):
    """Of two links the later counts, and that one once; looking at it does not use it."""
    ann = staff(core, "ann", "guide")
    old = sessions.make_link(core.state, ann.staff_id, at=NOON)
    new = sessions.make_link(core.state, ann.staff_id, at=NOON)
    assert sessions.staff_of_link(core.state, old, at=NOON) is None
    found = sessions.staff_of_link(core.state, new, at=NOON)
    assert found is not None
    assert found.staff_id == ann.staff_id
    sessions.use_link(core.state, new, at=NOON)
    with pytest.raises(NotSignedIn):
        sessions.use_link(core.state, new, at=NOON)


def test_secrets_are_not_in_the_state(core):
    """Neither sessions, links, tokens nor passwords can be read out of the database."""
    ann = staff(core, "ann", "guide")
    secrets = [
        sessions.open_session(core.state, ann.staff_id, at=NOON, hours=1),
        sessions.make_link(core.state, ann.staff_id, at=NOON),
        sessions.make_token(core.state, ann.staff_id, name="till", at=NOON),
        "a quiet sea in spring",
    ]
    core.state.settle()
    content = b"".join(path.read_bytes() for path in core.directory.glob("state.sqlite*"))
    assert not [secret for secret in secrets if secret.encode() in content]
