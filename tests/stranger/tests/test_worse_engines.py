"""An engine that tells depths passes the contract kit as well; worse ones do not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from lantern.plugin import LanternEngine
from lantern.work import lantern
from lantern_harness import LanternHarness

from z4j_core.capability import NoParams
from z4j_core.events import Kind, TaskEvent
from z4j_core.frames import TaskRef
from z4j_core.plugins import Broker, CancelResult, Depth, PurgeResult, RetryParams, RetryResult
from z4j_core.testing.action_contract import ActionContract, EngineStage, Scene
from z4j_core.testing.engine_contract import EngineContract
from z4j_core.testing.patience import Patient
from z4j_core.waiting import broker_id

BROKER = broker_id("lantern", "in this process")


class CountingLantern(LanternEngine):
    """The stranger's engine, once more able to tell how many jobs wait."""

    def brokers(self) -> list[Broker]:
        return [Broker(id=BROKER, transport="lantern", queues=["jobs"], consumed=["jobs"])]

    def queue_depths(self, broker: str, queues: Sequence[str]) -> dict[str, Depth]:
        assert broker == BROKER
        waiting = Depth(waiting=lantern.jobs.qsize())
        return {queue: waiting for queue in queues if queue == "jobs"}


class PretendingLantern(CountingLantern):
    """It says that it does what it does not."""

    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        return RetryResult("made-up")

    def cancel(self, task: TaskRef, params: NoParams) -> CancelResult:
        data = {"reason": "Somebody cancelled it."}
        known = {"engine": self.name, "task_id": task.task_id, "data": data}
        now = time.time_ns() // 1_000
        self._host.emit(TaskEvent(kind=Kind.CANCELLED, occurred_at=now, **known))
        return CancelResult("The job was cancelled.")

    def purge(self, queue: str, params: NoParams) -> PurgeResult:
        return PurgeResult(1)


class WaitingLantern(LanternHarness):
    """Drives an engine that says of jobs that they were cancelled; nothing holds them back."""

    def __init__(self) -> None:
        super().__init__(PretendingLantern)

    def leave_waiting(self, value: int) -> TaskRef:
        return TaskRef(self.run_succeeding(value), name="add", queue="lantern")

    def take_up(self) -> None:
        pass


class TestCountingLantern(EngineContract):
    module = "lantern.plugin"
    library = "lantern.work"

    @pytest.fixture
    def harness(self) -> Iterator[LanternHarness]:
        harness = LanternHarness(CountingLantern)
        yield harness
        harness.close()

    def test_an_engine_that_makes_up_depths_does_not_pass(self, harness: LanternHarness) -> None:
        def made_up(broker: str, queues: Sequence[str]) -> dict[str, Depth]:
            return {queue: Depth(waiting=1) for queue in queues}

        harness.engine.queue_depths = made_up
        with pytest.raises(AssertionError):
            self.test_depths_are_told_of_the_queues_that_are_known(harness)

    def test_a_broker_named_by_its_url_does_not_pass(self, harness: LanternHarness) -> None:
        leaky = [Broker(id="redis://:secret@host", queues=["jobs"])]
        harness.engine.brokers = lambda: leaky
        with pytest.raises(msgspec.ValidationError):
            self.test_depths_are_told_of_the_queues_that_are_known(harness)

    def test_one_that_keeps_a_file_open_does_not_pass(self, harness: LanternHarness) -> None:
        opened = []

        def attach(host: object) -> None:
            opened.append(open(__file__))  # noqa: PTH123, SIM115

        harness.engine.attach = attach
        with pytest.raises(AssertionError):
            self.test_detach_ends_everything(harness)
        for file in opened:
            file.close()


class Impatient(Patient):
    patience_s = 1.0


class ImpatientContract(Impatient, EngineContract):
    pass


class ImpatientActions(Impatient, ActionContract):
    pass


@pytest.mark.parametrize(
    "test",
    [
        "test_a_retry_runs_the_task_again",
        "test_a_cancelled_task_does_not_run",
        "test_a_purged_queue_is_empty",
        "test_what_cannot_be_done_is_refused",
    ],
)
def test_an_engine_that_only_pretends_does_not_pass(test: str) -> None:
    harness = WaitingLantern()
    try:
        with pytest.raises(AssertionError):
            getattr(ImpatientContract(), test)(harness)
    finally:
        harness.close()


class LanternStage(EngineStage):
    """A stage with no more scenes than it is given."""

    def __init__(self, harness: LanternHarness, *shown: str) -> None:
        super().__init__(harness.engine)
        self._harness, self._shown = harness, shown

    def scenes(self) -> Iterator[Scene]:
        first, begun = self._harness.run_succeeding(41), self._harness.begun
        self._harness.host.wait_for(first, Kind.SUCCEEDED)
        oil = lantern.oil
        scenes = [
            Scene("retry", lambda: begun - {first}, task=TaskRef(first)),
            Scene("refill", lambda: lantern.oil > oil, params={"litres": 1}),
            Scene("cancel", lambda: True, task=TaskRef(first)),
        ]
        yield from (scene for scene in scenes if scene.action in self._shown)


@pytest.mark.parametrize(
    ("engine", "shown", "fault"),
    [
        (PretendingLantern, ["retry"], "did not come about"),
        (PretendingLantern, ["cancel"], "before it was asked for"),
        (LanternEngine, ["retry"], "no scene"),
        (LanternEngine, ["cancel"], "not offered"),
    ],
)
def test_actions_without_their_effect_do_not_pass(
    engine: type[LanternEngine], shown: list[str], fault: str
) -> None:
    harness = LanternHarness(engine)
    try:
        stage = LanternStage(harness, *shown)
        with pytest.raises(AssertionError, match=fault):
            ImpatientActions().test_every_offered_action_has_its_effect(stage)
    finally:
        harness.close()


@pytest.mark.parametrize(
    ("key", "value"), [("published_at", "yesterday"), ("traceback", "Traceback"), ("root_id", 5)]
)
def test_keys_that_mean_something_else_do_not_pass(key: str, value: object) -> None:
    harness = LanternHarness(CountingLantern)
    data = {"pid": 1, key: value}
    event = TaskEvent(kind=Kind.STARTED, engine="lantern", task_id="t", occurred_at=1, data=data)
    harness.host.emit(event)
    try:
        with pytest.raises(AssertionError, match=key):
            EngineContract().test_keys_have_their_meaning(harness)
    finally:
        harness.close()
