"""What each role may do: one table for projects, one list for the whole instance."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A person's role in one project."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


_READERS = frozenset(Role)
_OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
_AUDITORS = frozenset({Role.AUDITOR, Role.ADMIN})
_ADMINS = frozenset({Role.ADMIN})

TABLE: dict[str, frozenset[Role]] = {
    "project.read": _READERS,
    "task.read": _READERS,
    "issue.read": _READERS,
    "worker.read": _READERS,
    "agent.read": _READERS,
    "command.read": _READERS,
    "schedule.read": _READERS,
    "bulk.read": _READERS,
    "member.read": _READERS,
    "issue.decide": _OPERATORS,
    "command.retry": _OPERATORS,
    "command.retry_edited": _OPERATORS,
    "command.cancel": _OPERATORS,
    "command.terminate": _OPERATORS,
    "command.purge": _OPERATORS,
    "command.schedule": _OPERATORS,
    "command.custom": _OPERATORS,
    "bulk.run": _OPERATORS,
    "audit.read": _AUDITORS,
    "agent.manage": _ADMINS,
    "member.manage": _ADMINS,
    "key.manage": _ADMINS,
    "project.manage": _ADMINS,
}
"""Permission → the roles that have it. An administrator of the instance has all of them."""

INSTANCE = frozenset({"instance.audit", "instance.read", "project.create", "user.manage"})
"""What administrators of the instance may do beyond projects, and nobody else."""

EVERY_PERMISSION = frozenset(TABLE) | INSTANCE


def permissions_of(role: Role) -> frozenset[str]:
    """Return everything that a role may do."""
    return _BY_ROLE[role]


_BY_ROLE = {
    role: frozenset(name for name, roles in TABLE.items() if role in roles) for role in Role
}
