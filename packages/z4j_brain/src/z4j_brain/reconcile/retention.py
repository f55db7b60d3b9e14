"""How long the rows of each table are kept: one table of rules."""

from __future__ import annotations

import msgspec
from sqlalchemy import ColumnElement, Table, bindparam, exists, or_

from z4j_brain.settings import Settings
from z4j_brain.store import schema
from z4j_brain.store.resolutions import Resolution
from z4j_brain.store.schema import commands, gaps, tasks, workers
from z4j_brain.store.types import UtcTime

DAY_US = 86_400_000_000
_CUTOFF = bindparam("cutoff", type_=UtcTime())


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of `table` go when `column` is older than the longest of `settings` and `least_days`.

    A setting of 0 days keeps them for ever. `only` narrows down what may go; `walk` is the indexed
    column by which old rows are found, `column` itself unless told otherwise.
    """

    table: Table
    column: str
    settings: tuple[str, ...] = ()
    least_days: int = 0
    only: tuple[ColumnElement[bool], ...] = ()
    walk: str | None = None

    @property
    def is_of_projects(self) -> bool:
        """Whether old rows are found project by project, as the table's indexes want it."""
        return "project_id" in self.table.c

    @property
    def order(self) -> ColumnElement[int]:
        """The column that rows are found by, oldest first."""
        return self.table.c[self.walk or self.column]

    @property
    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """What a row that goes has to meet; `:cutoff` is the time."""
        names = dict.fromkeys((self.walk or self.column, self.column))
        return (*(self.table.c[name] < _CUTOFF for name in names), *self.only)

    def days(self, settings: Settings) -> int | None:
        """Return for how many days rows are kept; None is for ever."""
        return longest(settings, self.settings, self.least_days)

    def cutoff(self, settings: Settings, now: int) -> int | None:
        """Return the time before which rows go (microseconds); None when none do."""
        days = self.days(settings)
        return None if days is None else now - days * DAY_US


def longest(settings: Settings, names: tuple[str, ...], least_days: int = 0) -> int | None:
    """Return the greatest of these settings, in days; None when one of them is for ever."""
    chosen = [_setting(settings, name) for name in names]
    return None if 0 in chosen else max([*chosen, least_days])


def _setting(settings: Settings, name: str) -> int:
    value: int | None = getattr(settings, name)
    return settings.event_retention_days if value is None else value


_EVENTS, _TASKS = "event_retention_days", "task_retention_days"
_MINUTES, _HOURS = "rollup_minute_retention_days", "rollup_hour_retention_days"

KEPT_BY: dict[Resolution, tuple[str, ...]] = {
    "minute": (_MINUTES,),
    "hour": (_MINUTES, _HOURS),
    "day": (_MINUTES, _HOURS, "rollup_day_retention_days"),
}
"""The settings by which buckets are kept: a coarser one at least as long as a finer one."""

RULES = (
    Rule(table=schema.sessions, column="expires_at"),
    Rule(table=schema.one_time_tokens, column="expires_at"),
    Rule(table=schema.invitations, column="expires_at"),
    Rule(table=schema.sign_in_failures, column="last_at", least_days=1),
    Rule(table=schema.rate_limits, column="full_at"),
    Rule(table=schema.events_rejected, column="received_at", settings=(_EVENTS,)),
    Rule(table=gaps, column="received_at", settings=(_EVENTS,)),
    Rule(
        table=commands,
        column="created_at",
        settings=(_TASKS,),
        least_days=90,
        # Whoever asked for an open command still waits for its end; its deadline brings one.
        only=(commands.c.ended_at.is_not(None),),
    ),
    Rule(
        table=schema.bulk_members,
        column="created_at",
        settings=(_TASKS,),
        least_days=90,
        only=(
            ~exists().where(
                schema.bulk_runs.c.id == schema.bulk_members.c.run_id,
                schema.bulk_runs.c.ended_at.is_(None),
            ),
        ),
    ),
    Rule(
        table=schema.bulk_runs,
        column="created_at",
        settings=(_TASKS,),
        least_days=90,
        only=(
            schema.bulk_runs.c.ended_at.is_not(None),
            ~exists().where(schema.bulk_members.c.run_id == schema.bulk_runs.c.id),
        ),
    ),
    Rule(
        table=workers,
        column="last_seen",
        settings=(_EVENTS, _TASKS),
        only=(
            workers.c.online.is_(False),
            ~exists().where(gaps.c.worker_row == workers.c.id),
            ~exists().where(commands.c.target_worker == workers.c.id),
            ~exists().where(commands.c.sent_to == workers.c.id),
        ),
    ),
    Rule(table=schema.task_probes, column="asked_at", settings=(_TASKS,), least_days=7),
    Rule(table=schema.rollups, column="bucket", settings=KEPT_BY["minute"]),
    Rule(
        table=schema.rollup_summaries,
        column="bucket",
        settings=KEPT_BY["day"],
        only=(schema.rollup_summaries.c.resolution == "day",),
    ),
    Rule(
        table=schema.worker_queues,
        column="told_at",
        least_days=1,
        only=(
            ~exists().where(workers.c.id == schema.worker_queues.c.worker_row, workers.c.online),
        ),
    ),
    Rule(
        table=schema.queues,
        column="seen_at",
        least_days=7,
        # Who still knows a queue does not tell it again.
        only=(
            ~exists().where(
                *(
                    schema.worker_queues.c[name] == schema.queues.c[name]
                    for name in ("project_id", "engine", "broker", "queue")
                )
            ),
        ),
    ),
    Rule(
        table=schema.worker_stores,
        column="told_at",
        least_days=1,
        only=(
            ~exists().where(workers.c.id == schema.worker_stores.c.worker_row, workers.c.online),
        ),
    ),
    # Whatever was not read for so long: it is gone, or with it whoever could read it.
    Rule(table=schema.schedules, column="seen_at", settings=(_TASKS,), least_days=7),
    Rule(
        table=schema.schedule_stores,
        column="seen_at",
        settings=(_TASKS,),
        least_days=7,
        only=(
            ~exists().where(
                *(
                    schema.worker_stores.c[name] == schema.schedule_stores.c[name]
                    for name in ("project_id", "scheduler", "store")
                )
            ),
            ~exists().where(
                *(
                    schema.schedules.c[name] == schema.schedule_stores.c[name]
                    for name in ("project_id", "scheduler", "store")
                )
            ),
        ),
    ),
    Rule(table=schema.queue_samples, column="bucket", settings=(_EVENTS,)),
    Rule(table=schema.issue_counts, column="hour", least_days=30),
    Rule(table=schema.issue_decisions, column="at", settings=(_TASKS,), least_days=90),
    Rule(table=schema.issues, column="last_seen", settings=(_TASKS,), least_days=90),
    Rule(
        table=tasks,
        column="last_at",
        settings=(_TASKS,),
        # No index can carry `last_at`, which every event changes; no task is younger than it.
        walk="first_at",
        # A task that waits for its time is silent until then.
        only=(or_(tasks.c.ended_at.is_not(None), tasks.c.eta.is_(None), tasks.c.eta < _CUTOFF),),
    ),
    Rule(
        table=schema.sealed_payloads,
        column="received_at",
        settings=(_TASKS,),
        # With its task, which lives at least as long.
        only=(
            ~exists().where(
                *(
                    tasks.c[name] == schema.sealed_payloads.c[name]
                    for name in ("project_id", "task_id", "engine")
                )
            ),
        ),
    ),
    Rule(table=schema.events, column="received_at", settings=(_EVENTS,)),
)
"""In the order of the work: what grows fastest comes last, and so can keep nothing else waiting.
Events are removed by whole partitions on PostgreSQL; see `steps.py`. Minutes and hours of rollups
are moved to coarser buckets; see `rollup_steps.py`."""

KEPT = frozenset(
    {"projects", "users", "memberships", "agents", "agent_tokens", "api_keys", "feeds"}
    | {"redaction_rules", "totp_secrets", "recovery_codes", "passkeys", "audit", "audit_heads"}
    | {"oidc_identities"}
    | {"rollup_marks", "rollup_horizons"}
)
"""Tables whose rows are kept until somebody removes them, or, as marks, until they are settled.
Rows of `audit` go only by `audit.pruning`, which keeps the rest of their chain provable."""
