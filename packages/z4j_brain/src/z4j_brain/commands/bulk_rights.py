"""Whether whoever made a bulk run still may do what it does."""

from __future__ import annotations

from sqlalchemy import Connection

from z4j_brain.auth.policy import Role, permissions_of
from z4j_brain.commands.catalogue import permission_of
from z4j_brain.store import api_keys, projects
from z4j_brain.store.bulk_runs import BulkRun

RUN = "bulk.run"


def obstacle(connection: Connection, run: BulkRun, now: int) -> str | None:
    """Return why the run must not send anything now, None when it may."""
    role = projects.present_role(connection, run.created_by, run.project_id)
    if role is None:
        return "Whoever made this run has no access to the project any more."
    wanted = {RUN, permission_of(run.action)}
    missing = wanted - permissions_of(Role(role))
    if missing:
        return f"Whoever made this run is {role} now and lacks {', '.join(sorted(missing))}."
    if run.key_id is None:
        return None
    key = api_keys.find(connection, run.key_id)
    is_over = key is None or key.revoked_at is not None or (key.expires_at or now + 1) <= now
    if key is None or is_over or not wanted <= key.scopes:
        return "The API key that made this run is revoked, has expired, or lacks a scope."
    return None
