"""Who must set up a second step before anything else: the setting `Z4J_SECOND_FACTOR_REQUIRED`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from z4j_brain.store import second_factors, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.settings import Settings
    from z4j_brain.store.users import User


def is_owed(connection: Connection, settings: Settings, user: User) -> bool:
    """Tell whether somebody has to set one up now.

    `admins` are the administrators of the instance, and of any project. Who comes in by the
    identity provider alone owes none: the second step is the provider's, and what is set up here
    asks for a password.
    """
    if settings.second_factor_required == "nobody" or settings.oidc_only == "on":
        return False
    is_meant = (
        settings.second_factor_required == "all"
        or user.is_admin
        or users.administers_any(connection, user.id)
    )
    if not is_meant or second_factors.is_on(connection, user.id):
        return False
    return users.has_password(connection, user.id)
