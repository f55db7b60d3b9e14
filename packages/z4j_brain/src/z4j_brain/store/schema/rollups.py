"""Figures of the past, by minute and longer, and how far they are known."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table

from z4j_brain.store.schema.collection import metadata
from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

COUNTS = ("published", "started", "succeeded", "failed", "retried", "cancelled", "rejected")
"""What is counted, by the names of the kinds of events."""

rollups = Table(
    "rollups",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("bucket", UtcTime, primary_key=True),
    Column("engine", ByteText, primary_key=True),
    Column("queue", ByteText, primary_key=True),
    Column("name", ByteText, primary_key=True),
    Column("writer", ByteText, primary_key=True),
    *(Column(name, BigInteger, nullable=False, default=0) for name in COUNTS),
)
"""Counts by outcome in one-minute buckets of `occurred_at`, each writer under its own key. Minutes
whose time is over are moved to hours: `reconcile/rollup_steps.py`."""

rollup_marks = Table(
    "rollup_marks",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("resolution", ByteText, primary_key=True),
    Column("bucket", UtcTime, primary_key=True),
    Column("writer", ByteText, primary_key=True),
    Column("version", BigInteger, nullable=False),
)
"""Buckets whose summaries are stale. A row is removed by whoever made the summary anew, unless its
`version` has changed since; versions never come again."""

rollup_summaries = Table(
    "rollup_summaries",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("resolution", ByteText, primary_key=True),
    Column("scope", ByteText, primary_key=True),
    Column("bucket", UtcTime, primary_key=True),
    Column("engine", ByteText, primary_key=True),
    Column("queue", ByteText, primary_key=True),
    Column("name", ByteText, primary_key=True),
    *(Column(name, BigInteger, nullable=False, default=0) for name in COUNTS),
    Column("wait", Bytes),
    Column("run", Bytes),
)
"""What the leader makes of each minute, hour and day: counts of all writers, and sketches
(`z4j_brain.sketch`) of how long the tasks that ended waited and ran. A row of the scope `name` is
of a queue and a task name; one of the scope `queue` is of a queue, its `name` is empty."""

rollup_horizons = Table(
    "rollup_horizons",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("resolution", ByteText, primary_key=True),
    Column("until", UtcTime, nullable=False),
)
"""Before this time a project has no buckets of this resolution any more: they are in the coarser
ones, to which late comers are added. It never moves back."""
