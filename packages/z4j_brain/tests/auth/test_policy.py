"""The table of roles: what docs/permissions.md says is what counts."""

from __future__ import annotations

import re
from pathlib import Path

from z4j_brain.auth.policy import TABLE, Role, permissions_of


def test_readers_change_nothing() -> None:
    for role in (Role.VIEWER, Role.AUDITOR):
        assert {name.partition(".")[2] for name in permissions_of(role)} == {"read"}


def test_an_admin_may_everything_and_an_operator_manages_nobody() -> None:
    assert permissions_of(Role.ADMIN) == frozenset(TABLE)
    assert frozenset(TABLE) - permissions_of(Role.OPERATOR) == {
        "agent.manage",
        "audit.read",
        "project.manage",
    }


def test_every_role_can_read_its_project() -> None:
    assert all("project.read" in permissions_of(role) for role in Role)


def test_the_page_is_the_table() -> None:
    page = Path(__file__).parents[4] / "docs" / "permissions.md"
    rows = re.findall(r"^\| `([\w.]+)` \|(.+)\|$", page.read_text(), re.MULTILINE)
    columns = [Role.VIEWER, Role.OPERATOR, Role.AUDITOR, Role.ADMIN]
    told = {
        name: {role for role, cell in zip(columns, cells.split("|"), strict=False) if "yes" in cell}
        for name, cells in rows
    }
    assert told == {name: set(roles) for name, roles in TABLE.items()}
