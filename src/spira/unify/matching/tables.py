"""The tables of probable matching: pairs with their weights, the models, the runs. No value of anybody's is in them."""

from __future__ import annotations

from spira.storage.tables import Table, columns, table

STAGE = "unify.matching"

# One row for each two who are likely one person: always `subject_id` < `other_id`, the strongest identifiers of the two
# as evidence alone knows them. `weight` is log2 of odds, `join_at` the weight from which they are joined (none: never),
# `fields` what each field said of them (levels and weights, no values).
MATCH_CANDIDATES = table(
    Table(
        name="match_candidates",
        store="warehouse",
        stage=STAGE,
        person="subject_id",
        holds="which two people are likely one: a weight, and how each field compared, without a value",
        columns=columns(
            """
            subject_id BIGINT required
            other_id BIGINT required
            weight DOUBLE required
            join_at DOUBLE
            rule VARCHAR required
            model VARCHAR required
            fields VARCHAR required
            found_at TIMESTAMP required
            """
        ),
        key=("subject_id", "other_id"),
    )
)

# Whose an identifier is by evidence and decisions alone, where probable matches say more.
PROVEN = table(
    Table(
        name="proven",
        store="warehouse",
        stage="unify.identity",
        person="subject_id",
        holds="which profile an identifier would belong to without probable matches, where that differs",
        columns=columns(
            """
            subject_id BIGINT required
            base_id BIGINT required
            """
        ),
        key=("subject_id",),
    )
)

MATCH_MODELS = table(
    Table(
        name="match_models",
        store="warehouse",
        stage=STAGE,
        columns=columns(
            """
            version VARCHAR required
            fingerprint VARCHAR required
            trained_at TIMESTAMP required
            records BIGINT required
            learned BOOLEAN required
            saved BLOB required
            """
        ),
        key=("version",),
    )
)

MATCH_RUNS = table(
    Table(
        name="match_runs",
        store="warehouse",
        stage=STAGE,
        columns=columns(
            """
            run_at TIMESTAMP required
            everyone BOOLEAN required
            records BIGINT required
            changed BIGINT required
            pairs BIGINT required
            joining BIGINT required
            moved BIGINT required
            seconds DOUBLE required
            model VARCHAR required
            """
        ),
    )
)
