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

import msgspec

from z4j_core.capability import Target
from z4j_core.event_keys import faults_of
from z4j_core.events import ENDING_KINDS, Kind
from z4j_core.frames import MAX_FRAME_BYTES, Hello
from z4j_core.plugins import Verdict
from z4j_core.testing.engine_effects import EffectContract, Harness, WaitingHarness
from z4j_core.testing.host import data_of
from z4j_core.testing.importing import assert_library_stays_out
from z4j_core.testing.open_files import open_files
from z4j_core.waiting import Broker, Depth

SECRET = "hunter2-contract-secret"  # a planted value that must never be recorded
ROUNDS = 20
"""So often is done what must leave nothing open: what each leaves then stands out from the rest."""


class EngineContract(EffectContract):
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

    def test_the_waiting_time_is_known(self, harness: Harness) -> None:
        """It is told when a task was published, and that is not after its start."""
        task_id = harness.run_succeeding(41)
        start = harness.host.wait_for(task_id, Kind.STARTED)
        harness.host.wait_for(task_id, Kind.SUCCEEDED)
        events = harness.host.of_task(task_id)
        times = [event.occurred_at for event in events if event.kind is Kind.PUBLISHED]
        times += [at for event in events if (at := data_of(event).get("published_at"))]
        assert times
        assert max(times) <= start.occurred_at

    def test_failure_names_the_exception(self, harness: Harness) -> None:
        """A task that raises has one failed event with type, message and traceback."""
        task_id = harness.run_failing("no such account 17")
        data = data_of(harness.host.wait_for(task_id, Kind.FAILED))
        assert data["exception"]["type"].endswith("ValueError")
        assert "no such account 17" in data["exception"]["message"]
        assert "Traceback" in data["traceback"]

    def test_keys_have_their_meaning(self, harness: Harness) -> None:
        """Keys that z4j knows are of their type and on their kinds of events; others may be added.

        Which they are: `z4j_core.event_keys`, and `docs/events.md`.
        """
        harness.host.wait_for(harness.run_succeeding(41), Kind.SUCCEEDED)
        harness.host.wait_for(harness.run_failing("no such account 17"), Kind.FAILED)
        harness.host.wait_for(harness.run_with_secret(SECRET), Kind.SUCCEEDED)
        for event in [*harness.host.events]:
            faults = faults_of(event.kind, data_of(event))
            assert not faults, " ".join(faults)

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

    def test_asking_for_depths_leaves_nothing_open(self, harness: Harness) -> None:
        """Connections that `queue_depths` opens are closed again, and no thread is left."""
        harness.host.wait_for(harness.run_succeeding(41), Kind.SUCCEEDED)
        engine = harness.engine
        if not engine.tells_depths():
            return
        asked = [(broker.id, broker.queues[:5]) for broker in engine.brokers()]
        threads, before = set(threading.enumerate()), open_files()
        for _ in range(ROUNDS):
            for broker, queues in asked:
                engine.queue_depths(broker, queues)
        assert open_files() < before + ROUNDS
        # Some clients start a thread for a moment to connect.
        self.until(lambda: not set(threading.enumerate()) - threads)

    def test_detach_ends_everything(self, harness: Harness) -> None:
        """After `detach` nothing is recorded, and no thread, file or socket is left."""
        threads, before = set(threading.enumerate()), open_files()
        for _ in range(ROUNDS):
            harness.engine.detach()
            harness.engine.attach(harness.host)
        harness.engine.detach()
        assert open_files() < before + ROUNDS
        recorded = len(harness.host.events)
        harness.run_succeeding(1)
        later = harness.run_succeeding(2)  # so the first is over
        self.until(lambda: harness.has_run(later))
        assert not harness.host.events[recorded:]
        assert not [thread for thread in threading.enumerate() if thread not in threads]


__all__ = ["SECRET", "EngineContract", "Harness", "WaitingHarness"]
