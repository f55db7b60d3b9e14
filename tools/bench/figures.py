"""What is measured, against which target: the one table, and how a figure is judged and printed."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import msgspec


class Target(msgspec.Struct, frozen=True):
    """A figure's name, unit, and what it should reach; None where it is only for orientation."""

    what: str
    unit: str
    target: float | None = None
    stretch: float | None = None
    more_is_better: bool = False


_DATABASES = (("postgresql", "PostgreSQL"), ("sqlite", "SQLite"))
TARGETS = {
    "ingest_rate_postgresql": Target(
        "acknowledged events/s, PostgreSQL", "/s", 15_000, 25_000, more_is_better=True
    ),
    "ingest_rate_sqlite": Target(
        "acknowledged events/s, SQLite", "/s", 8_000, 15_000, more_is_better=True
    ),
    "ingest_cpu_postgresql": Target("server CPU an event, PostgreSQL", "µs", 30, 20),
    "ingest_cpu_sqlite": Target("server CPU an event, SQLite (database included)", "µs"),
    "ingest_database_cpu": Target("PostgreSQL's CPU an event", "µs"),
    "ingest_share_same": Target(
        "share of COPY alone, same table", "%", 12, 20, more_is_better=True
    ),
    **{
        f"{key}_{database}": Target(f"{what}, {name}", unit)
        for database, name in _DATABASES
        for key, what, unit in (
            ("ingest_share_bare", "share of the driver alone, bare table", "%"),
            ("ingest_resident", "server resident after the run", "MiB"),
            ("ack_cpu", "server CPU an event at 5,000 events/s", "µs"),
            ("floor_commit_p50", "the driver alone, one such commit, p50", "ms"),
            ("floor_commit_p99", "the driver alone, one such commit, p99", "ms"),
        )
    },
    **{
        f"ack_{quantile}_{database}": Target(
            f"acknowledgement {quantile} at 5,000 events/s, {name}", "ms", *limits
        )
        for database, name in _DATABASES
        for quantile, limits in (("p50", ()), ("p99", (40, 20)), ("p99.9", ()))
    },
    "floor_sync_p50": Target("fdatasync of 16 KiB alone, p50", "ms"),
    "floor_sync_p99": Target("fdatasync of 16 KiB alone, p99", "ms"),
    **{
        f"{key}_{database}": Target(f"{what}, {name}", unit, *limits)
        for database, name in _DATABASES
        for key, what, unit, limits in (
            ("audit_verify", "audit: 1,000,000 rows verified", "s", (60, 30)),
            ("audit_verify_cpu", "audit: verifying process's CPU a row", "µs", ()),
            ("audit_verify_memory", "audit: memory that verifying needs", "MiB", (16,)),
            ("audit_record", "audit: one recorded change, within its transaction", "ms", ()),
        )
    },
    "idle_resident": Target("server resident, idle, PostgreSQL", "MiB", 80, 65),
    "idle_link_1000": Target("memory an idle link, 1,000 links", "KiB", 40, 30),
    "idle_link_5000": Target("memory an idle link, 5,000 links", "KiB", 40, 30),
    "idle_open_1000": Target("links opened/s until 1,000 are open", "/s", more_is_better=True),
    "idle_open_5000": Target("links opened/s until 5,000 are open", "/s", more_is_better=True),
    "idle_cpu_1000": Target("server CPU for 1,000 idle links", "% of a core"),
    "idle_cpu_5000": Target("server CPU for 5,000 idle links", "% of a core"),
    "command_post_p50": Target("command accepted, p50", "ms"),
    "command_post_p99": Target("command accepted, p99", "ms"),
    "command_result_p50": Target("command to result, p50", "ms", 15, 8),
    "command_result_p99": Target("command to result, p99", "ms", 50, 25),
    "command_cpu": Target("server CPU a command", "ms"),
    **{
        f"{kind}_{quantile}_{database}": Target(f"{what} {quantile}, {name}", "ms", *limits)
        for database, name in _DATABASES
        for kind, what, aims in (
            ("list", "slowest page or filter at 1M tasks,", (40, 15)),
            ("search", "slowest search at 1M tasks,", (250, 100)),
            ("overview", "overview at 1M tasks,", ()),
        )
        for quantile, limits in (("p50", aims), ("p99", ()))
    },
    **{
        f"{key}_{database}": Target(f"{what}, {name}", *rest)
        for database, name in _DATABASES
        for key, what, *rest in (
            ("growth_start", "events/s into an empty table", "/s", None, None, True),
            ("growth_end", "events/s into the full table", "/s", None, None, True),
            ("growth_cpu_start", "CPU an event into an empty table, database included", "µs"),
            ("growth_cpu_end", "CPU an event into the full table, database included", "µs"),
            ("growth_kept", "speed kept from start to end, by CPU time", "%", 80, 95, True),
            ("growth_bytes", "disk an event, tasks and indexes included", "B"),
            ("growth_ack_before", "acknowledgement p99 before retention", "ms", 40, 20),
            ("growth_ack_tasks", "acknowledgement p99 while old tasks are deleted", "ms", 80, 40),
        )
    },
    "growth_drop": Target("retention drops a day's partition", "s", 1, 0.25),
    "growth_ack_drop": Target("longest acknowledgement while it is dropped", "ms", 1_000, 250),
    "footprint_distributions": Target("distributions installed by `z4j`", "", 40),
    "footprint_disk": Target("size of the installation", "MiB", 80),
    "footprint_resident": Target("server resident, idle, SQLite", "MiB", 80, 65),
    "footprint_start": Target("start until it answers", "s", 3),
    **{
        f"peer_{key}_{database}": Target(f"{what}, {name}", *rest)
        for database, name in _DATABASES
        for key, what, *rest in (
            ("rate", "events/s of a worker, the public package", "/s", None, None, True),
            ("own", "events/s of the same worker, z4j", "/s", None, None, True),
            ("limit", "events/s that z4j's server takes", "/s", None, None, True),
            ("ratio", "z4j's server against the public one", "×", 75, 125, True),
        )
    },
    **{
        f"times_{key}_{quantity}_{engine}": Target(f"{what} {told}, {engine}", unit, *limits)
        for engine in ("celery", "rq", "dramatiq")
        for key, what in (("wait", "a run's wait in the record"), ("run", "a run's time in it"))
        for quantity, told, unit, *limits in (
            ("p50", "off by, p50", "ms"),
            ("p99", "off by, p99", "ms", 5, 2),
            ("near", "within 5 ms", "%", None, None, True),
        )
    },
    "overhead_solo": Target("a no-op task's CPU with z4j, solo", "× without", 1.08, 1.04),
    "overhead_prefork": Target("a no-op task's CPU with z4j, prefork", "× without", 1.08, 1.04),
    "overhead_simple": Target("a no-op job's CPU with z4j, RQ's SimpleWorker", "× without"),
    "overhead_fork": Target("a no-op job's CPU with z4j, RQ's Worker", "× without"),
    "overhead_threads": Target("a no-op message's CPU with z4j, Dramatiq", "× without", 1.1),
}


class Figure(msgspec.Struct, frozen=True):
    """One measured value under a key of `TARGETS`."""

    key: str
    value: float

    @property
    def target(self) -> Target:
        """What it should reach."""
        return TARGETS[self.key]

    @property
    def verdict(self) -> str:
        """Return "stretch", "met", "missed", or nothing where there is no target."""
        if self.target.target is None:
            return ""
        if self.reaches(self.target.stretch):
            return "stretch"
        return "met" if self.reaches(self.target.target) else "missed"

    def reaches(self, limit: float | None) -> bool:
        """Tell whether the value is as good as a limit."""
        if limit is None:
            return False
        return self.value >= limit if self.target.more_is_better else self.value <= limit

    def row(self) -> list[str]:
        """Return the cells: what, measured, target, stretch, ratio to the target, verdict."""
        goal = self.target
        ratio = "" if goal.target is None else f"{self.value / goal.target:.2f}"
        unit = f" {goal.unit}" if goal.unit and goal.unit != "/s" else ""
        return [
            goal.what,
            f"{number(self.value)}{unit}",
            number(goal.target),
            number(goal.stretch),
            ratio,
            self.verdict,
        ]


HEADINGS = ["what", "measured", "target", "stretch", "ratio", "verdict"]


def number(value: float | None) -> str:
    """Write a figure with three digits that say something."""
    if value is None:
        return ""
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of all is, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def delays(prefix: str, seconds: Sequence[float], suffix: str = "") -> list[Figure]:
    """Return p50 and p99 in milliseconds."""
    return [
        Figure(f"{prefix}_p50{suffix}", statistics.median(seconds) * 1_000),
        Figure(f"{prefix}_p99{suffix}", quantile(seconds, 0.99) * 1_000),
    ]


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`, by which `all.py` collects."""
    parser.add_argument("--json", type=Path, help="also write the figures to this file")


def tell(title: str, figures: Sequence[Figure], file: Path | None = None) -> None:
    """Print figures, and write them down when somebody collects."""
    print(title)
    for figure in figures:
        what, measured, target, stretch, ratio, verdict = figure.row()
        aims = f"   target {target}" if target else ""
        aims += f", stretch {stretch}" if stretch else ""
        aims += f": ratio {ratio}, {verdict}" if target else ""
        print(f"{what:>52}: {measured}{aims}")
    if file is not None:
        file.write_bytes(msgspec.json.encode(list(figures)))
