"""The cron jobs of the arq worker in this process, and what can be done with them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from arq.worker import Worker

from z4j_agent.facts import MAX_NAME, micros
from z4j_agent.guard import Guard
from z4j_agent.host_loop import call_in
from z4j_agent.places import redis_place
from z4j_arq.timing import timing_of
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import Host, Owner, RunResult, Schedule, Scheduler, store_id

_IN_CODE = "arq's cron jobs are written in the code: change cron_jobs of the worker and deploy."
_NO_PAUSE = "arq cannot pause a cron job: take it out of cron_jobs of the worker and deploy."
_guard = Guard("arq", "arq")  # what a hook raises would end the worker


class ArqCron(Scheduler):
    """The cron jobs of the workers that run in this process. Thread-safe.

    What is told stands in the worker's memory; what needs Redis is done in its event loop.
    """

    name: ClassVar[str] = "arq-cron"
    engine: ClassVar[str] = "arq"

    def __init__(self) -> None:
        self._host: Host | None = None
        self._workers: list[Any] = []
        self._last: dict[int, datetime] = {}
        self._own: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def version(self) -> str:
        """Return arq's version."""
        from importlib.metadata import version

        return version("arq")

    def attach(self, host: Host) -> None:
        """Hear of workers that begin and end, and of what they enqueue by the clock."""
        if self._host is not None:
            return
        self._host = host
        self._own = (Worker.main, Worker.run_cron)
        Worker.main = self._observed_main(Worker.main)
        Worker.run_cron = self._observed_cron(Worker.run_cron)

    def detach(self) -> None:
        """Hear of nothing more."""
        if self._own is not None:
            Worker.main, Worker.run_cron = self._own
        self._own = self._host = None
        self._workers.clear()

    def absences(self) -> dict[str, str]:
        """Return why cron jobs are not made, changed, paused or deleted from outside."""
        absent = dict.fromkeys(("update", "delete", "create"), _IN_CODE)
        return absent | dict.fromkeys(("pause", "resume"), _NO_PAUSE)

    def store(self) -> str | None:
        """Return Redis and queue; None while no worker with cron jobs runs here."""
        for worker in list(self._workers):
            if worker._pool is not None:
                place = redis_place(worker._pool.connection_pool)
                return store_id("arq", worker.queue_name, *place)
        return None

    def schedules(self) -> Sequence[Schedule]:
        """Return the cron jobs, by name; no I/O."""
        found = {str(job.name)[:MAX_NAME]: (worker, job) for worker, job in self._jobs()}
        return [self._schedule(name, *known) for name, known in found.items()]

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Enqueue the job once, with the id of its own if it has one."""
        for worker, job in self._jobs():
            if str(job.name)[:MAX_NAME] == schedule:
                work = _enqueued(worker, job)
                return RunResult(task_id=call_in(worker.loop, work, "arq's worker"))
        raise ActionError("The worker knows no such cron job; it may run another version.")

    def _observed_main(self, own: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(own)
        async def main(worker: Any) -> None:
            if worker.cron_jobs:
                self._workers.append(worker)
            try:
                await own(worker)
            finally:
                self._workers = [one for one in self._workers if one is not worker]

        return main

    def _observed_cron(self, own: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(own)
        async def run_cron(worker: Any, now: datetime, *args: Any, **options: Any) -> None:
            due = {id(job): job.next_run for job in worker.cron_jobs}
            await own(worker, now, *args, **options)
            note(worker, due, now)

        note = _guard.guarded(self._note)
        return run_cron

    def _note(self, worker: Any, due: dict[int, datetime | None], now: datetime) -> None:
        """Note what the worker enqueued, given when its cron jobs had been due."""
        for job in worker.cron_jobs:
            before = due.get(id(job)) or (now if job.run_at_startup else None)
            if before is not None and job.next_run != before:
                self._last[id(job)] = before
        # Not sooner: the store is named by a pool that the worker makes when it begins.
        if self._host is not None and worker in self._workers:
            self._host.ensure_started("scheduler")

    def _jobs(self) -> Iterator[tuple[Any, Any]]:
        for worker in list(self._workers):
            for job in worker.cron_jobs:
                yield worker, job

    def _schedule(self, name: str, worker: Any, job: Any) -> Schedule:
        return Schedule(
            id=name,
            name=name,
            timing=timing_of(job)[:MAX_NAME],
            owner=Owner.CODE,
            task=name,
            queue=str(worker.queue_name)[:MAX_NAME],
            timezone=str(worker.timezone)[:MAX_NAME],
            last_run_at=micros(self._last.get(id(job))),
            next_run_at=micros(job.next_run),
        )


async def _enqueued(worker: Any, job: Any) -> str:
    made = await worker.pool.enqueue_job(
        job.name, _job_id=job.job_id, _queue_name=worker.queue_name
    )
    if made is None:
        raise ActionError(
            f"arq has a job with this cron job's id {job.job_id!r} already: it waits, runs, or "
            "its result is kept. Try again when it is gone."
        )
    return str(made.job_id)
