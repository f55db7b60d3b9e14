"""The table of roles. That docs/permissions.md shows it is tested with the addresses."""

from __future__ import annotations

from z4j_brain.auth.policy import INSTANCE, TABLE, Role, permissions_of


def test_readers_change_nothing() -> None:
    for role in (Role.VIEWER, Role.AUDITOR):
        assert {name.partition(".")[2] for name in permissions_of(role)} == {"read"}


def test_an_admin_may_everything_and_an_operator_manages_nobody() -> None:
    assert permissions_of(Role.ADMIN) == frozenset(TABLE)
    assert frozenset(TABLE) - permissions_of(Role.OPERATOR) == {
        "agent.manage",
        "audit.read",
        "key.manage",
        "member.manage",
        "project.manage",
    }


def test_every_role_can_read_its_project() -> None:
    assert all("project.read" in permissions_of(role) for role in Role)


def test_no_role_of_a_project_reaches_beyond_it() -> None:
    assert not INSTANCE & frozenset(TABLE)
