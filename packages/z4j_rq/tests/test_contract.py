"""The RQ engine passes the contract kit with both kinds of workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
import rq_shop
from rq.job import Job
from stand import Stand, ref

from z4j_core.frames import TaskRef
from z4j_core.plugins import Engine
from z4j_core.testing import RecordingHost
from z4j_core.testing.engine_contract import EngineContract


class RqHarness:
    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.engine: Engine = stand.engine
        self.host: RecordingHost = stand.host

    def run_succeeding(self, value: int) -> str:
        return self.stand.run(rq_shop.add, value)

    def run_failing(self, message: str) -> str:
        return self.stand.run(rq_shop.fail, message)

    def run_with_secret(self, secret: str) -> str:
        return self.stand.run(rq_shop.sign_in, "anna", password=secret)

    def has_run(self, task_id: str) -> bool:
        self.stand.work()
        is_there = Job.exists(task_id, connection=self.stand.client)
        return is_there and self.stand.state(task_id) == "finished"

    def leave_waiting(self, value: int) -> TaskRef:
        job = self.stand.queue.enqueue(rq_shop.add, value)
        return ref(str(job.id), state="queued")

    def take_up(self) -> None:
        """A worker comes when somebody asks whether a task has run."""


class TestContract(EngineContract):
    module = "z4j_rq.plugin"
    library = "rq"

    @pytest.fixture(params=["Worker", "SimpleWorker"])
    def harness(self, request: pytest.FixtureRequest, client: redis.Redis) -> Iterator[RqHarness]:
        with Stand(client, request.param) as stand:
            yield RqHarness(stand)
