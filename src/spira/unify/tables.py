"""The tables of who is who. `identifiers`, `links` and `moved` are stage 2's second half; the rest is stage 3's."""

from __future__ import annotations

import spira.unify.matching.tables  # noqa: F401  (registered with these)
from spira.storage.tables import Table, columns, table

IDENTIFIERS = table(
    Table(
        name="identifiers",
        store="warehouse",
        stage="unify.identity",
        person="subject_id",
        holds="identifiers by HMAC; opaque ones (user_id, member_card) also in clear",
        columns=columns(
            """
            subject_id BIGINT required
            kind VARCHAR required
            subject_key VARCHAR required
            value VARCHAR
            first_seen TIMESTAMP required
            batch BIGINT required
            key_head UBIGINT
            """
        ),
        key=("subject_id",),
    )
)

LINKS = table(
    Table(
        name="links",
        store="warehouse",
        stage="unify.identity",
        person="subject_id",
        holds="which identifiers were seen together, and in which event",
        columns=columns(
            """
            subject_id BIGINT required
            other_id BIGINT required
            rule VARCHAR required
            event_id BIGINT required
            ts TIMESTAMP required
            source VARCHAR required
            batch BIGINT required
            """
        ),
        key=("subject_id", "other_id"),
    )
)

MOVED = table(
    Table(
        name="moved",
        store="warehouse",
        stage="unify.identity",
        person="subject_id",
        holds="which profile an identifier belongs to when it is not its own",
        columns=columns(
            """
            subject_id BIGINT required
            profile_id BIGINT required
            batch BIGINT required
            """
        ),
        key=("subject_id",),
    )
)

OVERLAY = table(
    Table(
        name="overlay",
        store="warehouse",
        stage="unify.identity",
        person="subject_id",
        holds="which profile an identifier's earlier events belong to now",
        columns=columns(
            """
            subject_id BIGINT required
            profile_id BIGINT required
            """
        ),
        key=("subject_id",),
    )
)

IDENTITY_KINDS = table(
    Table(
        name="identity_kinds",
        store="warehouse",
        stage="unify.identity",
        columns=columns(
            """
            kind VARCHAR required
            rank INTEGER required
            is_unique BOOLEAN required
            per_person INTEGER
            people INTEGER required
            joins INTEGER
            """
        ),
        key=("kind",),
    )
)

IDENTITY_BLOCKED = table(
    Table(
        name="identity_blocked",
        store="warehouse",
        stage="unify.identity",
        columns=columns("blocked_key VARCHAR required"),
        key=("blocked_key",),
    )
)

IDENTITY_AGE = table(
    Table(
        name="identity_age",
        store="warehouse",
        stage="unify.identity",
        columns=columns("age BIGINT required"),
        key=("age",),
    )
)

# A copy of what staff decided, by subject once both ends are known: always `subject_id` < `other_id`.
IDENTITY_RULED = table(
    Table(
        name="identity_ruled",
        store="warehouse",
        stage="unify.identity",
        person="subject_id",
        holds="which identifiers staff said are one person or two, by HMAC",
        columns=columns(
            """
            decision_id VARCHAR required
            says VARCHAR required
            subject_key VARCHAR required
            other_key VARCHAR required
            subject_id BIGINT
            other_id BIGINT
            """
        ),
        key=("decision_id",),
    )
)

IDENTITY_CONFLICTS = table(
    Table(
        name="identity_conflicts",
        store="warehouse",
        stage="unify.identity",
        person="subject_id",
        holds="which people contradict each other, over which identifier, and which values join nobody",
        columns=columns(
            """
            subject_id BIGINT required
            other_id BIGINT required
            via_id BIGINT required
            reason VARCHAR required
            kind VARCHAR required
            links BIGINT required
            settled BOOLEAN required
            """
        ),
    )
)

PROFILES = table(
    Table(
        name="profiles",
        store="warehouse",
        stage="unify.profiles",
        person="profile_id",
        holds="one row per person: unit, first and last seen",
        columns=columns(
            """
            profile_id BIGINT required
            unit_id BIGINT
            first_seen TIMESTAMP required
            last_seen TIMESTAMP required
            """
        ),
        key=("profile_id",),
    )
)

# A copy of the units' codes, so that the next refresh sees which stores belong elsewhere since.
UNIT_CODES = table(
    Table(
        name="unit_codes",
        store="warehouse",
        stage="unify.profiles",
        columns=columns(
            """
            code VARCHAR required
            unit_id BIGINT required
            """
        ),
        key=("code",),
    )
)

TRAITS = table(
    Table(
        name="traits",
        store="warehouse",
        stage="unify.profiles",
        person="profile_id",
        holds="lasting attributes; contact values only by their vault key",
        columns=columns(
            """
            profile_id BIGINT required
            name VARCHAR required
            value VARCHAR
            vault_key VARCHAR
            at TIMESTAMP required
            source VARCHAR required
            priority INTEGER required
            """
        ),
        key=("profile_id", "name"),
    )
)

PERMISSIONS = table(
    Table(
        name="permissions",
        store="warehouse",
        stage="unify.consent",
        person="profile_id",
        holds="what a person allows, by purpose and channel",
        columns=columns(
            """
            profile_id BIGINT required
            purpose VARCHAR required
            channel VARCHAR required
            granted BOOLEAN required
            since TIMESTAMP required
            """
        ),
        key=("profile_id", "purpose", "channel"),
    )
)

CONSENTS = table(
    Table(
        name="consents",
        store="warehouse",
        stage="unify.consent",
        person="profile_id",
        holds="the word behind each permission: the event, the notice and its version, and whether it lapsed",
        columns=columns(
            """
            profile_id BIGINT required
            purpose VARCHAR required
            channel VARCHAR required
            said BOOLEAN required
            since TIMESTAMP required
            event_id BIGINT
            notice VARCHAR
            notice_version BIGINT
            basis VARCHAR
            separate BOOLEAN
            expires_at TIMESTAMP
            lapsed VARCHAR
            """
        ),
        key=("profile_id", "purpose", "channel"),
    )
)

SUPPRESSIONS = table(
    Table(
        name="suppressions",
        store="warehouse",
        stage="unify.consent",
        person="address_key",
        holds="addresses never to be written to again, by HMAC",
        columns=columns(
            """
            address_key VARCHAR required
            channel VARCHAR required
            reason VARCHAR required
            since TIMESTAMP required
            """
        ),
        key=("address_key", "channel"),
    )
)

# Which household a person belongs to (unify.households): what staff decided, and what came of that and of traits.
HOUSEHOLD_SAID = table(
    Table(
        name="household_said",
        store="warehouse",
        stage="unify.profiles",
        person="subject_id",
        holds="what staff decided about people's households",
        columns=columns(
            """
            subject_id BIGINT required
            event_id BIGINT required
            ts TIMESTAMP required
            household VARCHAR
            roles VARCHAR
            """
        ),
    )
)
HOUSEHOLDS = table(
    Table(
        name="households",
        store="warehouse",
        stage="unify.profiles",
        person="profile_id",
        holds="who lives or pays together: the household, by what, and in which roles",
        columns=columns(
            """
            profile_id BIGINT required
            household VARCHAR required
            basis VARCHAR required
            roles VARCHAR
            since TIMESTAMP required
            size INTEGER required
            holds BOOLEAN required
            """
        ),
        key=("profile_id",),
    )
)
HOUSEHOLD_CHANGES = table(
    Table(
        name="household_changes",
        store="warehouse",
        stage="unify.profiles",
        person="profile_id",
        holds="whose household has changed",
        columns=columns(
            """
            profile_id BIGINT required
            batch BIGINT required
            """
        ),
    )
)
