"""The RQ engine passes the contract kit with both kinds of workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
import rq_shop
from stand import Stand

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
        return self.stand.state(task_id) == "finished"


class TestContract(EngineContract):
    module = "z4j_rq.plugin"
    library = "rq"

    @pytest.fixture(params=["Worker", "SimpleWorker"])
    def harness(self, request: pytest.FixtureRequest, client: redis.Redis) -> Iterator[RqHarness]:
        with Stand(client, request.param) as stand:
            yield RqHarness(stand)
