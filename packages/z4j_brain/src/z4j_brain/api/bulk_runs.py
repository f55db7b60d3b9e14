"""`/projects/{project}/bulk-runs`: an action on all tasks that a filter meets."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.bulk_forms import BulkQuestion, BulkStep, NewBulkRun
from z4j_brain.api.bulk_views import (
    BulkEstimateView,
    BulkMemberView,
    BulkRunView,
    MemberState,
    estimate_view,
    member_view,
    run_view,
)
from z4j_brain.api.commands import PERMISSIONS, command_problem, read_idempotency_key
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.filter_text import read_filter, refusing_slow_filters
from z4j_brain.api.route import route
from z4j_brain.commands.bulk_request import BulkOptions, BulkRequest, Step
from z4j_brain.commands.catalogue import permission_of
from z4j_brain.commands.request import CommandError
from z4j_brain.store import bulk_members, bulk_runs, feeds
from z4j_brain.store.bulk_runs import COUNT_LIMIT, BulkRun, Position
from z4j_core.events import Micros


class BulkRunQuery(msgspec.Struct, frozen=True):
    """Which page."""

    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class BulkMemberQuery(msgspec.Struct, frozen=True):
    """Which page; `state` keeps the tasks that are there."""

    state: MemberState | None = None
    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class BulkRunList(msgspec.Struct, frozen=True):
    """A page of runs, the newest first."""

    items: list[BulkRunView]
    next: str | None
    count: int
    count_capped: bool
    offset: int


class BulkMemberList(msgspec.Struct, frozen=True):
    """A page of a run's tasks, in the order of their turn; the oldest task is the first."""

    items: list[BulkMemberView]
    next: str | None
    offset: int


class _RunPosition(msgspec.Struct, frozen=True, array_like=True):
    created_at: Micros
    id: uuid.UUID


class _MemberPosition(msgspec.Struct, frozen=True, array_like=True):
    number: Annotated[int, Meta(ge=0, lt=1 << 31)]


@route("POST", "/projects/{project}/bulk-runs/estimate", permission="bulk.read")
async def estimate_bulk_run(call: ProjectCall, body: BulkQuestion) -> BulkEstimateView:
    """Tell what a bulk run would act on now; changes nothing."""
    filter = read_filter(body.filter, "/filter")
    try:
        with refusing_slow_filters("/filter"):
            found = await call.brain.bulk_runs.estimate(
                call.project.id, body.engine, body.action, filter
            )
    except CommandError as error:
        raise command_problem(error) from None
    return estimate_view(found, body.rate)


@route(
    "POST",
    "/projects/{project}/bulk-runs",
    permission="bulk.run",
    further=PERMISSIONS,
    status=202,
    max_body=300_000,
)
async def create_bulk_run(call: ProjectCall, body: NewBulkRun) -> BulkRunView:
    """Act on all tasks that a filter meets now. Takes an Idempotency-Key."""
    call.require(permission_of(body.action))
    read_filter(body.filter, "/filter")
    request = BulkRequest(
        project_id=call.project.id,
        user_id=call.user.id,
        key_id=None if call.key is None else call.key.id,
        author=call.author,
        engine=body.engine,
        action=body.action,
        params=bytes(body.params),
        filter=body.filter.strip(),
        options=BulkOptions(
            rate=body.rate,
            skip_retried=body.skip_retried,
            canary_percent=body.canary.percent,
            canary_max_failed_percent=body.canary.max_failed_percent,
            canary_then=body.canary.then,
            canary_patience_s=body.canary.patience_s,
        ),
        idempotency_key=read_idempotency_key(call),
    )
    try:
        with refusing_slow_filters("/filter"):
            return run_view(await call.brain.bulk_runs.create(request))
    except CommandError as error:
        raise command_problem(error) from None


@route(
    "POST",
    "/projects/{project}/bulk-runs/{id}/steps",
    permission="bulk.run",
    further=PERMISSIONS,
)
async def take_bulk_step(call: ProjectCall, id: uuid.UUID, body: BulkStep) -> BulkRunView:
    """Pause, resume, approve or abort a run; needs the permission of its action, too."""
    call.require(permission_of((await _run(call, id)).action))
    try:
        run = await call.brain.bulk_runs.take(call.project.id, id, Step(body.step), call.author)
    except CommandError as error:
        raise command_problem(error) from None
    if run is None:
        raise problems.not_found("bulk run")
    return run_view(run)


@route("GET", "/projects/{project}/bulk-runs", permission="bulk.read")
async def read_bulk_runs(call: ProjectCall, query: BulkRunQuery) -> BulkRunList:
    """List bulk runs, the newest first."""
    scope = f"bulk|{call.project.id}"
    before: Position | None = None
    if query.cursor:
        position = decode_cursor(scope, query.cursor, _RunPosition)
        before = (position.created_at, position.id)
    found, count, offset = await call.brain.database.run(
        _read_runs, call.project.id, before, query.limit
    )
    last = found[query.limit - 1] if len(found) > query.limit else None
    following = None if last is None else _RunPosition(last.created_at, last.id)
    return BulkRunList(
        items=[run_view(run) for run in found[: query.limit]],
        next=None if following is None else encode_cursor(scope, following),
        count=min(count, COUNT_LIMIT),
        count_capped=count > COUNT_LIMIT,
        offset=offset,
    )


@route("GET", "/projects/{project}/bulk-runs/{id}", permission="bulk.read")
async def read_bulk_run(call: ProjectCall, id: uuid.UUID) -> BulkRunView:
    """Read one bulk run."""
    return run_view(await _run(call, id))


@route("GET", "/projects/{project}/bulk-runs/{id}/members", permission="bulk.read")
async def read_bulk_members(
    call: ProjectCall, id: uuid.UUID, query: BulkMemberQuery
) -> BulkMemberList:
    """List the tasks of a bulk run with their results, in the order of their turn."""
    scope = f"bulk|{id}|{query.state}"
    after = 0
    if query.cursor:
        after = decode_cursor(scope, query.cursor, _MemberPosition).number
    run = await _run(call, id)
    found, offset = await call.brain.database.run(
        _read_members, run, query.state, after, query.limit
    )
    following = _MemberPosition(found[query.limit - 1].number) if found[query.limit :] else None
    return BulkMemberList(
        items=[member_view(one) for one in found[: query.limit]],
        next=None if following is None else encode_cursor(scope, following),
        offset=offset,
    )


async def _run(call: ProjectCall, id: uuid.UUID) -> BulkRun:
    run = await call.brain.database.run(bulk_runs.find, call.project.id, id)
    if run is None:
        raise problems.not_found("bulk run")
    return run


def _read_runs(
    connection: Connection, project_id: uuid.UUID, before: Position | None, limit: int
) -> tuple[list[BulkRun], int, int]:
    offset = feeds.position(connection, project_id)
    found = bulk_runs.page(connection, project_id, before, limit + 1)
    return found, bulk_runs.count(connection, project_id), offset


def _read_members(
    connection: Connection, run: BulkRun, state: str | None, after: int, limit: int
) -> tuple[list[bulk_members.Member], int]:
    offset = feeds.position(connection, run.project_id)
    return bulk_members.page(connection, run, state, after, limit + 1), offset
