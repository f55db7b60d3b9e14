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
from z4j_brain.redaction.rules import ProjectRules, RuleFault, build, check_speed
from z4j_brain.store import redaction_rules
from z4j_core.redaction import Counts

MAX_PREVIEW = 16_384
PATIENCE_S = 5.0
_previews = asyncio.Semaphore(2)


class RedactionView(msgspec.Struct, frozen=True):
    """The rules of a project, and who changed them last."""

    rules: ProjectRules
    changed_at: Timestamp | None
    changed_by: str | None


class Preview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text, and the rules to try on it; without rules those of the project."""

    text: Annotated[str, Meta(max_length=MAX_PREVIEW)]
    rules: ProjectRules | None = None


class Previewed(msgspec.Struct, frozen=True):
    """The text as it would be stored, and how often which rule took something out."""

    text: str
    redactions: dict[str, int]


@route("GET", "/projects/{project}/redaction", permission="project.manage")
async def read_redaction(call: ProjectCall) -> RedactionView:
    """Read the project's own rules of redaction."""
    return await _read(call)


async def _read(call: ProjectCall) -> RedactionView:
    row = await call.brain.database.run(redaction_rules.find, call.project.id)
    if row is None:
        return RedactionView(ProjectRules(), None, None)
    rules = msgspec.json.decode(row.rules, type=ProjectRules)
    return RedactionView(rules, rfc3339(row.changed_at), row.changed_by)


@route("PUT", "/projects/{project}/redaction", permission="project.manage")
async def replace_redaction(call: ProjectCall, body: ProjectRules) -> RedactionView:
    """Replace the project's own rules of redaction; what is stored already stays as it is."""
    await _on_a_thread(body, "")
    await call.brain.database.run(_replace, call, body, write=True)
    await call.brain.cleaners.refresh()
    return await _read(call)


@route("POST", "/projects/{project}/redaction/preview", permission="project.manage")
async def preview_redaction(call: ProjectCall, body: Preview) -> Previewed:
    """Redact a text without storing it, by the given rules or those of the project."""
    rules = (await _read(call)).rules if body.rules is None else body.rules
    return await _on_a_thread(rules, body.text, "/rules")


async def _on_a_thread(rules: ProjectRules, text: str, pointer: str = "") -> Previewed:
    """Check rules and try them. RE2 cannot be stopped, but ends: two at a time."""
    try:
        async with asyncio.timeout(PATIENCE_S), _previews:
            return await asyncio.to_thread(_try, rules, text)
    except RuleFault as fault:
        raise problems.invalid_input(f"{pointer}{fault.pointer}", fault.detail) from None
    except TimeoutError:
        raise Problem(
            503,
            "redaction-too-slow",
            "Checking these rules takes too long now. Use simpler patterns, or try again.",
            headers={"Retry-After": "5"},
        ) from None


def _try(rules: ProjectRules, text: str) -> Previewed:
    counts = Counts()
    cleaner = build(rules, counts=counts)
    check_speed(rules)
    return Previewed(cleaner.events.text(text), counts.snapshot())


def _replace(connection: Connection, call: ProjectCall, body: ProjectRules) -> None:
    redaction_rules.replace(
        connection,
        call.project.id,
        msgspec.json.encode(body).decode(),
        user_id=call.user.id,
        now=now(),
    )
    project = Target("project", str(call.project.id), call.project.slug)
    after = msgspec.to_builtins(body)
    record(
        connection,
        call.author,
        "redaction.replaced",
        project,
        project_id=call.project.id,
        after=after,
    )
