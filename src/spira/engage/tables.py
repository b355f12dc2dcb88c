"""The tables of stages 7 and 8: who walks which journey, what is to be sent, and what became of it."""

from __future__ import annotations

from spira.storage.tables import Table, columns, table

ENROLMENTS = table(
    Table(
        name="enrolments",
        store="warehouse",
        stage="engage.journeys",
        person="profile_id",
        holds="one person's walk through one journey",
        columns=columns(
            """
            enrolment_id BIGINT required
            journey VARCHAR required
            version INTEGER required
            profile_id BIGINT required
            key VARCHAR required
            entered_at TIMESTAMP required
            held_out BOOLEAN required
            state VARCHAR required
            step VARCHAR required
            visit INTEGER required
            due_at TIMESTAMP
            goal_at TIMESTAMP
            ended_at TIMESTAMP
            reason VARCHAR
            """
        ),
        key=("enrolment_id",),
    )
)

ENROLMENT_STEPS = table(
    Table(
        name="enrolment_steps",
        store="warehouse",
        stage="engage.journeys",
        person="profile_id",
        holds="each step a person took in a journey",
        columns=columns(
            """
            enrolment_id BIGINT required
            journey VARCHAR required
            version INTEGER required
            profile_id BIGINT required
            step VARCHAR required
            visit INTEGER required
            at TIMESTAMP required
            """
        ),
        key=("enrolment_id", "step", "visit"),
    )
)

JOURNEY_VERSIONS = table(
    Table(
        name="journey_versions",
        store="warehouse",
        stage="engage.journeys",
        columns=columns(
            """
            journey VARCHAR required
            version INTEGER required
            fingerprint VARCHAR required
            body VARCHAR required
            since TIMESTAMP required
            """
        ),
        key=("journey", "version"),
    )
)

OUTBOX = table(
    Table(
        name="outbox",
        store="warehouse",
        stage="engage.journeys",
        person="profile_id",
        holds="messages that a journey wants sent",
        columns=columns(
            """
            outbox_id BIGINT required
            enrolment_id BIGINT required
            step VARCHAR required
            visit INTEGER required
            profile_id BIGINT required
            journey VARCHAR required
            version INTEGER required
            channel VARCHAR required
            template VARCHAR required
            purpose VARCHAR required
            campaign VARCHAR
            held_out BOOLEAN required
            created_at TIMESTAMP required
            """
        ),
        key=("enrolment_id", "step", "visit"),
    )
)

DELIVERIES = table(
    Table(
        name="deliveries",
        store="warehouse",
        stage="engage.delivery",
        person="profile_id",
        holds="what was sent to a person or withheld, and what became of it; the address by HMAC",
        columns=columns(
            """
            delivery_id BIGINT required
            profile_id BIGINT required
            subject_id BIGINT
            address_key VARCHAR
            channel VARCHAR required
            template VARCHAR required
            journey VARCHAR required
            version INTEGER required
            step VARCHAR required
            purpose VARCHAR required
            campaign VARCHAR
            state VARCHAR required
            reason VARCHAR
            created_at TIMESTAMP required
            due_at TIMESTAMP
            tries INTEGER required
            sent_at TIMESTAMP
            delivered_at TIMESTAMP
            opened_at TIMESTAMP
            clicked_at TIMESTAMP
            bounced_at TIMESTAMP
            provider_id VARCHAR
            detail VARCHAR
            """
        ),
        key=("delivery_id",),
    )
)

CAP_COUNTERS = table(
    Table(
        name="cap_counters",
        store="warehouse",
        stage="engage.delivery",
        person="profile_id",
        holds="how often a person was written to, by day",
        columns=columns(
            """
            profile_id BIGINT required
            channel VARCHAR required
            purpose VARCHAR required
            day DATE required
            sent INTEGER required
            """
        ),
        key=("profile_id", "channel", "purpose", "day"),
    )
)
