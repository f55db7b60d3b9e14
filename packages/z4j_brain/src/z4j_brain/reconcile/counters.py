"""What the reconciler of this process has done since its start."""

from __future__ import annotations

import msgspec


class StepCount(msgspec.Struct):
    """How often a step was taken and failed, and how long it took (microseconds)."""

    runs: int = 0
    failures: int = 0
    total_us: int = 0
    last_us: int = 0


class Counters(msgspec.Struct):
    """Counts since the start, for metrics. Written by the reconciler's task alone.

    `deleted` counts rows by table; the rows of a dropped partition are not counted. `put_off`
    counts partitions that were still in use when they should have been dropped. `summarised`
    counts buckets of rollups by resolution. `last_round_at` is in microseconds since the epoch,
    `last_round_us` a duration in microseconds. `probes` counts questions to agents,
    `probed_tasks` the tasks in them, `unknown_tasks` what became unknown, `missed_schedules` the
    runs of schedules that were due and did not come. `bulk_turns` counts members of bulk runs that
    had their turn.
    """

    is_leader: bool = False
    elections: int = 0
    rounds: int = 0
    failures: int = 0
    partitions_made: int = 0
    partitions_dropped: int = 0
    put_off: int = 0
    deleted: dict[str, int] = {}
    probes: int = 0
    probed_tasks: int = 0
    unknown_tasks: int = 0
    missed_schedules: int = 0
    bulk_turns: int = 0
    bulk_runs_ended: int = 0
    steps: dict[str, StepCount] = {}
    summarised: dict[str, int] = {}
    last_round_at: int | None = None
    last_round_us: int | None = None

    def add_step(self, name: str, took_us: int, *, has_failed: bool) -> None:
        """Count one run of a step."""
        count = self.steps.setdefault(name, StepCount())
        count.runs += 1
        count.failures += has_failed
        count.total_us += took_us
        count.last_us = took_us

    def add_deleted(self, table: str, rows: int) -> None:
        """Count rows that were deleted."""
        self.deleted[table] = self.deleted.get(table, 0) + rows

    def add_summarised(self, resolution: str) -> None:
        """Count a bucket that was summarised."""
        self.summarised[resolution] = self.summarised.get(resolution, 0) + 1
