"""The tests that every engine plugin must pass, against its real engine.

A plugin's test file subclasses `EngineContract` and provides one fixture:

    class TestContract(EngineContract):
        module = "my_plugin.plugin"
        library = "my_queue"

        @pytest.fixture
        def harness(self): yield MyHarness(...)

The harness runs real tasks with the real engine; the kit looks at what the host recorded.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol

import msgspec

from z4j_core.capability import Target
from z4j_core.events import ENDING_KINDS, Kind
from z4j_core.frames import MAX_FRAME_BYTES, Hello
from z4j_core.plugins import Engine, Verdict
from z4j_core.testing.host import RecordingHost, data_of
from z4j_core.testing.importing import assert_library_stays_out
from z4j_core.waiting import Broker, Depth

SECRET = "hunter2-contract-secret"  # a planted value that must never be recorded


class Harness(Protocol):
    """How the kit drives an engine. Task functions must be real tasks of the engine, which runs
    them one after the other.
    """

    engine: Engine
    host: RecordingHost

    def run_succeeding(self, value: int) -> str:
        """Publish a task that gets `value` as an argument and succeeds; return its id."""

    def run_failing(self, message: str) -> str:
        """Publish a task that raises ValueError(message); return its id."""

    def run_with_secret(self, secret: str) -> str:
        """Publish a task with the keyword argument `password=secret`; return its id."""

    def has_run(self, task_id: str) -> bool:
        """Tell whether the engine has begun this task of `run_succeeding`, without asking z4j."""


class EngineContract:
    """Subclass it as ``Test…``. Each test gets a fresh harness with the engine attached."""

    module: str
    library: str

    def test_import_does_not_import_the_engine(self) -> None:
        """The plugin's module is found and imported without its engine's library."""
        assert_library_stays_out(self.module, self.library)

    def test_success_is_told_from_start_to_end(self, harness: Harness) -> None:
        """A task that succeeds has one started and one succeeded event, in this order."""
        task_id = harness.run_succeeding(41)
        end = harness.host.wait_for(task_id, Kind.SUCCEEDED)
        kinds = [event.kind for event in harness.host.of_task(task_id)]
        assert kinds.count(Kind.STARTED) == 1
        assert sum(kind in ENDING_KINDS for kind in kinds) == 1
        start = harness.host.wait_for(task_id, Kind.STARTED)
        assert start.occurred_at <= end.occurred_at
        assert {event.engine for event in harness.host.of_task(task_id)} == {harness.engine.name}

    def test_name_and_arguments_are_known(self, harness: Harness) -> None:
        """Some event of a task carries its name, and its arguments as a faithful preview."""
        task_id = harness.run_succeeding(41)
        harness.host.wait_for(task_id, Kind.SUCCEEDED)
        events = harness.host.of_task(task_id)
        assert any(event.name for event in events)
        previews = [data for data in map(data_of, events) if "args" in data or "kwargs" in data]
        assert any(data.get("exact") is True and "41" in repr(data) for data in previews)

    def test_failure_names_the_exception(self, harness: Harness) -> None:
        """A task that raises has one failed event with type, message and traceback."""
        task_id = harness.run_failing("no such account 17")
        data = data_of(harness.host.wait_for(task_id, Kind.FAILED))
        assert data["exception"]["type"].endswith("ValueError")
        assert "no such account 17" in data["exception"]["message"]
        assert "Traceback" in data["traceback"]

    def test_secrets_do_not_leave(self, harness: Harness) -> None:
        """Secrets in arguments and in messages are redacted before anything is sent."""
        succeeded = harness.run_with_secret(SECRET)
        harness.host.wait_for(succeeded, Kind.SUCCEEDED)
        failed = harness.run_failing(f"cannot sign in, password={SECRET}")
        harness.host.wait_for(failed, Kind.FAILED)
        recorded = msgspec.json.encode(harness.host.events).decode()
        payloads = b"".join(event.payload for event in harness.host.events).decode()
        assert SECRET not in recorded
        assert SECRET not in payloads

    def test_actions_describe_themselves(self, harness: Harness) -> None:
        """Every offered action has a title, a target and schemas that `hello` can carry."""
        info = harness.engine.info()
        hello = Hello([1], bytes(16), "worker", "epoch", engines=[info])
        assert len(msgspec.msgpack.encode(hello)) < MAX_FRAME_BYTES
        for offered in info.actions:
            if offered.absent is not None:
                assert offered.absent.endswith("."), "a reason is a sentence"
                continue
            assert offered.title
            assert offered.target in {target.value for target in Target}
            assert isinstance(msgspec.json.decode(offered.params_schema), dict)

    def test_a_probe_never_guesses(self, harness: Harness) -> None:
        """An engine that can be probed tells ends that it knows, and nothing of a stranger."""
        if "probe" not in harness.engine.actions():
            return
        task_id = harness.run_succeeding(41)
        harness.host.wait_for(task_id, Kind.SUCCEEDED)
        before = len(harness.host.events)
        question = [{"task_id": task_id}, {"task_id": "nobody-knows-this-id"}]
        answer = self.call(harness, "probe", tasks=question)
        assert len(answer.verdicts) == 2, "a verdict for each task, in the order of the question"
        assert answer.verdicts[0] in (Verdict.ENDED, Verdict.UNKNOWN, Verdict.UNANSWERED)
        assert answer.verdicts[1] in (Verdict.UNKNOWN, Verdict.UNANSWERED)
        told = harness.host.events[before:]
        assert {event.task_id for event in told} <= {task_id}
        assert {event.kind for event in told} <= {Kind.SUCCEEDED}
        assert bool(told) == (answer.verdicts[0] is Verdict.ENDED), "an end is told as an event"

    def test_depths_are_told_of_the_queues_that_are_known(self, harness: Harness) -> None:
        """An engine that tells depths names brokers and queues, and answers for these queues only.

        A queue that was never used has no depth of its own making: it is told as 0, as None or
        not at all, and the brokers' names hold no secret.
        """
        engine = harness.engine
        brokers = [msgspec.convert(msgspec.to_builtins(one), Broker) for one in engine.brokers()]
        if not engine.tells_depths():
            assert not brokers, "brokers() is of no use without queue_depths()"
            return
        harness.host.wait_for(harness.run_succeeding(41), Kind.SUCCEEDED)
        brokers = [msgspec.convert(msgspec.to_builtins(one), Broker) for one in engine.brokers()]
        assert brokers
        assert any(broker.queues for broker in brokers)
        for broker in brokers:
            assert set(broker.consumed) <= set(broker.queues)
            asked = [*broker.queues[:5], "z4j-contract-unknown-queue"]
            told = engine.queue_depths(broker.id, asked)
            assert set(told) <= set(asked)
            for depth in told.values():
                assert isinstance(depth, Depth)
                counts = (depth.waiting, depth.unacked, depth.consumers, depth.oldest_at)
                assert all(count is None or count >= 0 for count in counts)
            unknown = told.get("z4j-contract-unknown-queue", Depth())
            assert not unknown.waiting
            assert not unknown.unacked

    def test_detach_ends_everything(self, harness: Harness) -> None:
        """After `detach` nothing is recorded, and no thread of the plugin is left."""
        before = set(threading.enumerate())
        harness.engine.detach()
        harness.engine.attach(harness.host)
        harness.engine.detach()
        recorded = len(harness.host.events)
        harness.run_succeeding(1)
        _wait_for_run(harness, harness.run_succeeding(2))  # so the first is over
        assert not harness.host.events[recorded:]
        assert not [thread for thread in threading.enumerate() if thread not in before]

    def call(self, harness: Harness, action: str, *target: Any, **params: Any) -> Any:
        """Call an action the way the agent does: parameters through their Struct."""
        offered = harness.engine.actions()[action]
        return getattr(harness.engine, action)(*target, msgspec.convert(params, offered.params))


def _wait_for_run(harness: Harness, task_id: str, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not harness.has_run(task_id):
        assert time.monotonic() < deadline, f"task {task_id} does not run after detach()"
        time.sleep(0.01)


__all__ = ["SECRET", "EngineContract", "Harness"]
