"""Each action that people are offered has its effect, on RQ's own worker with the real agent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from rq import Worker
from rq.job import Job
from rq.registry import CanceledJobRegistry, FailedJobRegistry
from rq.suspension import is_suspended
from rq_forks import RqForks, started_forks
from stand import ref, wait

from services.redis import Redis
from z4j_core.testing.action_contract import ActionContract, Scene, WorkerStage


class RqStage(WorkerStage):
    """One worker does for all scenes: it shuts down in the last."""

    def __init__(self, forks: RqForks) -> None:
        super().__init__(forks.server, "rq")
        self.forks, self.client, self.queue = forks, forks.client, forks.queue

    def scenes(self) -> Iterator[Scene]:
        wait(lambda: self.server.open_links)
        yield from self.with_a_failed_job()
        yield from self.while_a_job_runs()
        yield Scene("shutdown", lambda: self.forks.exit_status() == 0)

    def with_a_failed_job(self) -> Iterator[Scene]:
        job = self.queue.enqueue("rq_shop.fail", "no stock")
        wait(lambda: self.failures("no stock"))
        task, edited = ref(job.id), {"args": ["no shop"], "kwargs": {}}
        yield Scene("retry", lambda: len(self.failures("no stock")) == 2, task)
        yield Scene("retry_edited", lambda: self.failures("no shop"), task, params=edited)
        yield Scene("requeue", lambda: len(job.results()) == 2, task)

    def while_a_job_runs(self) -> Iterator[Scene]:
        running = self.forks.hold()
        wait(lambda: self.forks.ran_in(running))
        waiting = self.queue.enqueue("rq_shop.add", 1).id
        yield Scene("cancel", lambda: self.is_cancelled(waiting), ref(waiting))
        self.queue.enqueue("rq_shop.add", 2)
        yield Scene("purge", lambda: self.queue.count == 0, queue="shop")
        yield Scene("suspend", lambda: is_suspended(self.client))
        last = self.queue.enqueue("rq_shop.add", 3).id
        yield Scene("terminate", lambda: self.is_stopped(running), ref(running))
        wait(lambda: self.worker_states() == ["suspended"])
        yield Scene("resume", lambda: self.status(last) == "finished")

    def failures(self, message: str) -> list[str]:
        """Return the jobs that failed with this argument, a run of RQ's each."""
        failed = FailedJobRegistry(queue=self.queue).get_job_ids()
        jobs = Job.fetch_many(failed, connection=self.client)
        return [job.id for job in jobs if job is not None and list(job.args) == [message]]

    def is_cancelled(self, job: str) -> bool:
        cancelled = CanceledJobRegistry(queue=self.queue).get_job_ids()
        return job in cancelled and job not in self.queue.job_ids

    def is_stopped(self, job: str) -> bool:
        """Tell whether RQ says so and the work-horse is gone."""
        horse = self.forks.ran_in(job)
        assert horse is not None
        with suppress(ProcessLookupError):
            os.kill(horse, 0)
            return False
        return self.status(job) == "stopped"

    def worker_states(self) -> list[str]:
        return [one.get_state() for one in Worker.all(connection=self.client)]

    def status(self, job: str) -> str:
        return str(Job.fetch(job, connection=self.client).get_status().value)


class TestActions(ActionContract):
    @pytest.fixture
    def stage(self, tmp_path: Path, redis_server: Redis) -> Iterator[RqStage]:
        with started_forks(tmp_path, redis_server) as forks:
            yield RqStage(forks)
