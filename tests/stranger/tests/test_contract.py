"""The stranger's engine passes the contract kit with its real queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from lantern.plugin import LanternEngine
from lantern.work import lantern

from z4j_core.capability import Target
from z4j_core.events import Kind
from z4j_core.frames import TaskRef
from z4j_core.plugins import Broker, Depth
from z4j_core.testing import RecordingHost
from z4j_core.testing.engine_contract import EngineContract
from z4j_core.waiting import broker_id

BROKER = broker_id("lantern", "in this process")


def add(value: int) -> int:
    return value + 1


def fail(message: str) -> None:
    raise ValueError(message)


def sign_in(*, password: str) -> str:
    return "in"


class CountingLantern(LanternEngine):
    """The stranger's engine, once more able to tell how many jobs wait."""

    def brokers(self) -> list[Broker]:
        return [Broker(id=BROKER, transport="lantern", queues=["jobs"], consumed=["jobs"])]

    def queue_depths(self, broker: str, queues: Sequence[str]) -> dict[str, Depth]:
        assert broker == BROKER
        waiting = Depth(waiting=lantern.jobs.qsize())
        return {queue: waiting for queue in queues if queue == "jobs"}


class LanternHarness:
    def __init__(self, engine: type[LanternEngine] = LanternEngine) -> None:
        self.engine = engine(lantern)
        self.host = RecordingHost()
        self.engine.attach(self.host)
        self.begun = set[str]()
        lantern.listeners.append(self._listen)

    def run_succeeding(self, value: int) -> str:
        return lantern.light(add, value)

    def run_failing(self, message: str) -> str:
        return lantern.light(fail, message)

    def run_with_secret(self, secret: str) -> str:
        return lantern.light(sign_in, password=secret)

    def has_run(self, task_id: str) -> bool:
        return task_id in self.begun

    def _listen(self, what: str, job: Any, value: object) -> None:
        if what == "started":
            self.begun.add(job[0])


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


class TestCountingLantern(EngineContract):
    module = "lantern.plugin"
    library = "lantern.work"

    @pytest.fixture
    def harness(self) -> Iterator[LanternHarness]:
        harness = LanternHarness(CountingLantern)
        yield harness
        harness.engine.detach()

    def test_an_engine_that_makes_up_depths_does_not_pass(self, harness: LanternHarness) -> None:
        def made_up(broker: str, queues: Sequence[str]) -> dict[str, Depth]:
            return {queue: Depth(waiting=1) for queue in queues}

        harness.engine.queue_depths = made_up  # type: ignore[method-assign]
        with pytest.raises(AssertionError):
            self.test_depths_are_told_of_the_queues_that_are_known(harness)

    def test_a_broker_named_by_its_url_does_not_pass(self, harness: LanternHarness) -> None:
        leaky = [Broker(id="redis://:secret@host", queues=["jobs"])]
        harness.engine.brokers = lambda: leaky  # type: ignore[method-assign]
        with pytest.raises(msgspec.ValidationError):
            self.test_depths_are_told_of_the_queues_that_are_known(harness)
