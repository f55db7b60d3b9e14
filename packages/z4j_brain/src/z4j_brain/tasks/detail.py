"""One task in full."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection

from z4j_brain.commands.catalogue import Catalogue
from z4j_brain.store import actions, events, feeds, sealed_payloads, task_probes, tasks
from z4j_brain.store.tasks import FullTaskRecord
from z4j_brain.tasks.attempts import Attempt, attempts_of
from z4j_brain.tasks.exact_retry import ExactRetry, exact_retry

MAX_EVENTS = 1_000


class TaskAction(msgspec.Struct, frozen=True):
    """Whether an action may be asked for, on this task and now; else the reason."""

    name: str
    allowed: bool
    reason: str | None


class TaskInFull(msgspec.Struct, frozen=True):
    """A task with what its events, its retries and the online workers tell of it.

    `alive_at` is when a worker last said, being asked, that it holds the task.
    """

    task: FullTaskRecord
    attempts: list[Attempt]
    retried_as: list[str]
    actions: list[TaskAction]
    alive_at: int | None
    exact_retry: ExactRetry
    offset: int


def read_task(
    connection: Connection,
    project_id: uuid.UUID,
    engine: str,
    task_id: str,
    permissions: frozenset[str],
) -> TaskInFull | None:
    """Return the task as somebody with these permissions sees it, or None."""
    offset = feeds.position(connection, project_id)
    task = tasks.find(connection, project_id, engine, task_id)
    if task is None:
        return None
    online = actions.online_workers(connection, project_id)
    catalogue = Catalogue(online)
    told = events.newest(connection, project_id, engine, task_id, MAX_EVENTS)
    seal = sealed_payloads.find(connection, project_id, engine, task_id)
    return TaskInFull(
        task=task,
        attempts=attempts_of(told),
        retried_as=tasks.retried_as(connection, project_id, engine, task_id),
        actions=actions_on(catalogue, task, permissions),
        alive_at=task_probes.alive_at(connection, project_id, engine, task_id),
        exact_retry=exact_retry(task, seal, told, online),
        offset=offset,
    )


def actions_on(
    catalogue: Catalogue, task: FullTaskRecord, permissions: frozenset[str]
) -> list[TaskAction]:
    """Return every task action of the task's engine that some online worker knows of."""
    reasons = {
        offer.info.name: offer.reason_against(task.state, permissions)
        for offer in catalogue.offered()
        if offer.engine == task.engine and offer.info.target == "task"
    }
    absences = [one for one in catalogue.absent() if one.engine == task.engine]
    return [
        *(TaskAction(name, reason is None, reason) for name, reason in reasons.items()),
        *(TaskAction(one.name, False, one.reason) for one in absences),
    ]
