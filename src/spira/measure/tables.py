"""The tables of stage 11."""

from __future__ import annotations

from spira.storage.tables import Table, columns, table

METRIC_POINTS = table(
    Table(
        name="metric_points",
        store="warehouse",
        stage="measure.metrics",
        columns=columns(
            """
            metric VARCHAR required
            version VARCHAR required
            grain VARCHAR required
            period TIMESTAMP required
            slice VARCHAR required
            value DOUBLE
            as_of TIMESTAMP required
            """
        ),
        key=("metric", "version", "grain", "period", "slice"),
    )
)

# A metric that nothing was seen of has no points, and still need not be computed again.
METRIC_VERSIONS = table(
    Table(
        name="metric_versions",
        store="warehouse",
        stage="measure.metrics",
        columns=columns(
            """
            metric VARCHAR required
            version VARCHAR required
            """
        ),
        key=("metric", "version"),
    )
)

# A copy of `overlay`, so that the next run sees whose past belongs to another profile since.
METRIC_OVERLAY = table(
    Table(
        name="metric_overlay",
        store="warehouse",
        stage="measure.metrics",
        person="subject_id",
        holds="which profile an identifier's earlier events were counted for",
        columns=columns(
            """
            subject_id BIGINT required
            profile_id BIGINT required
            """
        ),
        key=("subject_id",),
    )
)
