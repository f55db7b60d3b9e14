"""What an action of an engine does, seen in the engine itself and not in the answer.

An engine that offers an action is held to it here; what does not pass must not be offered:
`absences` gives the reason instead.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import msgspec

from z4j_core.capability import ActionError
from z4j_core.events import Kind
from z4j_core.frames import TaskRef
from z4j_core.plugins import Engine
from z4j_core.testing.host import RecordingHost, data_of
from z4j_core.testing.patience import Patient

_NOBODY = TaskRef("nobody-knows-this-id", state="failed")
_NO_QUEUE = "z4j-contract-unknown-queue"


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
        """Tell whether the engine has begun this task, without asking z4j.

        It is a task of `run_succeeding` or `leave_waiting`, or a retry of one.
        """


class WaitingHarness(Harness, Protocol):
    """A harness for an engine that offers `cancel` or `purge`: it has tasks that wait."""

    def leave_waiting(self, value: int) -> TaskRef:
        """Publish the task of `run_succeeding` into a queue that nobody works on yet.

        Return its id, name and queue once the broker has it.
        """

    def take_up(self) -> None:
        """Have the engine work on that queue from now on."""


class EffectContract(Patient):
    """The part of `EngineContract` that is about actions."""

    def test_a_retry_runs_the_task_again(self, harness: Harness) -> None:
        """A retry is a task of its own, with the same name and arguments, and it really runs."""
        task_id = self.run(harness)
        if not self.offers(harness, "retry"):
            return
        task = self.recorded(harness, task_id)
        again = self.call(harness, "retry", task).task_id
        assert again != task_id
        self.until(lambda: harness.has_run(again))
        harness.host.wait_for(again, Kind.SUCCEEDED)
        retried = self.recorded(harness, again)
        assert (retried.name, retried.args, retried.kwargs) == (task.name, task.args, task.kwargs)

    def test_a_cancelled_task_does_not_run(self, harness: Harness) -> None:
        """A cancelled task never runs, and its end is told with a reason; after a refusal it runs.

        A harness of an engine that offers `cancel` is a `WaitingHarness`.
        """
        self.run(harness)
        if not self.offers(harness, "cancel"):
            return
        waiting = cast(WaitingHarness, harness)
        task = waiting.leave_waiting(41)
        is_refused = self.refuses(harness, "cancel", task)
        waiting.take_up()
        if is_refused:
            self.until(lambda: harness.has_run(task.task_id))
            return
        end = harness.host.wait_for(task.task_id, Kind.CANCELLED)
        assert data_of(end).get("reason"), "why it was cancelled"
        self.later_runs_without(waiting, task)

    def test_a_purged_queue_is_empty(self, harness: Harness) -> None:
        """What waited in the queue is counted and never runs; what is published later does.

        A harness of an engine that offers `purge` is a `WaitingHarness`.
        """
        self.run(harness)
        if not self.offers(harness, "purge"):
            return
        waiting = cast(WaitingHarness, harness)
        task = waiting.leave_waiting(41)
        assert self.call(harness, "purge", task.queue).deleted == 1
        waiting.take_up()
        self.later_runs_without(waiting, task)

    def test_what_cannot_be_done_is_refused(self, harness: Harness) -> None:
        """Of tasks and queues that nobody knows, nothing is said to have been done.

        A refusal is an `ActionError` with a sentence. A cancel may be kept for later, and says so;
        a purge may find nothing.
        """
        self.run(harness)
        edited: dict[str, dict[str, Any]] = {"retry_edited": {"args": [], "kwargs": {}}}
        for action in ("retry", "retry_edited", "terminate"):
            if self.offers(harness, action):
                assert self.refuses(harness, action, _NOBODY, **edited.get(action, {}))
        if self.offers(harness, "cancel"):
            self.refuses(harness, "cancel", _NOBODY)
        if self.offers(harness, "purge") and not self.refuses(harness, "purge", _NO_QUEUE):
            assert self.call(harness, "purge", _NO_QUEUE).deleted == 0

    def run(self, harness: Harness) -> str:
        """Have a task run, and return its id: some engines offer nothing before they are used."""
        task_id = harness.run_succeeding(41)
        harness.host.wait_for(task_id, Kind.SUCCEEDED)
        return task_id

    def later_runs_without(self, harness: WaitingHarness, task: TaskRef) -> None:
        """Have a later task of the same queue run, and see that the given one has not."""
        later = harness.leave_waiting(42)
        self.until(lambda: harness.has_run(later.task_id))
        assert not harness.has_run(task.task_id)

    def recorded(self, harness: Harness, task_id: str) -> TaskRef:
        """Return a task as the record would name it in a command."""
        events = harness.host.of_task(task_id)
        known: dict[str, Any] = {}
        for event in events:
            known |= data_of(event)
        return TaskRef(
            task_id,
            name=next((event.name for event in events if event.name), None),
            queue=next((event.queue for event in events if event.queue), None),
            state="succeeded",
            args=msgspec.json.encode(known.get("args", [])).decode(),
            kwargs=msgspec.json.encode(known.get("kwargs", {})).decode(),
            exact=known.get("exact", False),
        )

    def offers(self, harness: Harness, action: str) -> bool:
        """Tell whether the engine offers an action in this process."""
        return any(
            one.name == action and one.absent is None for one in harness.engine.info().actions
        )

    def refuses(self, harness: Harness, action: str, *target: Any, **params: Any) -> bool:
        """Call an action; tell whether it was refused, which takes a sentence."""
        try:
            answer = self.call(harness, action, *target, **params)
        except ActionError as refusal:
            assert str(refusal).rstrip().endswith("."), "a refusal is a sentence"
            return True
        outcome = getattr(answer, "outcome", "It is done.")
        assert outcome.endswith("."), "an outcome is a sentence"
        return False

    def call(self, harness: Harness, action: str, *target: Any, **params: Any) -> Any:
        """Call an action the way the agent does: parameters through their Struct."""
        offered = harness.engine.actions()[action]
        return getattr(harness.engine, action)(*target, msgspec.convert(params, offered.params))
