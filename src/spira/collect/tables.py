"""The tables that loading writes: events and their lines, what was refused, what was tried, where the log was read to.

`events` and the line tables grow one typed column per property that the tracking plan declares.
"""

from __future__ import annotations

from spira.storage.tables import Table, columns, table

STAGE = "collect.load"

EVENTS = table(
    Table(
        name="events",
        store="warehouse",
        stage=STAGE,
        person="subject_id",
        holds="what a person did: no contact value in clear",
        columns=columns(
            """
            event_id BIGINT required
            message_id VARCHAR required
            type VARCHAR required
            event VARCHAR required
            ts TIMESTAMP required
            received_at TIMESTAMP required
            source VARCHAR required
            touchpoint VARCHAR
            domain VARCHAR
            subject_id BIGINT required
            profile_id BIGINT required
            session_id VARCHAR
            campaign VARCHAR
            campaign_source VARCHAR
            campaign_medium VARCHAR
            campaign_term VARCHAR
            campaign_content VARCHAR
            batch BIGINT required
            properties VARCHAR
            """
        ),
    )
)

# The child table of a declared array: `products` goes to `order_lines`, any other `xs` to `xs_lines`.
LINE_COLUMNS = columns(
    """
    event_id BIGINT required
    line INTEGER required
    event VARCHAR required
    ts TIMESTAMP required
    subject_id BIGINT required
    profile_id BIGINT required
    properties VARCHAR
    """
)
ORDER_LINES = table(
    Table(
        name="order_lines",
        store="warehouse",
        stage=STAGE,
        person="subject_id",
        holds="what a person bought, line by line",
        columns=LINE_COLUMNS,
    )
)

TRAIT_FACTS = table(
    Table(
        name="trait_facts",
        store="warehouse",
        stage=STAGE,
        person="subject_id",
        holds="every trait ever told, contact values only by their vault key",
        columns=columns(
            """
            event_id BIGINT required
            subject_id BIGINT required
            name VARCHAR required
            value VARCHAR
            vault_key VARCHAR
            ts TIMESTAMP required
            source VARCHAR required
            priority INTEGER required
            batch BIGINT required
            """
        ),
    )
)

# `via`, `sent_at` and `context` (sealed) are what a call had from its request; the last four say what
# became of it when it was read again: `loaded`, `duplicate` (its message id was taken) or `refused`.
QUARANTINE = table(
    Table(
        name="quarantine",
        store="warehouse",
        stage=STAGE,
        person="subject_key",
        holds="refused events, their bodies sealed",
        columns=columns(
            """
            batch BIGINT required
            item INTEGER required
            received_at TIMESTAMP required
            source VARCHAR required
            message_id VARCHAR
            event VARCHAR
            reason VARCHAR required
            detail VARCHAR required
            subject_key VARCHAR
            body BLOB required
            via VARCHAR
            sent_at VARCHAR
            context BLOB
            replayed_at TIMESTAMP
            replayed_by VARCHAR
            outcome VARCHAR
            tries INTEGER
            """
        ),
        key=("batch", "item"),
    )
)

ATTEMPTS = table(
    Table(
        name="attempts",
        store="warehouse",
        stage=STAGE,
        columns=columns(
            """
            delivery_id BIGINT required
            phase VARCHAR required
            at TIMESTAMP required
            outcome VARCHAR
            provider_id VARCHAR
            detail VARCHAR
            batch BIGINT required
            """
        ),
    )
)

LOADED = table(
    Table(
        name="loaded",
        store="warehouse",
        stage=STAGE,
        columns=columns(
            """
            log VARCHAR required
            segment BIGINT required
            position BIGINT required
            batch BIGINT required
            at TIMESTAMP required
            last_event BIGINT required
            last_subject BIGINT required
            """
        ),
        key=("log",),
    )
)

# What was seen that no tracking plan declares; `property` is empty for the event itself.
UNDECLARED = table(
    Table(
        name="undeclared",
        store="warehouse",
        stage=STAGE,
        columns=columns(
            """
            event VARCHAR required
            property VARCHAR required
            type VARCHAR required
            seen BIGINT required
            batch BIGINT required
            source VARCHAR
            day DATE
            """
        ),
    )
)

# What was recognised as personal and taken out before it was kept: where and of what kind, never what.
PERSONAL = table(
    Table(
        name="personal",
        store="warehouse",
        stage=STAGE,
        columns=columns(
            """
            source VARCHAR required
            day DATE required
            event VARCHAR required
            property VARCHAR required
            kind VARCHAR required
            seen BIGINT required
            batch BIGINT required
            """
        ),
    )
)

# Stage 2 is one transaction of two halves, collect.load and unify.identity; both add to `changes`.
CHANGES = table(
    Table(
        name="changes",
        store="warehouse",
        stage=STAGE,
        person="profile_id",
        holds="which profiles a batch touched",
        columns=columns(
            """
            profile_id BIGINT required
            batch BIGINT required
            """
        ),
    )
)
