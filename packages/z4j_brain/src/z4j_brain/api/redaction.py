"""`/projects/{project}/redaction`: what a project hides by rules of its own, and a preview."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.problems import Problem
from z4j_brain.api.route import route
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.audit.author import Target
from z4j_brain.audit.recording import record
from z4j_brain.redaction.cleaner import BUILT_IN
from z4j_brain.redaction.rules import (
    MAX_PROBE_MS,
    ProjectRules,
    RuleFault,
    build,
    check_speed,
)
from z4j_brain.redaction.stored import Opened, open_rules
from z4j_brain.store import redaction_rules
from z4j_core.redaction import KEY_RULE, RULES, Counts

MAX_PREVIEW = 16_384
PATIENCE_S = 5.0
_previews = asyncio.Semaphore(2)


class BuiltInRule(msgspec.Struct, frozen=True):
    """A rule that is always in force, and what it hides."""

    name: str
    what: str


class RedactionView(msgspec.Struct, frozen=True):
    """The rules of a project, who changed them last, and what comes beside them.

    With a `fault` the stored rules cannot be used, and all free text is hidden until they are
    replaced. `counts` says how often which rule took something out, on the replica that answers,
    since `counted_since`. `emails_everywhere` says that addresses are hidden in every project.
    """

    rules: ProjectRules
    changed_at: Timestamp | None
    changed_by: str | None
    fault: str | None
    built_in: list[BuiltInRule]
    emails_everywhere: bool
    counts: dict[str, int]
    counted_since: Timestamp


class Preview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text, and the rules to try on it; without rules those of the project."""

    text: Annotated[str, Meta(max_length=MAX_PREVIEW)]
    rules: ProjectRules | None = None


class Previewed(msgspec.Struct, frozen=True):
    """The text as it would be stored, and how often which rule took something out.

    `milliseconds` says what each pattern costs for a text of 16 KiB at worst; more than
    `most_milliseconds` is refused.
    """

    text: str
    redactions: dict[str, int]
    milliseconds: dict[str, float]
    most_milliseconds: float


_BUILT_IN = [
    BuiltInRule(KEY_RULE, "values under a key that names a secret, such as password or api_key"),
    *(BuiltInRule(one.name, one.what) for one in RULES),
]


@route("GET", "/projects/{project}/redaction", permission="project.manage")
async def read_redaction(call: ProjectCall) -> RedactionView:
    """Read the project's own rules of redaction."""
    return await _read(call)


async def _read(call: ProjectCall) -> RedactionView:
    row = await call.brain.database.run(redaction_rules.find, call.project.id)
    opened = Opened(BUILT_IN, ProjectRules()) if row is None else open_rules(row.rules)
    cleaners = call.brain.cleaners
    return RedactionView(
        rules=opened.rules,
        changed_at=None if row is None else rfc3339(row.changed_at),
        changed_by=None if row is None else row.changed_by,
        fault=opened.fault,
        built_in=_BUILT_IN,
        emails_everywhere=call.brain.settings.redact_emails == "on",
        counts=cleaners.counts(call.project.id),
        counted_since=rfc3339(cleaners.counted_since),
    )


@route("PUT", "/projects/{project}/redaction", permission="project.manage")
async def replace_redaction(call: ProjectCall, body: ProjectRules) -> RedactionView:
    """Replace the project's own rules of redaction; what is stored already stays as it is."""
    await _on_a_thread(call, body, "")
    await call.brain.database.run(_replace, call, body, write=True)
    await call.brain.cleaners.refresh()
    return await _read(call)


@route("POST", "/projects/{project}/redaction/preview", permission="project.manage")
async def preview_redaction(call: ProjectCall, body: Preview) -> Previewed:
    """Redact a text without storing it, by the given rules or those of the project."""
    rules = (await _read(call)).rules if body.rules is None else body.rules
    return await _on_a_thread(call, rules, body.text, "/rules")


async def _on_a_thread(
    call: ProjectCall, rules: ProjectRules, text: str, pointer: str = ""
) -> Previewed:
    """Check rules and try them. RE2 cannot be stopped, but ends: two at a time."""
    emails = call.brain.settings.redact_emails == "on"
    try:
        async with asyncio.timeout(PATIENCE_S), _previews:
            return await asyncio.to_thread(_try, rules, text, emails=emails)
    except RuleFault as fault:
        raise problems.invalid_input(f"{pointer}{fault.pointer}", fault.detail) from None
    except TimeoutError:
        raise Problem(
            503,
            "redaction-too-slow",
            "Checking these rules takes too long now. Use simpler patterns, or try again.",
            headers={"Retry-After": "5"},
        ) from None


def _try(rules: ProjectRules, text: str, *, emails: bool) -> Previewed:
    counts = Counts()
    cleaner = build(rules, emails=emails, counts=counts)
    needed = check_speed(rules)
    shown = cleaner.events.text(text)
    return Previewed(shown, counts.snapshot(), needed, MAX_PROBE_MS)


def _replace(connection: Connection, call: ProjectCall, body: ProjectRules) -> None:
    former = redaction_rules.replace(
        connection,
        call.project.id,
        msgspec.json.encode(body).decode(),
        user_id=call.user.id,
        now=now(),
    )
    project = Target("project", str(call.project.id), call.project.slug)
    record(
        connection,
        call.author,
        "redaction.replaced",
        project,
        project_id=call.project.id,
        before=None if former is None else msgspec.to_builtins(open_rules(former).rules),
        after=msgspec.to_builtins(body),
    )
