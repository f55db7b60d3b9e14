"""The Redis that an action is for, over a connection of its own, and jobs in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rq.exceptions import NoSuchJobError
from rq.job import Job

from z4j_agent.facts import printed
from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_rq.clients import own_client
from z4j_rq.process import Known, Process


@contextmanager
def reach(process: Process, queue: str | None = None) -> Iterator[tuple[Any, Known]]:
    """Open a client for the Redis that has this queue."""
    known = _choose(list(process.known.values()), queue)
    with opened(known) as client:
        yield client, known


@contextmanager
def opened(known: Known) -> Iterator[Any]:
    """Open a client for a Redis; what it raises becomes a reason."""
    from redis.exceptions import RedisError

    try:
        with own_client(known.connection) as client:
            yield client
    except RedisError as error:
        raise ActionError(
            f"Redis did not carry it out ({type(error).__name__}: {printed(error)}). "
            "Look what became of it, check the connection and the permissions, then try again."
        ) from error


def fetch(client: Any, known: Known, task: TaskRef) -> Any:
    """Return the job, or None if Redis has none."""
    try:
        return Job.fetch(
            task.task_id, connection=client, serializer=known.serializer_of(task.queue)
        )
    except NoSuchJobError:
        return None


def existing(client: Any, known: Known, task: TaskRef) -> Any:
    """Return the job; refuse if Redis has none."""
    job = fetch(client, known, task)
    if job is None:
        raise ActionError(
            "RQ no longer has this job: it was deleted, or its result expired. "
            "A retry publishes a new one."
        )
    return job


def _choose(known: list[Known], queue: str | None) -> Known:
    if not known:
        raise ActionError("This process has not used RQ yet: it knows no Redis of it.")
    if len(known) == 1:
        return known[0]
    fitting = [one for one in known if queue in one.queues]
    if len(fitting) == 1:
        return fitting[0]
    problem = "none of them" if not fitting else "more than one of them"
    raise ActionError(
        f"This process uses {len(known)} Redis databases and {problem} has the queue {queue!r}; "
        "send the command to a worker of the right one."
    )
