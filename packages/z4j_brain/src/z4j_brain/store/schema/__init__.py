"""All tables, declared once for both databases.

Keys that people see are UUIDv7; times are `UtcTime`. `events` is partitioned by `received_at` on
PostgreSQL (`store/partitions.py`). `tasks` has no index on a column that every event changes, so
that PostgreSQL can update its rows in place (HOT).
"""

from __future__ import annotations

from z4j_brain.store.schema.agents import agent_tokens, agents, gaps, workers
from z4j_brain.store.schema.audit import audit, audit_heads
from z4j_brain.store.schema.collection import metadata
from z4j_brain.store.schema.commands import BULK_ENDS, bulk_members, bulk_runs, commands
from z4j_brain.store.schema.issues import issue_counts, issue_decisions, issues
from z4j_brain.store.schema.people import (
    api_keys,
    feeds,
    invitations,
    memberships,
    oidc_identities,
    one_time_tokens,
    passkeys,
    projects,
    rate_limits,
    recovery_codes,
    redaction_rules,
    sessions,
    sign_in_failures,
    totp_secrets,
    users,
)
from z4j_brain.store.schema.queues import queue_samples, queues, worker_queues
from z4j_brain.store.schema.record import (
    events,
    events_rejected,
    sealed_payloads,
    task_probes,
    tasks,
)
from z4j_brain.store.schema.rollups import (
    COUNTS,
    rollup_horizons,
    rollup_marks,
    rollup_summaries,
    rollups,
)
from z4j_brain.store.schema.schedules import schedule_stores, schedules, worker_stores

__all__ = [
    "BULK_ENDS",
    "COUNTS",
    "agent_tokens",
    "agents",
    "api_keys",
    "audit",
    "audit_heads",
    "bulk_members",
    "bulk_runs",
    "commands",
    "events",
    "events_rejected",
    "feeds",
    "gaps",
    "invitations",
    "issue_counts",
    "issue_decisions",
    "issues",
    "memberships",
    "metadata",
    "oidc_identities",
    "one_time_tokens",
    "passkeys",
    "projects",
    "queue_samples",
    "queues",
    "rate_limits",
    "recovery_codes",
    "redaction_rules",
    "rollup_horizons",
    "rollup_marks",
    "rollup_summaries",
    "rollups",
    "schedule_stores",
    "schedules",
    "sealed_payloads",
    "sessions",
    "sign_in_failures",
    "task_probes",
    "tasks",
    "totp_secrets",
    "users",
    "worker_queues",
    "worker_stores",
    "workers",
]
