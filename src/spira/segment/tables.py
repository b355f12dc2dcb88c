"""The tables of stages 4 to 6.

`tags` has one more typed column for every applied tag, and `tag_inputs` two for every rank:
what is ranked, and the rank. Both are made anew when the definitions ask for other columns.
`tag_changes` and `score_changes` tell the stages after them whose rows have changed.
"""

from __future__ import annotations

from spira.storage.tables import Table, columns, table

TAGS = table(
    Table(
        name="tags",
        store="warehouse",
        stage="segment.tags",
        person="profile_id",
        holds="computed facts about a person",
        columns=columns(
            """
            profile_id BIGINT required
            next_edge_at TIMESTAMP
            """
        ),
        key=("profile_id",),
    )
)

TAG_CUTS = table(
    Table(
        name="tag_cuts",
        store="warehouse",
        stage="segment.tags",
        columns=columns(
            """
            tag VARCHAR required
            class INTEGER required
            low DOUBLE
            high DOUBLE
            profiles BIGINT required
            as_of TIMESTAMP required
            """
        ),
        key=("tag", "class"),
    )
)

TAG_INPUTS = table(
    Table(
        name="tag_inputs",
        store="warehouse",
        stage="segment.tags",
        person="profile_id",
        holds="what people are ranked by, and their ranks",
        columns=columns("profile_id BIGINT required"),
        key=("profile_id",),
    )
)

# While everyone is worked out in several stretches it has the columns of the first scan as well.
TAG_STAGE = table(
    Table(
        name="tag_stage",
        store="warehouse",
        stage="segment.tags",
        person="profile_id",
        holds="computed facts that a refresh in hand has found so far",
        columns=columns("profile_id BIGINT required"),
        key=("profile_id",),
    )
)

TAG_PARTS = table(
    Table(
        name="tag_parts",
        store="warehouse",
        stage="segment.tags",
        columns=columns(
            """
            fingerprint VARCHAR required
            batch BIGINT required
            as_of TIMESTAMP required
            low BIGINT required
            high BIGINT required
            is_done BOOLEAN required
            """
        ),
        key=("low",),
    )
)

TAG_PROGRAM = table(
    Table(
        name="tag_program",
        store="warehouse",
        stage="segment.tags",
        columns=columns("fingerprint VARCHAR required"),
    )
)

TAG_POINTS = table(
    Table(
        name="tag_points",
        store="warehouse",
        stage="segment.tags",
        columns=columns(
            """
            tag VARCHAR required
            day DATE required
            profiles BIGINT required
            with_value BIGINT required
            as_of TIMESTAMP required
            """
        ),
        key=("tag", "day"),
    )
)

TAG_CHANGES = table(
    Table(
        name="tag_changes",
        store="warehouse",
        stage="segment.tags",
        person="profile_id",
        holds="whose computed facts have changed",
        columns=columns(
            """
            profile_id BIGINT required
            change BIGINT required
            """
        ),
    )
)

SCORES = table(
    Table(
        name="scores",
        store="warehouse",
        stage="segment.models",
        person="profile_id",
        holds="numbers and dates that a model expects of a person",
        columns=columns(
            """
            profile_id BIGINT required
            model VARCHAR required
            version VARCHAR required
            as_of TIMESTAMP required
            value DOUBLE
            at TIMESTAMP
            """
        ),
        key=("profile_id", "model"),
    )
)

SCORE_CHANGES = table(
    Table(
        name="score_changes",
        store="warehouse",
        stage="segment.models",
        person="profile_id",
        holds="whose scores have changed",
        columns=columns(
            """
            profile_id BIGINT required
            change BIGINT required
            """
        ),
    )
)

MODEL_FITS = table(
    Table(
        name="model_fits",
        store="warehouse",
        stage="segment.models",
        columns=columns(
            """
            model VARCHAR required
            version VARCHAR required
            fingerprint VARCHAR required
            as_of TIMESTAMP required
            parameters VARCHAR required
            """
        ),
        key=("model",),
    )
)

MEMBERS = table(
    Table(
        name="members",
        store="warehouse",
        stage="segment.audiences",
        person="profile_id",
        holds="who is in which audience",
        columns=columns(
            """
            audience VARCHAR required
            profile_id BIGINT required
            since TIMESTAMP required
            """
        ),
        key=("audience", "profile_id"),
    )
)

MEMBER_EDGES = table(
    Table(
        name="member_edges",
        store="warehouse",
        stage="segment.audiences",
        person="profile_id",
        holds="when a membership may change by time alone",
        columns=columns(
            """
            profile_id BIGINT required
            next_edge_at TIMESTAMP
            """
        ),
        key=("profile_id",),
    )
)

MEMBERSHIP_CHANGES = table(
    Table(
        name="membership_changes",
        store="warehouse",
        stage="segment.audiences",
        person="profile_id",
        holds="who entered and left which audience, and when",
        columns=columns(
            """
            change_id BIGINT required
            audience VARCHAR required
            profile_id BIGINT required
            entered BOOLEAN required
            at TIMESTAMP required
            """
        ),
        key=("change_id",),
    )
)

AUDIENCE_PROGRAM = table(
    Table(
        name="audience_program",
        store="warehouse",
        stage="segment.audiences",
        columns=columns(
            """
            fingerprint VARCHAR required
            conditions VARCHAR
            """
        ),
    )
)
