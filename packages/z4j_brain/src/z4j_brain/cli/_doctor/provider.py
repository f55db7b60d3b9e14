"""The settings of the identity provider; what it says itself is not asked."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from z4j_brain.auth.oidc import config
from z4j_brain.cli._doctor.finding import Finding, bad, good
from z4j_brain.settings import Settings, SettingsError
from z4j_brain.store import projects


def look_at_provider(settings: Settings) -> Iterator[Finding]:
    """Read the settings together, as the server does when it starts."""
    try:
        found = config.read(settings)
    except SettingsError as error:
        yield bad(f"identity provider: {error}")
        return
    if found is not None:
        yield good(f"identity provider: {found.issuer}")


def look_at_groups(connection: Connection, settings: Settings) -> Iterator[Finding]:
    """Find projects of the groups that there are not."""
    try:
        found = config.read(settings)
    except SettingsError:
        return  # said already
    for slug in found.roles.projects if found else ():
        if projects.find_slug(connection, slug) is None:
            yield bad(f"Z4J_OIDC_ROLES names the project {slug}, which does not exist.")
