"""From a request to a stored command: everything that one transaction decides."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.audit.author import Author
from z4j_brain.audit.command_ends import target_of
from z4j_brain.audit.recording import record
from z4j_brain.commands.catalogue import Catalogue, state_reason
from z4j_brain.commands.request import (
    CommandError,
    CommandRequest,
    Refusal,
    ShownParams,
    invalid,
)
from z4j_brain.commands.routing import choose_worker
from z4j_brain.commands.schema_check import check_fit
from z4j_brain.live.changes import Changes
from z4j_brain.store import actions, commands, feeds, schedules, sealed_payloads, tasks
from z4j_brain.store.actions import OnlineWorker
from z4j_brain.store.commands import CommandRow
from z4j_brain.store.schedule_election import StoreKey
from z4j_brain.store.schedules import ScheduleRecord
from z4j_brain.store.tasks import FullTaskRecord
from z4j_core.frames import ActionInfo, Command, TaskRef
from z4j_core.seal import EnvelopeError, unpack

DEADLINE_US = 60_000_000
"""How long a command waits for its result."""
_TARGETS = {
    "task": ("task_id",),
    "queue": ("queue",),
    "worker": ("worker_id",),
    "schedule": ("store", "schedule"),
    "scheduler": ("store",),
}
RETRY = "retry"
"""The one action that is given what is sealed."""


class Minted(msgspec.Struct, frozen=True):
    """A command that is stored now; `frame` goes to the worker in `row.sent_to`."""

    row: CommandRow
    frame: Command


class MintedBatch(msgspec.Struct, frozen=True):
    """The commands of one transaction, and what it changed; `changes` None is nothing."""

    project_id: UUID
    commands: list[Minted] = []
    offset: int = 0
    changes: Changes | None = None


class Minting(msgspec.Struct, frozen=True):
    """What commands need that are minted in one transaction: who can, who is linked, when."""

    catalogue: Catalogue
    linked: AbstractSet[UUID]
    now: int


def mint(
    connection: Connection,
    request: CommandRequest,
    shown: ShownParams,
    command_id: UUID,
    linked: AbstractSet[UUID],
    now: int,
) -> tuple[Minted, int]:
    """Check a request and store its command; return it and the feed's offset.

    Raises CommandError.
    """
    catalogue = Catalogue(actions.online_workers(connection, request.project_id))
    task = _find_task(connection, request)
    minting = Minting(catalogue, linked, now)
    minted = mint_on(connection, minting, request, shown, command_id, task)
    return minted, feeds.advance(connection, request.project_id)


def mint_on(
    connection: Connection,
    minting: Minting,
    request: CommandRequest,
    shown: ShownParams,
    command_id: UUID,
    task: FullTaskRecord | None,
) -> Minted:
    """Check a request on the task that it names and store its command. Raises CommandError, before
    anything is written. The caller advances the feed.

    The state is ``sent`` at once when the worker's link is here: what leaves this process is
    recorded before it leaves, so a crash never leaves a command that ran and says it did not.
    """
    catalogue, linked, now = minting.catalogue, minting.linked, minting.now
    ref = task_ref(connection, request.project_id, request.action, task)
    schedule = _find_schedule(connection, request)
    worker, info = choose_worker(
        catalogue,
        request.engine,
        request.action,
        named=request.worker,
        preferred=task.worker if task else _reader(connection, request),
        linked=linked,
        key_id=_key_id(ref),
        store=request.store,
    )
    if info.internal and request.user_id is not None:
        # Who may ask for it is not for an agent's announcement to say.
        raise CommandError(Refusal.CONFLICT, f"Only the server itself asks for “{info.name}”.")
    _check_target(request, info)
    if task is not None and (reason := state_reason(info, task.state)) is not None:
        raise CommandError(Refusal.CONFLICT, reason)
    if schedule is not None and (reason := _reason_against(schedule, info.name)) is not None:
        raise CommandError(Refusal.CONFLICT, reason)
    check_fit(request.params, info, worker)
    frame = make_frame(command_id, request, ref, now + DEADLINE_US)
    row = commands.add(
        connection, _row(request, shown, command_id, worker, now, is_linked=worker.id in linked)
    )
    if request.author is not None:
        name = task.name if task else schedule.name if schedule else None
        _tell(connection, request.author, row, name)
    return Minted(row, frame)


def _tell(
    connection: Connection,
    author: Author,
    row: CommandRow,
    name: str | None,
) -> None:
    """Write the audit row of a new command; `name` is that of its task or schedule."""
    after = {
        "command": str(row.id),
        "engine": row.engine,
        "worker": row.worker,
        "params": msgspec.json.decode(row.params),
    }
    record(
        connection,
        author,
        f"command.{row.action}",
        target_of(row, name),
        project_id=row.project_id,
        after=after,
        now=row.created_at,
    )


def make_frame(
    command_id: UUID, request: CommandRequest, task: TaskRef | None, deadline: int
) -> Command:
    """Return what the worker is sent."""
    return Command(
        id=str(command_id),
        engine=request.engine,
        action=request.action,
        params=request.params,
        task=task,
        queue=request.queue,
        deadline=deadline,
        schedule=request.schedule,
    )


def task_ref(
    connection: Connection, project_id: UUID, action: str, task: FullTaskRecord | None
) -> TaskRef | None:
    """Return what the record knows of a task, for an engine: for a retry, what is sealed too."""
    if task is None:
        return None
    sealed = None
    if action == RETRY and not task.exact:
        sealed = sealed_payloads.envelope(connection, project_id, task.engine, task.task_id)
    return TaskRef(
        task_id=task.task_id,
        name=task.name,
        queue=task.queue,
        state=task.state,
        attempt=task.attempt,
        args=task.args,
        kwargs=task.kwargs,
        exact=bool(task.exact),
        sealed=sealed,
    )


def _key_id(task: TaskRef | None) -> str | None:
    """Return which key opens what the worker is given."""
    if task is None or task.sealed is None:
        return None
    try:
        return unpack(task.sealed).key_id.hex()
    except EnvelopeError:  # not what was stored; an agent refuses it, with the reason
        return None


def _find_task(connection: Connection, request: CommandRequest) -> FullTaskRecord | None:
    if request.task_id is None:
        return None
    task = tasks.find(connection, request.project_id, request.engine, request.task_id)
    if task is None:
        raise invalid("/target/task_id", "There is no such task of this engine in the project.")
    return task


def _find_schedule(connection: Connection, request: CommandRequest) -> ScheduleRecord | None:
    if request.schedule is None or request.store is None:
        return None
    found = schedules.find_in_store(
        connection, request.project_id, request.engine, request.store, request.schedule
    )
    if found is None or found.gone_at is not None:
        raise invalid("/target/schedule", "There is no such schedule in this store now.")
    return found


def _reader(connection: Connection, request: CommandRequest) -> str | None:
    """Return the worker that reads the store: it tells at once what the action has changed."""
    if request.store is None:
        return None
    key = StoreKey(request.project_id, request.engine, request.store)
    return schedules.reader(connection, key)


def _reason_against(schedule: ScheduleRecord, action: str) -> str | None:
    absent = msgspec.json.decode(schedule.absent, type=dict[str, str])
    return absent.get(action)


def _check_target(request: CommandRequest, info: ActionInfo) -> None:
    wanted = _TARGETS.get(info.target, ())
    given = {
        "task_id": request.task_id,
        "queue": request.queue,
        "worker_id": request.worker,
        "schedule": request.schedule,
        "store": request.store,
    }
    for name in wanted:
        if given[name] is None:
            raise invalid(f"/target/{name}", f"“{info.name}” needs the target's {name}.")
    for name, value in given.items():
        if value is not None and name not in (*wanted, "worker_id"):
            raise invalid(f"/target/{name}", f"“{info.name}” acts on a {info.target}, not on this.")


def _row(
    request: CommandRequest,
    shown: ShownParams,
    command_id: UUID,
    worker: OnlineWorker,
    now: int,
    *,
    is_linked: bool,
) -> CommandRow:
    return CommandRow(
        id=command_id,
        project_id=request.project_id,
        idempotency_key=request.idempotency_key,
        engine=request.engine,
        action=request.action,
        task_id=request.task_id,
        queue=request.queue,
        schedule=request.schedule,
        store=request.store,
        target_worker=worker.id if request.worker is not None else None,
        params=shown.text,
        params_exact=shown.is_exact,
        state="sent" if is_linked else "pending",
        created_at=now,
        created_by=request.user_id,
        deadline=now + DEADLINE_US,
        sent_at=now if is_linked else None,
        sent_to=worker.id,
        ended_at=None,
        result=None,
        error=None,
        bulk_run=request.bulk_run,
    )
