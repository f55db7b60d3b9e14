"""`/projects/{project}/issues`: the list, one issue, and what people decide."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.issue_views import (
    IssueDetail,
    IssueState,
    IssueSummary,
    issue_detail,
    issue_summary,
)
from z4j_brain.api.route import route
from z4j_brain.api.times import now
from z4j_brain.audit.author import Target
from z4j_brain.audit.recording import record
from z4j_brain.issues.reading import list_issues, read_issue
from z4j_brain.live.changes import Changes
from z4j_brain.store import feeds, issue_decisions
from z4j_brain.store.issues import Choice, Sort
from z4j_core.events import MAX_NAME, Micros

MAX_TEXT = 200
MAX_ID = 64
_YEAR_S = 366 * 86_400
_SORTS: dict[str, Sort] = {
    "-last_seen": "last_seen",
    "-first_seen": "first_seen",
    "-count": "count",
}


class IssueListQuery(msgspec.Struct, frozen=True):
    """`q` is a part of type, place, message or task name; `name` and `queue` are of the newest
    failure, letter by letter.
    """

    state: Literal["open", "resolved", "muted", "all"] = "open"
    q: Annotated[str, Meta(max_length=MAX_TEXT)] = ""
    name: Annotated[str, Meta(max_length=MAX_NAME)] | None = None
    queue: Annotated[str, Meta(max_length=MAX_NAME)] | None = None
    sort: Literal["-last_seen", "-first_seen", "-count"] = "-last_seen"
    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class IssueCounts(msgspec.Struct, frozen=True):
    """How many issues there are of each state."""

    open: int
    resolved: int
    muted: int


class IssueList(msgspec.Struct, frozen=True):
    """A page of issues; `counts` are those of all states for the same text, name and queue."""

    items: list[IssueSummary]
    next: str | None
    count: int
    count_capped: bool
    counts: IssueCounts
    offset: int


class NewDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Resolve, mute or open again. A mute ends after `for_s` seconds, or when `more` failures came,
    whichever is first; with neither it is for good.
    """

    decision: IssueState
    for_s: Annotated[int, Meta(ge=60, le=_YEAR_S)] | None = None
    more: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None


class _ListPosition(msgspec.Struct, frozen=True, array_like=True):
    value: Micros
    id: Annotated[str, Meta(max_length=MAX_ID, pattern=r"^[0-9a-z]+$")]


@route("GET", "/projects/{project}/issues", permission="issue.read")
async def read_issues(call: ProjectCall, query: IssueListQuery) -> IssueList:
    """List the issues of a project."""
    choice = Choice(
        state=None if query.state == "all" else query.state,
        text=query.q.strip(),
        name=query.name,
        queue=query.queue,
    )
    scope = f"issues|{call.project.id}|{query.sort}|{choice!r}"
    position = decode_cursor(scope, query.cursor, _ListPosition) if query.cursor else None
    page = await call.brain.database.run(
        partial(
            list_issues,
            project_id=call.project.id,
            choice=choice,
            now=now(),
            sort=_SORTS[query.sort],
            after=(position.value, position.id) if position else None,
            limit=query.limit,
        )
    )
    counts = IssueCounts(
        **{name: page.counts.get(name, 0) for name in ("open", "resolved", "muted")}
    )
    total = page.counts.values() if choice.state is None else [page.counts.get(choice.state, 0)]
    return IssueList(
        items=[issue_summary(one) for one in page.items],
        next=None if page.next is None else encode_cursor(scope, _ListPosition(*page.next)),
        count=sum(total),
        count_capped=False,
        counts=counts,
        offset=page.offset,
    )


@route("GET", "/projects/{project}/issues/{id}", permission="issue.read")
async def read_one_issue(call: ProjectCall, id: str) -> IssueDetail:
    """Read one issue."""
    return await _read(call, id)


@route("POST", "/projects/{project}/issues/{id}/decisions", permission="issue.decide", status=201)
async def decide_issue(call: ProjectCall, id: str, body: NewDecision) -> IssueDetail:
    """Resolve an issue, mute it, or open it again."""
    _refuse_impossible(id)
    if body.decision != "muted" and (body.for_s is not None or body.more is not None):
        raise problems.invalid_input("/decision", "Only a mute can end by time or by count.")
    offset = await call.brain.database.run(_decide, call, id, body, write=True)
    if offset is None:
        raise problems.not_found("issue")
    call.brain.hub.publish(call.project.id, offset, Changes(issues=[id]))
    return await _read(call, id)


async def _read(call: ProjectCall, id: str) -> IssueDetail:
    _refuse_impossible(id)
    found = await call.brain.database.run(read_issue, call.project.id, id, now())
    if found is None:
        raise problems.not_found("issue")
    return issue_detail(found)


def _decide(connection: Connection, call: ProjectCall, id: str, body: NewDecision) -> int | None:
    at = now()
    former = issue_decisions.present(connection, call.project.id, id)
    if former is None:
        return None
    issue_decisions.decide(
        connection,
        call.project.id,
        id,
        user_id=call.user.id,
        decision=body.decision,
        now=at,
        muted_until=None if body.for_s is None else at + body.for_s * 1_000_000,
        more=body.more,
    )
    record(
        connection,
        call.author,
        "issue.decided",
        Target("issue", id, former[0]),
        project_id=call.project.id,
        before={"decision": former[1]},
        after=msgspec.to_builtins(body),
        now=at,
    )
    return feeds.advance(connection, call.project.id)


def _refuse_impossible(id: str) -> None:
    """No database is asked for a text that it could not hold."""
    if "\0" in id or len(id) > MAX_ID:
        raise problems.not_found("issue")
