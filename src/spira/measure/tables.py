"""The table of stage 11."""

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
