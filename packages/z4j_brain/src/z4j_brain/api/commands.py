"""`/projects/{project}/commands`."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from z4j_brain.api import problems
from z4j_brain.api.command_views import CommandTarget, CommandView, command_view
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.cursor import MAX_CURSOR, decode_cursor, encode_cursor
from z4j_brain.api.problems import FieldError, Problem
from z4j_brain.api.route import route
from z4j_brain.commands.catalogue import permission_of
from z4j_brain.commands.request import CommandError, CommandRequest, Refusal
from z4j_brain.store import commands, feeds
from z4j_brain.store.commands import COUNT_LIMIT, CommandRow, Position
from z4j_core.events import MAX_NAME, MAX_TASK_ID, EngineName, Micros

PERMISSIONS = (
    "command.retry",
    "command.retry_edited",
    "command.cancel",
    "command.terminate",
    "command.purge",
    "command.schedule",
    "command.custom",
)
MAX_KEY = 128
_BUSY_RETRY_S = 60


class NewCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One action to carry out; `params` must fit the action's schema (`GET …/actions`)."""

    action: Annotated[str, Meta(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
    engine: EngineName
    params: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))
    target: CommandTarget = CommandTarget()


class CommandQuery(msgspec.Struct, frozen=True):
    """Which page; `task_id` keeps the commands on tasks of that id."""

    task_id: Annotated[str, Meta(max_length=MAX_TASK_ID)] | None = None
    cursor: Annotated[str, Meta(max_length=MAX_CURSOR)] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class CommandList(msgspec.Struct, frozen=True):
    """A page of commands, the newest first."""

    items: list[CommandView]
    next: str | None
    count: int
    count_capped: bool
    offset: int


class _ListPosition(msgspec.Struct, frozen=True, array_like=True):
    created_at: Micros
    id: uuid.UUID


@route(
    "POST",
    "/projects/{project}/commands",
    permission="project.read",
    further=PERMISSIONS,
    status=202,
    max_body=300_000,
)
async def create_command(call: ProjectCall, body: NewCommand) -> CommandView:
    """Ask for an action; the permission is that of the action. Takes an Idempotency-Key."""
    target = body.target
    call.require(permission_of(body.action, of_scheduler=target.store is not None))
    _check_length("/target/task_id", target.task_id, MAX_TASK_ID)
    _check_length("/target/queue", target.queue, MAX_NAME)
    _check_length("/target/worker_id", target.worker_id, MAX_NAME)
    _check_length("/target/schedule", target.schedule, MAX_NAME)
    _check_length("/target/store", target.store, 16)
    request = CommandRequest(
        project_id=call.project.id,
        user_id=call.user.id,
        author=call.author,
        engine=body.engine,
        action=body.action,
        params=bytes(body.params),
        task_id=target.task_id,
        queue=target.queue,
        schedule=target.schedule,
        store=target.store,
        worker=target.worker_id,
        idempotency_key=read_idempotency_key(call),
    )
    try:
        return command_view(await call.brain.commands.create(request))
    except CommandError as error:
        raise command_problem(error) from None


@route("GET", "/projects/{project}/commands", permission="command.read")
async def read_commands(call: ProjectCall, query: CommandQuery) -> CommandList:
    """List commands, the newest first."""
    if query.task_id is not None:
        _check_length("?task_id", query.task_id, MAX_TASK_ID)
    scope = f"commands|{call.project.id}|{query.task_id}"
    before: Position | None = None
    if query.cursor:
        position = decode_cursor(scope, query.cursor, _ListPosition)
        before = (position.created_at, position.id)
    found, count, offset = await call.brain.database.run(
        _read_page, call.project.id, query.task_id, before, query.limit
    )
    last = found[query.limit - 1] if len(found) > query.limit else None
    following = None if last is None else _ListPosition(last.created_at, last.id)
    return CommandList(
        items=[command_view(row) for row in found[: query.limit]],
        next=None if following is None else encode_cursor(scope, following),
        count=min(count, COUNT_LIMIT),
        count_capped=count > COUNT_LIMIT,
        offset=offset,
    )


@route("GET", "/projects/{project}/commands/{id}", permission="command.read")
async def read_command(call: ProjectCall, id: uuid.UUID) -> CommandView:
    """Read one command."""
    row = await call.brain.database.run(commands.find, call.project.id, id)
    if row is None:
        raise problems.not_found("command")
    return command_view(row)


def _read_page(
    connection: Connection,
    project_id: uuid.UUID,
    task_id: str | None,
    before: Position | None,
    limit: int,
) -> tuple[list[CommandRow], int, int]:
    offset = feeds.position(connection, project_id)
    found = commands.page(connection, project_id, task_id=task_id, before=before, limit=limit + 1)
    return found, commands.count(connection, project_id, task_id), offset


def read_idempotency_key(call: ProjectCall) -> str | None:
    """Return the key of a request that may be repeated; a problem if it is none."""
    key = call.request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        raise problems.invalid_input(
            "Idempotency-Key", f"Give 1 to {MAX_KEY} printable ASCII characters, such as a UUID."
        )
    return key


def _check_length(pointer: str, value: str | None, limit: int) -> None:
    if value is not None and (not 1 <= len(value) <= limit or "\0" in value):
        raise problems.invalid_input(pointer, f"Give 1 to {limit} characters.")


def command_problem(error: CommandError) -> Problem:
    """Return what a request for an action is answered with when it is turned down."""
    if error.refusal is Refusal.CONFLICT:
        return problems.conflict(error.detail)
    if error.refusal is Refusal.BUSY:
        return problems.too_many_requests(_BUSY_RETRY_S)
    faults = [FieldError(fault.pointer, fault.detail) for fault in error.faults]
    return Problem(422, "invalid-input", error.detail, errors=faults)
