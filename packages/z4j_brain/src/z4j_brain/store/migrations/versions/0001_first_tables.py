"""The first tables.

Deploy: before. There is no way back from the first step but an empty database.
"""

import sqlalchemy as sa
from alembic import op

from z4j_brain.store.types import Bytes, ByteText, Id, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _events()
    _events_rejected()
    _projects()
    _rollups()
    _sign_in_failures()
    _tasks()
    _users()
    _agents()
    _feeds()
    _memberships()
    _one_time_tokens()
    _sessions()
    _agent_tokens()
    _workers()
    _commands()
    _gaps()


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("occurred_at", UtcTime(), nullable=False),
        sa.Column("worker_row", Id, nullable=False),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("task_id", ByteText, nullable=False),
        sa.Column("kind", ByteText, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("queue", ByteText, nullable=True),
        sa.Column("name", ByteText, nullable=True),
        sa.Column("payload", ByteText, nullable=False),
        postgresql_partition_by="RANGE (received_at)",
    )
    op.create_index(
        "ix_events_project_id_task_id", "events", ["project_id", "task_id"], unique=False
    )


def _events_rejected() -> None:
    op.create_table(
        "events_rejected",
        sa.Column("id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("worker_row", Id, nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("reason", ByteText, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events_rejected")),
    )


def _projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", Id, nullable=False),
        sa.Column("slug", ByteText, nullable=False),
        sa.Column("name", ByteText, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("slug", name=op.f("uq_projects_slug")),
    )


def _rollups() -> None:
    op.create_table(
        "rollups",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("bucket", UtcTime(), nullable=False),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("queue", ByteText, nullable=False),
        sa.Column("name", ByteText, nullable=False),
        sa.Column("writer", ByteText, nullable=False),
        sa.Column("published", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("succeeded", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("retried", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "project_id", "bucket", "engine", "queue", "name", "writer", name=op.f("pk_rollups")
        ),
    )


def _sign_in_failures() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("subject", Bytes, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_sign_in_failures")),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("task_id", ByteText, nullable=False),
        sa.Column("state", ByteText, nullable=False),
        sa.Column("state_rank", sa.Integer(), nullable=False),
        sa.Column("state_at", UtcTime(), nullable=False),
        sa.Column("worker", ByteText, nullable=True),
        sa.Column("result", ByteText, nullable=True),
        sa.Column("run_us", sa.BigInteger(), nullable=True),
        sa.Column("exception_type", ByteText, nullable=True),
        sa.Column("exception_message", ByteText, nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("queued_at", UtcTime(), nullable=True),
        sa.Column("received_at", UtcTime(), nullable=True),
        sa.Column("started_at", UtcTime(), nullable=True),
        sa.Column("eta", UtcTime(), nullable=True),
        sa.Column("first_at", UtcTime(), nullable=False),
        sa.Column("published_at", UtcTime(), nullable=True),
        sa.Column("name", ByteText, nullable=True),
        sa.Column("queue", ByteText, nullable=True),
        sa.Column("args", ByteText, nullable=True),
        sa.Column("kwargs", ByteText, nullable=True),
        sa.Column("exact", sa.Boolean(), nullable=True),
        sa.Column("parent_id", ByteText, nullable=True),
        sa.Column("root_id", ByteText, nullable=True),
        sa.Column("group_id", ByteText, nullable=True),
        sa.Column("retried_from", ByteText, nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=True),
        sa.Column("last_at", UtcTime(), nullable=False),
        sa.Column(
            "trouble",
            ByteText,
            sa.Computed(
                "CASE WHEN state IN ('failed', 'cancelled', 'rejected') THEN state END",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("project_id", "task_id", "engine", name=op.f("pk_tasks")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("ix_tasks_ended", "tasks", ["project_id", "ended_at"], unique=False)
    op.create_index(
        "ix_tasks_exception",
        "tasks",
        ["project_id", "exception_type", "first_at"],
        unique=False,
        postgresql_where=sa.text("exception_type IS NOT NULL"),
        sqlite_where=sa.text("exception_type IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_group",
        "tasks",
        ["project_id", "group_id"],
        unique=False,
        postgresql_where=sa.text("group_id IS NOT NULL"),
        sqlite_where=sa.text("group_id IS NOT NULL"),
    )
    op.create_index("ix_tasks_name", "tasks", ["project_id", "name", "first_at"], unique=False)
    op.create_index(
        "ix_tasks_parent",
        "tasks",
        ["project_id", "parent_id"],
        unique=False,
        postgresql_where=sa.text("parent_id IS NOT NULL"),
        sqlite_where=sa.text("parent_id IS NOT NULL"),
    )
    op.create_index("ix_tasks_queue", "tasks", ["project_id", "queue", "first_at"], unique=False)
    op.create_index("ix_tasks_recent", "tasks", ["project_id", "first_at"], unique=False)
    op.create_index(
        "ix_tasks_retried_from",
        "tasks",
        ["project_id", "retried_from"],
        unique=False,
        postgresql_where=sa.text("retried_from IS NOT NULL"),
        sqlite_where=sa.text("retried_from IS NOT NULL"),
    )
    op.create_index(
        "ix_tasks_root",
        "tasks",
        ["project_id", "root_id"],
        unique=False,
        postgresql_where=sa.text("root_id <> task_id"),
        sqlite_where=sa.text("root_id <> task_id"),
    )
    op.create_index(
        "ix_tasks_trouble",
        "tasks",
        ["project_id", "trouble", "first_at"],
        unique=False,
        postgresql_where=sa.text("trouble IS NOT NULL"),
        sqlite_where=sa.text("trouble IS NOT NULL"),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", Id, nullable=False),
        sa.Column("email", ByteText, nullable=False),
        sa.Column("name", ByteText, nullable=False),
        sa.Column("password_hash", ByteText, nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("disabled_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )


def _agents() -> None:
    op.create_table(
        "agents",
        sa.Column("id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("name", ByteText, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_agents_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_agents_project_id_name")),
    )


def _feeds() -> None:
    op.create_table(
        "feeds",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_feeds_project_id")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_feeds")),
    )


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("project_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("role", ByteText, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_memberships_project_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_memberships_user_id")),
        sa.PrimaryKeyConstraint("project_id", "user_id", name=op.f("pk_memberships")),
    )


def _one_time_tokens() -> None:
    op.create_table(
        "one_time_tokens",
        sa.Column("token_hash", Bytes, nullable=False),
        sa.Column("purpose", ByteText, nullable=False),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_one_time_tokens_user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_tokens")),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", Id, nullable=False),
        sa.Column("token_hash", Bytes, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("address", ByteText, nullable=True),
        sa.Column("user_agent", ByteText, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )


def _agent_tokens() -> None:
    op.create_table(
        "agent_tokens",
        sa.Column("id", Id, nullable=False),
        sa.Column("agent_id", Id, nullable=False),
        sa.Column("secret_hash", Bytes, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("last_used_at", UtcTime(), nullable=True),
        sa.Column("last_address", ByteText, nullable=True),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_agent_tokens_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_agent_tokens_secret_hash")),
    )
    op.create_index(op.f("ix_agent_tokens_agent_id"), "agent_tokens", ["agent_id"], unique=False)


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("agent_id", Id, nullable=False),
        sa.Column("worker_id", ByteText, nullable=False),
        sa.Column("epoch", ByteText, nullable=False),
        sa.Column("host", ByteText, nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("role", ByteText, nullable=False),
        sa.Column("framework", ByteText, nullable=True),
        sa.Column("agent_version", ByteText, nullable=False),
        sa.Column("python_version", ByteText, nullable=False),
        sa.Column("engines", sa.JSON(), nullable=False),
        sa.Column("plugin_errors", sa.JSON(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("replica", ByteText, nullable=True),
        sa.Column("first_seen", UtcTime(), nullable=False),
        sa.Column("last_seen", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("last_frame", sa.BigInteger(), nullable=False),
        sa.Column("last_event_at", UtcTime(), nullable=True),
        sa.Column("lag_us", sa.BigInteger(), nullable=True),
        sa.Column("clock_offset_us", sa.BigInteger(), nullable=True),
        sa.Column("outbox_events", sa.BigInteger(), nullable=False),
        sa.Column("dropped", sa.BigInteger(), nullable=False),
        sa.Column("processed", sa.BigInteger(), nullable=False),
        sa.Column("cpu_percent", sa.Float(), nullable=True),
        sa.Column("rss_bytes", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_workers_agent_id")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_workers_project_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        sa.UniqueConstraint(
            "agent_id", "worker_id", "epoch", name=op.f("uq_workers_agent_id_worker_id_epoch")
        ),
    )
    op.create_index(
        op.f("ix_workers_project_id_last_seen"),
        "workers",
        ["project_id", "last_seen"],
        unique=False,
    )


def _commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("idempotency_key", ByteText, nullable=True),
        sa.Column("engine", ByteText, nullable=False),
        sa.Column("action", ByteText, nullable=False),
        sa.Column("task_id", ByteText, nullable=True),
        sa.Column("queue", ByteText, nullable=True),
        sa.Column("target_worker", Id, nullable=True),
        sa.Column("params", ByteText, nullable=False),
        sa.Column("params_exact", sa.Boolean(), nullable=False),
        sa.Column("state", ByteText, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("created_by", Id, nullable=True),
        sa.Column("deadline", UtcTime(), nullable=False),
        sa.Column("sent_at", UtcTime(), nullable=True),
        sa.Column("sent_to", Id, nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("result", ByteText, nullable=True),
        sa.Column("error", ByteText, nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_commands_created_by")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_commands_project_id")
        ),
        sa.ForeignKeyConstraint(["sent_to"], ["workers.id"], name=op.f("fk_commands_sent_to")),
        sa.ForeignKeyConstraint(
            ["target_worker"], ["workers.id"], name=op.f("fk_commands_target_worker")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        sa.UniqueConstraint(
            "project_id", "idempotency_key", name=op.f("uq_commands_project_id_idempotency_key")
        ),
    )
    op.create_index("ix_commands_open", "commands", ["state", "deadline"], unique=False)
    op.create_index(
        op.f("ix_commands_project_id_created_at"),
        "commands",
        ["project_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_commands_project_id_task_id"), "commands", ["project_id", "task_id"], unique=False
    )


def _gaps() -> None:
    op.create_table(
        "gaps",
        sa.Column("id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("worker_row", Id, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.Column("reason", ByteText, nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_gaps_project_id")),
        sa.ForeignKeyConstraint(["worker_row"], ["workers.id"], name=op.f("fk_gaps_worker_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
    )
    op.create_index(
        op.f("ix_gaps_project_id_received_at"), "gaps", ["project_id", "received_at"], unique=False
    )
