"""From the rules as they are stored to redactors; closed when they cannot be used."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.redaction.cleaner import BUILT_IN, Cleaner
from z4j_brain.redaction.closed import Closed
from z4j_brain.redaction.rules import ProjectCounts, ProjectRules, RuleFault, build
from z4j_brain.store import redaction_rules

_MOST_KEPT = 256
_read = msgspec.json.Decoder(ProjectRules).decode
_kept: dict[str, Cleaner] = {}
"""By the text of the rules."""


class Opened(msgspec.Struct, frozen=True):
    """What stored rules became; with a `fault` the cleaner hides all free text."""

    cleaner: Cleaner
    rules: ProjectRules
    fault: str | None = None


def open_rules(text: str, *, emails: bool = False, counts: ProjectCounts | None = None) -> Opened:
    """Return the redactors of stored rules. Never raises for what the text is.

    The rules were checked when they were stored; another version of RE2, or somebody at the
    database, may have made them unusable since.
    """
    chosen = ProjectCounts() if counts is None else counts
    try:
        rules = _read(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return Opened(Closed(chosen), ProjectRules(), "They cannot be read.")
    try:
        return Opened(build(rules, emails=emails, counts=chosen), rules)
    except RuleFault as fault:
        return Opened(Closed(chosen), rules, f"{fault.pointer}: {fault.detail}")


def cleaner_of(connection: Connection, project_id: UUID | None) -> Cleaner:
    """Return the redactors that a project's rules of this very transaction ask for.

    For what is written rarely: it asks the database each time. Thread-safe.
    """
    text = None if project_id is None else redaction_rules.text_of(connection, project_id)
    if text is None:
        return BUILT_IN
    known = _kept.get(text)
    if known is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        known = _kept[text] = open_rules(text).cleaner
    return known
