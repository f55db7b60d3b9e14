"""What a server needs to start."""

from __future__ import annotations

from collections.abc import Generator

from z4j_brain.cli._doctor.database import look_at_database
from z4j_brain.cli._doctor.finding import Finding, Level, bad, good
from z4j_brain.cli._doctor.provider import look_at_provider
from z4j_brain.cli._doctor.secrets import look_at_secrets
from z4j_brain.settings import Settings
from z4j_brain.web.dashboard import STATIC


def look_at_start(settings: Settings) -> Generator[Finding, None, bool]:
    """Look at secrets, provider, database, tables, dashboard's files; the settings were read.

    Returns whether the record can be read.
    """
    yield good("the settings can be read")
    yield from look_at_secrets(settings)
    yield from look_at_provider(settings)
    of_database = list(look_at_database(settings))
    yield from of_database
    if (STATIC / "index.html").is_file():
        yield good("dashboard: built")
    else:
        yield bad("dashboard: this build holds none; install the released package.")
    return all(finding.level is Level.GOOD for finding in of_database)
