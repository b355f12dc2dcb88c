"""The tables of destinations in the warehouse, and what is kept of their runs in the state.

`whom` is a profile. The rows are not erased with the person: they are what the destination has to be told of
anyone who is gone, and the next run that tells it takes them away.
"""

from __future__ import annotations

import sqlalchemy as sa

from spira.storage.state import state_table
from spira.storage.tables import Table, columns, table

STAGE = "engage.destinations"

DESTINATION_PEOPLE = table(
    Table(
        name="destination_people",
        store="warehouse",
        stage=STAGE,
        holds="whom each destination has been given, until it is told that they are gone",
        columns=columns(
            """
            destination VARCHAR required
            whom BIGINT required
            digest VARCHAR required
            since TIMESTAMP required
            """
        ),
        key=("destination", "whom"),
    )
)
DESTINATION_ROWS = table(
    Table(
        name="destination_rows",
        store="warehouse",
        stage=STAGE,
        holds="whom the run in hand gives and takes back",
        columns=columns(
            """
            destination VARCHAR required
            run_id VARCHAR required
            number INTEGER required
            whom BIGINT required
            op VARCHAR required
            digest VARCHAR required
            """
        ),
        key=("run_id", "whom"),
    )
)
STATES = state_table(
    "destination_states",
    sa.Column("destination", sa.String(100), primary_key=True),
    sa.Column("print", sa.String(64), nullable=False),
    sa.Column("started_at", sa.DateTime),
    sa.Column("started_by", sa.String(64), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("most", sa.Integer, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("asked", sa.String(8), nullable=False),
    sa.Column("looked_at", sa.DateTime),
    sa.Column("next_at", sa.DateTime),
    sa.Column("fault", sa.Text),
    stage=STAGE,
    holds="which destinations were started, by whom and why, and when each is looked at next",
)
RUNS = state_table(
    "destination_runs",
    sa.Column("run_id", sa.String(32), primary_key=True),
    sa.Column("destination", sa.String(100), nullable=False, index=True),
    sa.Column("print", sa.String(64), nullable=False),
    sa.Column("begun_at", sa.DateTime, nullable=False),
    sa.Column("ended_at", sa.DateTime),
    sa.Column("status", sa.String(8), nullable=False),
    sa.Column("everyone", sa.Boolean, nullable=False),
    sa.Column("added", sa.Integer, nullable=False),
    sa.Column("changed", sa.Integer, nullable=False),
    sa.Column("removed", sa.Integer, nullable=False),
    sa.Column("taken", sa.Integer, nullable=False),
    sa.Column("refused", sa.Integer, nullable=False),
    sa.Column("withheld", sa.Integer, nullable=False),
    sa.Column("batches", sa.Integer, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("due_at", sa.DateTime),
    sa.Column("mark", sa.String(32), nullable=False),
    sa.Column("fault", sa.Text),
    stage=STAGE,
    holds="the runs of destinations: how many people were given, by which mark, and what went wrong",
)
BATCHES = state_table(
    "destination_batches",
    sa.Column("run_id", sa.String(32), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("taken", sa.Integer, nullable=False),
    sa.Column("refused", sa.Integer, nullable=False),
    sa.Column("withheld", sa.Integer, nullable=False),
    sa.Column("said", sa.Text, nullable=False),
    stage=STAGE,
    holds="each batch of a run: when it was taken, after how many tries, and why somebody in it was refused",
)
