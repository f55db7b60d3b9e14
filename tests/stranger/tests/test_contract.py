"""The stranger's engine passes the contract kit with its real queue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lantern.plugin import LanternEngine
from lantern.work import lantern

from z4j_core.capability import Target
from z4j_core.events import Kind
from z4j_core.frames import TaskRef
from z4j_core.testing import RecordingHost
from z4j_core.testing.engine_contract import EngineContract


def add(value: int) -> int:
    return value + 1


def fail(message: str) -> None:
    raise ValueError(message)


def sign_in(*, password: str) -> str:
    return "in"


class LanternHarness:
    def __init__(self) -> None:
        self.engine = LanternEngine(lantern)
        self.host = RecordingHost()
        self.engine.attach(self.host)

    def run_succeeding(self, value: int) -> str:
        return lantern.light(add, value)

    def run_failing(self, message: str) -> str:
        return lantern.light(fail, message)

    def run_with_secret(self, secret: str) -> str:
        return lantern.light(sign_in, password=secret)


class TestLantern(EngineContract):
    module = "lantern.plugin"
    library = "lantern.work"

    @pytest.fixture
    def harness(self) -> Iterator[LanternHarness]:
        harness = LanternHarness()
        yield harness
        harness.engine.detach()

    def test_retry_runs_the_job_again(self, harness: LanternHarness) -> None:
        task_id = harness.run_succeeding(5)
        harness.host.wait_for(task_id, Kind.SUCCEEDED)
        result = self.call(harness, "retry", TaskRef(task_id))
        assert harness.host.wait_for(result.task_id, Kind.SUCCEEDED).name == "add"

    def test_its_own_action_is_offered(self, harness: LanternHarness) -> None:
        before = lantern.oil
        assert harness.engine.actions()["refill"].mark.target is Target.ENGINE
        assert self.call(harness, "refill", litres=3).oil == before + 3
