"""What a server needs to start."""

from __future__ import annotations

from collections.abc import Iterator

from z4j_brain.cli._doctor.database import look_at_database
from z4j_brain.cli._doctor.finding import Finding, bad, good
from z4j_brain.cli._doctor.provider import look_at_provider
from z4j_brain.cli._doctor.secrets import look_at_secrets
from z4j_brain.settings import Settings
from z4j_brain.web.dashboard import STATIC


def look_at_start(settings: Settings) -> Iterator[Finding]:
    """Look at secrets, provider, database, tables, dashboard's files; the settings were read."""
    yield good("the settings can be read")
    yield from look_at_secrets(settings)
    yield from look_at_provider(settings)
    yield from look_at_database(settings)
    if (STATIC / "index.html").is_file():
        yield good("dashboard: built")
    else:
        yield bad("dashboard: this build holds none; install the released package.")
