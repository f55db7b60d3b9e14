"""What the record itself shows: rules that cannot be used, administrators without a second step."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from z4j_brain.cli._doctor.finding import Finding, bad, look
from z4j_brain.redaction.stored import open_rules
from z4j_brain.store import redaction_rules, second_factors


def look_at_rules(connection: Connection) -> Iterator[Finding]:
    """Name the projects whose rules of redaction cannot be used."""
    for slug, text in redaction_rules.every(connection):
        fault = open_rules(text).fault
        if fault is not None:
            yield bad(
                f"redaction: the rules of {slug} cannot be used, so all its arguments, results,"
                f" messages and tracebacks are hidden. Store its rules again. {fault}"
            )


def look_at_administrators(connection: Connection) -> Iterator[Finding]:
    """Name the administrators who sign in by a password alone."""
    names = second_factors.administrators_without(connection)
    if names:
        shown = ", ".join(names[:10]) + (" and others" if len(names) > 10 else "")
        yield look(
            f"administrators without a second step: {shown}. Set up an authenticator app on the"
            " page Account."
        )
