"""Who must set up a second step before anything else: the setting `Z4J_SECOND_FACTOR_REQUIRED`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from z4j_brain.store import second_factors, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.store.users import User

Whose = Literal["nobody", "admins", "all"]


def is_owed(connection: Connection, whose: Whose, user: User) -> bool:
    """Tell whether somebody has to set one up now.

    `admins` are the administrators of the instance, and of any project.
    """
    if whose == "nobody":
        return False
    is_meant = whose == "all" or user.is_admin or users.administers_any(connection, user.id)
    return is_meant and not second_factors.is_on(connection, user.id)
