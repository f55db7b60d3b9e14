"""What became of jobs that seem stuck: asked of this worker and of Redis. Nothing is guessed."""

from __future__ import annotations

from typing import Any

from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.worker import Worker

from z4j_agent.facts import now_us, text_of
from z4j_core.capability import ActionError
from z4j_core.events import TaskEvent
from z4j_core.plugins import ProbedTask, ProbeResult, Verdict
from z4j_rq.cancelled import WAITING
from z4j_rq.clients import own_client
from z4j_rq.facts import state_of
from z4j_rq.guard import logger
from z4j_rq.process import Known, Process
from z4j_rq.run import Runs
from z4j_rq.stamp import runs_of
from z4j_rq.stored import end_of


def probe(process: Process, runs: Runs, tasks: list[ProbedTask]) -> ProbeResult:
    """Return a verdict for each task, after its end was emitted if it has one."""
    if not process.known:
        raise ActionError("This process has not used RQ yet: it knows no Redis of it.")
    verdicts: dict[str, Verdict] = {}
    own = runs.current
    if own is not None:
        verdicts[own] = Verdict.ALIVE
    is_sure = True
    for known in list(process.known.values()):
        is_sure = _ask(process, known, tasks, verdicts) and is_sure
    rest = Verdict.UNKNOWN if is_sure else Verdict.UNANSWERED
    asked = (
        "RQ's records in Redis"
        if process.worker is None
        else (f"the worker {process.worker.name} itself and RQ's records in Redis")
    )
    return ProbeResult([verdicts.get(task.task_id, rest) for task in tasks], asked)


def _ask(
    process: Process, known: Known, tasks: list[ProbedTask], verdicts: dict[str, Verdict]
) -> bool:
    """Ask one Redis for what is not known yet; return whether it answered."""
    from redis.exceptions import RedisError

    try:
        with own_client(known.connection) as client:
            for task in tasks:
                if task.task_id not in verdicts:
                    verdict = _judge(process, client, known, task)
                    if verdict is not None:
                        verdicts[task.task_id] = verdict
    except (RedisError, OSError) as error:
        logger.info("RQ's Redis does not answer: %r", error)
        return False
    return True


def _judge(process: Process, client: Any, known: Known, task: ProbedTask) -> Verdict | None:
    job = _fetch(client, known, task.task_id)
    if job is None:
        return None
    state = state_of(job)
    if state in WAITING:
        return Verdict.ALIVE
    if state == "started":
        key = Worker.redis_worker_namespace_prefix + str(job.worker_name or "")
        is_there = client.exists(key) and not client.hexists(key, "death")
        return Verdict.ALIVE if is_there else None
    end = end_of(client, job)
    if end is None:
        return None
    process.host.emit(
        TaskEvent(
            kind=end.kind,
            engine="rq",
            task_id=task.task_id,
            occurred_at=end.at or now_us(),
            attempt=max(task.attempt, runs_of(job) - 1),
            name=task.name,
            queue=text_of(job.origin),
            data=end.data,
        )
    )
    return Verdict.ENDED


def _fetch(client: Any, known: Known, task_id: str) -> Any:
    """Look with the serializer of the job's queue, which is known once the job is found."""
    try:
        job = Job.fetch(task_id, connection=client)
        serializer = known.serializer_of(job.origin)
        return job if serializer is None else Job.fetch(task_id, client, serializer)
    except NoSuchJobError:
        return None
