"""What the groups of an identity provider give: `Z4J_OIDC_ROLES`, read once and checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

import msgspec

from z4j_brain.auth.policy import Role

VARIABLE = "Z4J_OIDC_ROLES"
ADMINISTRATOR = "instance-admin"
_RANK = (Role.VIEWER, Role.AUDITOR, Role.OPERATOR, Role.ADMIN)
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_EXAMPLE = '{"ops": ["shop:operator"], "platform": "instance-admin"}'


class GroupRolesError(ValueError):
    """The table cannot be read; the message says where and what is allowed."""


class GroupRoles(msgspec.Struct, frozen=True):
    """Which groups administer the instance, and project → group → role."""

    administrators: frozenset[str] = frozenset()
    projects: dict[str, dict[str, Role]] = {}

    def is_administrator(self, groups: Collection[str]) -> bool | None:
        """Tell whether the groups make an administrator; None when no group is said to."""
        return bool(self.administrators & set(groups)) if self.administrators else None

    def roles(self, groups: Collection[str]) -> dict[str, Role | None]:
        """Return the role in each project that the table names; None is "no member"."""
        return {slug: _highest(given, groups) for slug, given in self.projects.items()}


def parse(text: str) -> GroupRoles:
    """Read the table; raises `GroupRolesError`. Of no text there is an empty one."""
    if not text.strip():
        return GroupRoles()
    try:
        table = msgspec.json.decode(text, type=dict[str, str | list[str]])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise GroupRolesError(
            f"{VARIABLE} is no JSON object of groups: {error}. Write it like {_EXAMPLE}."
        ) from None
    administrators: set[str] = set()
    projects: dict[str, dict[str, Role]] = {}
    for group, given in table.items():
        if not group.strip():
            raise GroupRolesError(f"{VARIABLE}: a group has no name.")
        for gift in [given] if isinstance(given, str) else given:
            if gift == ADMINISTRATOR:
                administrators.add(group)
                continue
            slug, role = _gift(group, gift)
            former = projects.setdefault(slug, {}).get(group)
            projects[slug][group] = role if former is None else _higher((former, role))
    return GroupRoles(frozenset(administrators), projects)


def _gift(group: str, text: str) -> tuple[str, Role]:
    slug, _, role = text.partition(":")
    if not _SLUG.fullmatch(slug) or role not in set(Role):
        roles = ", ".join(Role)
        raise GroupRolesError(
            f"{VARIABLE}: the group {group!r} gives {text!r}. Write PROJECT:ROLE, with the part of"
            f" the project's address and one of {roles}; or {ADMINISTRATOR}."
        )
    return slug, Role(role)


def _highest(given: dict[str, Role], groups: Collection[str]) -> Role | None:
    found = [role for group, role in given.items() if group in groups]
    return _higher(found) if found else None


def _higher(roles: Iterable[Role]) -> Role:
    return max(roles, key=_RANK.index)
