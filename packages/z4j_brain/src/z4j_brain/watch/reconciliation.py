"""What the leader's periodic work did, as families of metrics."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from z4j_brain.reconcile.counters import Counters


def reconciliation(counters: Counters) -> Iterator[Metric]:
    """Return the families. Labels are names of steps and of tables of ours."""
    yield GaugeMetricFamily(
        "z4j_reconcile_leader", "Whether this process does the periodic work.", counters.is_leader
    )
    for name, what, value in (
        ("elections", "Times that this process began to lead.", counters.elections),
        ("rounds", "Rounds through all steps.", counters.rounds),
        ("partitions_made", "Partitions of events that were made ahead.", counters.partitions_made),
        ("partitions_dropped", "Old partitions that were dropped.", counters.partitions_dropped),
        ("partitions_put_off", "Old partitions that were still in use.", counters.put_off),
        ("probes", "Questions to agents about tasks that seem stuck.", counters.probes),
        ("probed_tasks", "Tasks in these questions.", counters.probed_tasks),
        ("unknown_tasks", "Tasks whose state became unknown.", counters.unknown_tasks),
        ("missed_schedules", "Runs of schedules that did not come.", counters.missed_schedules),
        ("bulk_turns", "Tasks of bulk runs that had their turn.", counters.bulk_turns),
        ("bulk_runs_ended", "Bulk runs that ended.", counters.bulk_runs_ended),
    ):
        yield CounterMetricFamily(f"z4j_reconcile_{name}_total", what, value)
    yield GaugeMetricFamily(
        "z4j_reconcile_last_round_timestamp_seconds",
        "When the last round ended, since the epoch; 0 before the first.",
        (counters.last_round_at or 0) / 1e6,
    )
    yield from _steps(counters)
    deleted = CounterMetricFamily(
        "z4j_reconcile_deleted_rows_total",
        "Rows that were older than their retention.",
        labels=["table"],
    )
    for table, rows in list(counters.deleted.items()):
        deleted.add_metric([table], rows)
    yield deleted
    summarised = CounterMetricFamily(
        "z4j_reconcile_summarised_total", "Buckets of rollups that were made.", labels=["bucket"]
    )
    for bucket, number in list(counters.summarised.items()):
        summarised.add_metric([bucket], number)
    yield summarised


def _steps(counters: Counters) -> Iterator[Metric]:
    runs = CounterMetricFamily(
        "z4j_reconcile_steps_total", "Steps that were taken.", labels=["step"]
    )
    failures = CounterMetricFamily(
        "z4j_reconcile_step_failures_total", "Steps that failed.", labels=["step"]
    )
    seconds = CounterMetricFamily(
        "z4j_reconcile_step_seconds_total", "Time that steps took.", labels=["step"]
    )
    last = GaugeMetricFamily(
        "z4j_reconcile_step_last_seconds", "Time that the last one took.", labels=["step"]
    )
    for name, count in list(counters.steps.items()):
        runs.add_metric([name], count.runs)
        failures.add_metric([name], count.failures)
        seconds.add_metric([name], count.total_us / 1e6)
        last.add_metric([name], count.last_us / 1e6)
    yield from (runs, failures, seconds, last)
