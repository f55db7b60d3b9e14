"""All tables, declared once for both databases.

Keys that people see are UUIDv7; times are `UtcTime`. `events` is partitioned by `received_at` on
PostgreSQL (`store/partitions.py`). `tasks` has no index on a column that every event changes, so
that PostgreSQL can update its rows in place (HOT).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
    text,
)

from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


BULK_ENDS = ("succeeded", "failed", "expired", "skipped", "refused")
"""How a member of a bulk run can end; the run counts each."""


def _id() -> Column:  # type: ignore[type-arg]
    return Column("id", Id, primary_key=True)


def _project() -> Column:  # type: ignore[type-arg]
    return Column("project_id", Id, ForeignKey("projects.id"), nullable=False)


# ---- people and projects -------------------------------------------------------------------

projects = Table(
    "projects",
    metadata,
    _id(),
    Column("slug", ByteText, nullable=False, unique=True),
    Column("name", ByteText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)

feeds = Table(
    "feeds",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id"), primary_key=True),
    Column("position", BigInteger, nullable=False, default=0),
)
"""The live feed's offset of a project, raised by every transaction that changes what is shown."""

users = Table(
    "users",
    metadata,
    _id(),
    Column("email", ByteText, nullable=False, unique=True),
    Column("name", ByteText, nullable=False),
    Column("password_hash", ByteText, nullable=False),
    Column("is_admin", Boolean, nullable=False, default=False),
    Column("created_at", UtcTime, nullable=False),
    Column("disabled_at", UtcTime),
)

memberships = Table(
    "memberships",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("role", ByteText, nullable=False),
)

redaction_rules = Table(
    "redaction_rules",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("rules", ByteText, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    Column("changed_by", Id, ForeignKey("users.id")),
)
"""What a project hides beyond the built-in rules, as JSON text."""

sessions = Table(
    "sessions",
    metadata,
    _id(),
    Column("token_hash", Bytes, nullable=False, unique=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("address", ByteText),
    Column("user_agent", ByteText),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("token_hash", Bytes, primary_key=True),
    Column("purpose", ByteText, nullable=False),
    Column("user_id", Id, ForeignKey("users.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)
"""First-run setup, one-time sign-in links, second steps of a sign-in, and sign-ins that are at the
identity provider; a row is deleted by the use of its token. Of a passkey's challenge the row says
that it was used."""

totp_secrets = Table(
    "totp_secrets",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("sealed", Bytes, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("confirmed_at", UtcTime),
    Column("last_step", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
)
"""Authenticator apps: encrypted secrets (`auth/totp_secrets.py`), one a person."""

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("code_hash", Bytes, primary_key=True),
    Column("created_at", UtcTime, nullable=False),
)
"""Hashes; a row is deleted by the use of its code."""

passkeys = Table(
    "passkeys",
    metadata,
    _id(),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("credential_id", Bytes, nullable=False, unique=True),
    Column("public_key", Bytes, nullable=False),
    Column("rp_id", ByteText, nullable=False),
    Column("name", ByteText, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
)

oidc_identities = Table(
    "oidc_identities",
    metadata,
    Column("issuer", ByteText, primary_key=True),
    Column("subject", ByteText, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("linked_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, nullable=False),
    UniqueConstraint("user_id", "issuer"),
)
"""By whom of an identity provider an account is used; one identity of an issuer each."""

invitations = Table(
    "invitations",
    metadata,
    _id(),
    _project(),
    Column("email", ByteText, nullable=False),
    Column("role", ByteText, nullable=False),
    Column("token_hash", Bytes, nullable=False, unique=True),
    Column("invited_by", Id, ForeignKey("users.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    UniqueConstraint("project_id", "email"),
    Index(None, "project_id", "expires_at"),
)
"""Open invitations; a row is deleted by the use of its token. One for each e-mail address."""

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False, index=True),
    Column("project_id", Id, ForeignKey("projects.id"), index=True),
    Column("name", ByteText, nullable=False),
    Column("secret_hash", Bytes, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("networks", JSON, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("last_address", ByteText),
    Column("revoked_at", UtcTime),
)
"""A key never reaches further than its owner does at the time of its use. Without a project it
works in all of its owner's; `networks` are CIDR texts, none of them is "from anywhere"."""

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcTime, nullable=False),
)
"""Attempts to sign in, by keyed hashes of e-mail and address; rows live for an hour."""

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("subject", Bytes, primary_key=True),
    Column("full_at", UtcTime, nullable=False),
)
"""Allowances in use, by keyed hashes of limit and subject; from `full_at` on a row says nothing."""

# ---- agents and workers --------------------------------------------------------------------

agents = Table(
    "agents",
    metadata,
    _id(),
    _project(),
    Column("name", ByteText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    UniqueConstraint("project_id", "name"),
)

agent_tokens = Table(
    "agent_tokens",
    metadata,
    _id(),
    Column("agent_id", Id, ForeignKey("agents.id"), nullable=False, index=True),
    Column("secret_hash", Bytes, nullable=False, unique=True),
    Column("created_at", UtcTime, nullable=False),
    Column("last_used_at", UtcTime),
    Column("last_address", ByteText),
    Column("revoked_at", UtcTime),
    Column("expires_at", UtcTime),
)
"""A token that was rotated has a set end, `expires_at`."""

workers = Table(
    "workers",
    metadata,
    _id(),
    _project(),
    Column("agent_id", Id, ForeignKey("agents.id"), nullable=False),
    Column("worker_id", ByteText, nullable=False),
    Column("epoch", ByteText, nullable=False),
    Column("host", ByteText, nullable=False, default=""),
    Column("pid", BigInteger, nullable=False, default=0),
    Column("role", ByteText, nullable=False, default="worker"),
    Column("framework", ByteText),
    Column("agent_version", ByteText, nullable=False, default=""),
    Column("python_version", ByteText, nullable=False, default=""),
    Column("engines", JSON, nullable=False),
    Column("plugin_errors", JSON, nullable=False),
    Column("schedulers", JSON, nullable=False, server_default="[]"),
    Column("online", Boolean, nullable=False, default=True),
    Column("replica", ByteText),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("last_frame", BigInteger, nullable=False, default=0),
    Column("last_event_at", UtcTime),
    Column("lag_us", BigInteger),
    Column("clock_offset_us", BigInteger),
    Column("outbox_events", BigInteger, nullable=False, default=0),
    Column("dropped", BigInteger, nullable=False, default=0),
    Column("processed", BigInteger, nullable=False, default=0),
    Column("cpu_percent", Float),
    Column("rss_bytes", BigInteger),
    UniqueConstraint("agent_id", "worker_id", "epoch"),
    Index(None, "project_id", "last_seen"),
)
"""One row for each process incarnation. `last_frame` is the number of its last committed frame.
`engines` is the list of `EngineInfo` as the agent announced it."""

gaps = Table(
    "gaps",
    metadata,
    _id(),
    _project(),
    Column("worker_row", Id, ForeignKey("workers.id"), nullable=False, index=True),
    Column("count", BigInteger, nullable=False),
    Column("kinds", JSON, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("reason", ByteText, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Index(None, "project_id", "received_at"),
)

# ---- the record ----------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("project_id", Id, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("occurred_at", UtcTime, nullable=False),
    Column("worker_row", Id, nullable=False),
    Column("engine", ByteText, nullable=False),
    Column("task_id", ByteText, nullable=False),
    Column("kind", ByteText, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("queue", ByteText),
    Column("name", ByteText),
    Column("payload", ByteText, nullable=False),
    Index("ix_events_project_id_task_id", "project_id", "task_id"),
    postgresql_partition_by="RANGE (received_at)",
)
"""Append only. `payload` is redacted JSON text; it is never searched, so it is not `jsonb`."""

events_rejected = Table(
    "events_rejected",
    metadata,
    _id(),
    Column("project_id", Id, nullable=False),
    Column("worker_row", Id, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("reason", ByteText, nullable=False),
    Index(None, "project_id", "received_at"),
)

_TROUBLE = "CASE WHEN state IN ('failed', 'cancelled', 'rejected') THEN state END"


def _partial(name: str, where: str, *columns: str) -> Index:
    return Index(
        name,
        "project_id",
        *columns,
        postgresql_where=text(where),
        sqlite_where=text(where),
    )


tasks = Table(
    "tasks",
    metadata,
    Column("project_id", Id, nullable=False),
    Column("engine", ByteText, nullable=False),
    Column("task_id", ByteText, nullable=False),
    Column("state", ByteText, nullable=False),
    Column("state_rank", Integer, nullable=False),
    Column("state_at", UtcTime, nullable=False),
    Column("worker", ByteText),
    Column("result", ByteText),
    Column("run_us", BigInteger),
    Column("exception_type", ByteText),
    Column("exception_message", ByteText),
    Column("issue", ByteText),
    Column("ended_at", UtcTime),
    Column("attempt", Integer, nullable=False),
    Column("queued_at", UtcTime),
    Column("received_at", UtcTime),
    Column("started_at", UtcTime),
    Column("eta", UtcTime),
    Column("first_at", UtcTime, nullable=False),
    Column("published_at", UtcTime),
    Column("name", ByteText),
    Column("queue", ByteText),
    Column("args", ByteText),
    Column("kwargs", ByteText),
    Column("exact", Boolean),
    Column("parent_id", ByteText),
    Column("root_id", ByteText),
    Column("group_id", ByteText),
    Column("retried_from", ByteText),
    Column("priority", SmallInteger),
    Column("last_at", UtcTime, nullable=False),
    Column("unknown_at", UtcTime),
    Column("unknown_reason", ByteText),
    Column("trouble", ByteText, Computed(_TROUBLE, persisted=True)),
    # The task id before the engine: a prefix of an id is searched for without naming an engine.
    PrimaryKeyConstraint("project_id", "task_id", "engine"),
    Index("ix_tasks_recent", "project_id", "first_at"),
    Index("ix_tasks_name", "project_id", "name", "first_at"),
    Index("ix_tasks_queue", "project_id", "queue", "first_at"),
    # Of open tasks, whose end is null, it gives the order of age: so they are walked in pages.
    Index("ix_tasks_ended", "project_id", "ended_at", "first_at"),
    # Queue and name come last, so that they are compared in the index and keep its order.
    _partial("ix_tasks_trouble", "trouble IS NOT NULL", "trouble", "first_at", "queue", "name"),
    _partial("ix_tasks_exception", "exception_type IS NOT NULL", "exception_type", "first_at"),
    _partial("ix_tasks_issue", "issue IS NOT NULL", "issue", "first_at"),
    _partial("ix_tasks_retried_from", "retried_from IS NOT NULL", "retried_from"),
    _partial("ix_tasks_parent", "parent_id IS NOT NULL", "parent_id"),
    _partial("ix_tasks_group", "group_id IS NOT NULL", "group_id"),
    _partial("ix_tasks_root", "root_id <> task_id", "root_id"),
    postgresql_with={"fillfactor": 80},
)
"""One row for each task: the columns after the key are those of `z4j_core.fold.TaskRow`, and then
`trouble`, which the database computes: the state if it is failed, cancelled or rejected.

No index and no index predicate names `state`: PostgreSQL then updates a row in place (HOT) as long
as the task is on its way. Only an event that ends an attempt with an exception, or that ends the
task and so sets `ended_at` and perhaps `trouble`, writes the indexes once more. `ended_at` is null
exactly while the state is queued, received, running, retrying or unknown: of an unknown one nobody
can tell an end."""

sealed_payloads = Table(
    "sealed_payloads",
    metadata,
    Column("project_id", Id, nullable=False),
    Column("engine", ByteText, nullable=False),
    Column("task_id", ByteText, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("key_id", ByteText, nullable=False),
    Column("envelope", Bytes, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("project_id", "task_id", "engine"),
    Index(None, "project_id", "received_at"),
)
"""What agents sealed with a task (`z4j_core.seal`), of its latest attempt that came with any. Only
agents can open an `envelope`; `key_id` is read from it, as hexadecimal. No foreign key to `tasks`:
its check would cost every task's row, sealed or not."""

task_probes = Table(
    "task_probes",
    metadata,
    Column("project_id", Id, nullable=False),
    Column("engine", ByteText, nullable=False),
    Column("task_id", ByteText, nullable=False),
    Column("life_at", UtcTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("asked_at", UtcTime, nullable=False),
    Column("next_at", UtcTime, nullable=False),
    Column("command_id", Id),
    Column("place", Integer),
    Column("alive_at", UtcTime),
    PrimaryKeyConstraint("project_id", "task_id", "engine"),
    Index(None, "project_id", "asked_at"),
    Index(
        "ix_task_probes_command_id",
        "command_id",
        postgresql_where=text("command_id IS NOT NULL"),
        sqlite_where=text("command_id IS NOT NULL"),
    ),
)
"""What was asked about tasks that seem stuck. `life_at` is the task's last fact when it was asked
last: a later fact begins a new life, and the count of tries with it. `command_id` and `place` say
which answer is awaited. A row tells nothing of what became of its task."""

commands = Table(
    "commands",
    metadata,
    _id(),
    _project(),
    Column("idempotency_key", ByteText),
    Column("engine", ByteText, nullable=False),
    Column("action", ByteText, nullable=False),
    Column("task_id", ByteText),
    Column("queue", ByteText),
    Column("schedule", ByteText),
    Column("store", ByteText),
    Column("target_worker", Id, ForeignKey("workers.id"), index=True),
    Column("params", ByteText, nullable=False),
    Column("params_exact", Boolean, nullable=False, default=False),
    Column("state", ByteText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Id, ForeignKey("users.id")),
    Column("deadline", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    Column("sent_to", Id, ForeignKey("workers.id"), index=True),
    Column("ended_at", UtcTime),
    Column("result", ByteText),
    Column("error", ByteText),
    Column("bulk_run", Id),
    UniqueConstraint("project_id", "idempotency_key"),
    Index(None, "project_id", "created_at"),
    Index("ix_commands_open", "state", "deadline"),
    Index(None, "project_id", "task_id"),
)
"""`params` is redacted JSON text; `params_exact` says that redaction had nothing to change."""

bulk_runs = Table(
    "bulk_runs",
    metadata,
    _id(),
    _project(),
    Column("idempotency_key", ByteText),
    Column("engine", ByteText, nullable=False),
    Column("action", ByteText, nullable=False),
    Column("params", ByteText, nullable=False),
    Column("filter", ByteText, nullable=False),
    Column("states", JSON),
    Column("rate", Float, nullable=False),
    Column("canary_percent", Float, nullable=False),
    Column("canary_max_failed_percent", Float, nullable=False),
    Column("canary_then", ByteText, nullable=False),
    Column("canary_patience_s", Integer, nullable=False),
    Column("skip_retried", Boolean, nullable=False),
    Column("matching", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", Id, ForeignKey("users.id"), nullable=False),
    Column("key_id", Id),
    Column("state", ByteText, nullable=False),
    Column("note", ByteText),
    Column("walked_at", UtcTime),
    Column("walked_task", ByteText),
    Column("total", Integer, nullable=False, default=0),
    Column("canary_size", Integer, nullable=False, default=0),
    Column("canary_passed", Boolean, nullable=False, default=False),
    Column("taken", Integer, nullable=False, default=0),
    *(Column(name, Integer, nullable=False, default=0) for name in BULK_ENDS),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    UniqueConstraint("project_id", "idempotency_key"),
    Index(None, "project_id", "created_at"),
    Index(None, "state"),
)
"""An action on the tasks that a filter meets at `created_at`. The walk through them stands at
`walked_at` and `walked_task` while members are gathered; `taken` of the `total` members have had
their turn, and those that are not counted under an end wait for their result."""

bulk_members = Table(
    "bulk_members",
    metadata,
    Column("run_id", Id, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("task_id", ByteText, nullable=False),
    Column("state", ByteText, nullable=False),
    Column("command_id", Id),
    Column("made_task_id", ByteText),
    Column("reason", ByteText),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Index(None, "run_id", "state", "number"),
    Index(None, "created_at"),
)
"""The tasks of a bulk run, in the order of their turn, from number 1. `made_task_id` is the task
that an engine's answer names."""

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

# ---- waiting work --------------------------------------------------------------------------

queues = Table(
    "queues",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("engine", ByteText, primary_key=True),
    Column("broker", ByteText, primary_key=True),
    Column("queue", ByteText, primary_key=True),
    Column("transport", ByteText, nullable=False, default=""),
    Column("seen_at", UtcTime, nullable=False),
    Column("sampler", Id),
    Column("elected_at", UtcTime),
    Column("sampled_at", UtcTime),
    Column("waiting", BigInteger),
    Column("unacked", BigInteger),
    Column("consumers", BigInteger),
    Column("oldest_us", BigInteger),
)
"""Every queue that some process told of. `sampler` is the row of the worker that is elected to
sample it. From `sampled_at` on the columns are its last sample: null is "cannot be told"."""

worker_queues = Table(
    "worker_queues",
    metadata,
    Column("worker_row", Id, primary_key=True),
    Column("engine", ByteText, primary_key=True),
    Column("broker", ByteText, primary_key=True),
    Column("queue", ByteText, primary_key=True),
    Column("project_id", Id, nullable=False),
    Column("is_consumed", Boolean, nullable=False),
    Column("told_at", UtcTime, nullable=False),
    Index("ix_worker_queues_queue", "project_id", "engine", "broker", "queue"),
    Index(None, "project_id", "told_at"),
)
"""Which queues a worker's process knows, and which of them it takes tasks from."""

# ---- schedules -----------------------------------------------------------------------------

schedule_stores = Table(
    "schedule_stores",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("scheduler", ByteText, primary_key=True),
    Column("store", ByteText, primary_key=True),
    Column("engine", ByteText, nullable=False),
    Column("lag_s", Float, nullable=False, default=0.0),
    Column("seen_at", UtcTime, nullable=False),
    Column("sampler", Id),
    Column("elected_at", UtcTime),
    Column("sampled_at", UtcTime),
    Column("read_at", UtcTime),
    Column("total", BigInteger, nullable=False, default=0),
    Column("error", ByteText),
    Index(None, "project_id", "seen_at"),
)
"""Where schedulers keep schedules. `sampled_at` is when its reader told anything, `read_at` when
the schedules themselves."""

worker_stores = Table(
    "worker_stores",
    metadata,
    Column("worker_row", Id, primary_key=True),
    Column("scheduler", ByteText, primary_key=True),
    Column("store", ByteText, primary_key=True),
    Column("project_id", Id, nullable=False),
    Column("told_at", UtcTime, nullable=False),
    Index("ix_worker_stores_store", "project_id", "scheduler", "store"),
    Index(None, "project_id", "told_at"),
)
"""Which stores of schedules a worker's process can read."""

schedules = Table(
    "schedules",
    metadata,
    _id(),
    Column("project_id", Id, nullable=False),
    Column("scheduler", ByteText, nullable=False),
    Column("store", ByteText, nullable=False),
    Column("schedule", ByteText, nullable=False),
    Column("name", ByteText, nullable=False),
    Column("timing", ByteText, nullable=False),
    Column("owner", ByteText, nullable=False),
    Column("task", ByteText),
    Column("queue", ByteText),
    Column("every_s", Float),
    Column("timezone", ByteText),
    Column("arguments", ByteText, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("last_run_at", UtcTime),
    Column("next_run_at", UtcTime),
    Column("runs", BigInteger),
    Column("undone_by", ByteText),
    Column("absent", ByteText, nullable=False),
    Column("form", ByteText, nullable=False),
    Column("hidden", ByteText, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("gone_at", UtcTime),
    Column("misses", BigInteger, nullable=False, default=0),
    Column("missed_at", UtcTime),
    Column("drift_us", BigInteger),
    UniqueConstraint("project_id", "scheduler", "store", "schedule"),
    Index(None, "project_id", "name"),
    Index(None, "project_id", "seen_at"),
)
"""Schedules as last told. `arguments`, `absent`, `form` and `hidden` are JSON text; `missed_at` is
the due time that was missed last, and `drift_us` how late the last run was."""

queue_samples = Table(
    "queue_samples",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("engine", ByteText, primary_key=True),
    Column("broker", ByteText, primary_key=True),
    Column("queue", ByteText, primary_key=True),
    Column("bucket", UtcTime, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("waiting", BigInteger),
    Column("waiting_max", BigInteger),
    Column("unacked", BigInteger),
    Column("oldest_us", BigInteger),
    Index(None, "project_id", "bucket"),
)
"""The samples of a minute: the last `waiting` and `unacked`, the greatest waiting and age. A minute
without samples has no row."""

# ---- issues --------------------------------------------------------------------------------

issues = Table(
    "issues",
    metadata,
    Column("project_id", Id, ForeignKey("projects.id"), nullable=False),
    Column("id", ByteText, nullable=False),
    Column("exception_type", ByteText, nullable=False),
    Column("title", ByteText, nullable=False),
    Column("stack", ByteText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("last_failed_at", UtcTime),
    Column("count", BigInteger, nullable=False, default=0),
    Column("retried", BigInteger, nullable=False, default=0),
    Column("last_engine", ByteText, nullable=False, default=""),
    Column("last_task_id", ByteText, nullable=False, default=""),
    Column("last_name", ByteText, nullable=False, default=""),
    Column("last_queue", ByteText, nullable=False, default=""),
    Column("last_message", ByteText, nullable=False, default=""),
    Column("decision", ByteText, nullable=False, default="open"),
    Column("decided_at", UtcTime),
    Column("decided_by", Id, ForeignKey("users.id")),
    Column("muted_until", UtcTime),
    Column("muted_count", BigInteger),
    Column("regressed_at", UtcTime),
    PrimaryKeyConstraint("project_id", "id"),
    Index(None, "project_id", "created_at"),
    Index(None, "project_id", "last_seen"),
)
"""Groups of failures with one signature. What ingest writes is additive and order-free; `decision`
is what a person said last, and the state follows from both (`store/issues.py`). `created_at` is by
the server's clock, all other times of failures by the worker's, but never later than received."""

issue_counts = Table(
    "issue_counts",
    metadata,
    Column("project_id", Id, primary_key=True),
    Column("issue", ByteText, primary_key=True),
    Column("hour", UtcTime, primary_key=True),
    Column("failed", BigInteger, nullable=False, default=0),
    Column("retried", BigInteger, nullable=False, default=0),
    Index(None, "project_id", "hour"),
)

issue_decisions = Table(
    "issue_decisions",
    metadata,
    _id(),
    _project(),
    Column("issue", ByteText, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("decision", ByteText, nullable=False),
    Column("muted_until", UtcTime),
    Column("muted_count", BigInteger),
    Index(None, "project_id", "issue", "at"),
    Index(None, "project_id", "at"),
)
"""Who decided what about an issue, and when."""

# ---- the audit log -------------------------------------------------------------------------

audit = Table(
    "audit",
    metadata,
    Column("chain", Id, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("actor_kind", ByteText, nullable=False),
    Column("actor_id", ByteText),
    Column("actor_name", ByteText, nullable=False),
    Column("action", ByteText, nullable=False),
    Column("object_kind", ByteText, nullable=False),
    Column("object_id", ByteText),
    Column("object_name", ByteText, nullable=False),
    Column("before", ByteText),
    Column("after", ByteText),
    Column("address", ByteText),
    Column("request_id", ByteText),
    Column("key_id", ByteText, nullable=False),
    Column("previous", Bytes, nullable=False),
    Column("mac", Bytes, nullable=False),
    PrimaryKeyConstraint("chain", "number"),
    Index(None, "chain", "actor_id", "number"),
    Index(None, "chain", "action", "number"),
    Index(None, "chain", "object_id", "number"),
    Index(None, "chain", "at", "number"),
)
"""Who did what: append only, one chain for each project and one, of the nil UUID, for the instance.
Ids and names are text, and nothing refers to other tables: a row outlives what it tells of.
`audit/encoding.py` says what `mac` covers."""

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("chain", Id, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("last", Bytes, nullable=False),
    Column("key_id", ByteText, nullable=False),
    Column("mac", Bytes, nullable=False),
)
"""The end of each chain, under a key: its last number and that row's MAC. So a cut is seen."""
