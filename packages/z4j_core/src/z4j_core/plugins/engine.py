"""The contract of a task engine: what it captures, and what can be done with its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from z4j_core.capability import NoParams, Target, action
from z4j_core.frames import EngineInfo, TaskRef
from z4j_core.plugins.offering import Offering
from z4j_core.plugins.probing import ProbeParams, ProbeResult
from z4j_core.waiting import Broker, Depth


class RetryParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Run the task again with the same arguments."""

    queue: str | None = None
    delay_s: float | None = None


class EditedRetryParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Run the task again with other arguments."""

    args: list[Any]
    kwargs: dict[str, Any]
    queue: str | None = None
    delay_s: float | None = None


class RetryResult(msgspec.Struct, frozen=True):
    """The id of the new task, which is linked to the old one."""

    task_id: str


class CancelResult(msgspec.Struct, frozen=True):
    """What the engine is known to have done."""

    outcome: str


class PurgeResult(msgspec.Struct, frozen=True):
    """How many waiting messages were deleted."""

    deleted: int


class Engine(Offering):
    """A task engine inside this process. Subclass it, set `name`, override what it can do.

    An action is offered only if its method is overridden; `absences` gives the reasons for the
    others. Methods of actions run on a thread of the agent, one at a time for each engine.
    """

    keeps_originals: ClassVar[bool] = False
    """Whether its events carry `original` and its `retry` asks for it by `Host.original_of`."""

    def brokers(self) -> Sequence[Broker]:
        """Return the brokers that this process uses now, with the queues that it knows.

        Asked every few seconds on the agent's thread: no I/O, no waiting. An engine that overrides
        `queue_depths` overrides this too.
        """
        return ()

    def queue_depths(self, broker: str, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Ask a broker, by its `Broker.id`, how deep these queues are; None where it cannot tell.

        Called on a thread of the agent that does nothing else, in at most one process for each
        queue. Open a connection of your own and close it, with time limits of a few seconds. The
        queues may be such that only other processes know. One that is missing in the answer cannot
        be told; after an exception another process is asked to try.
        """
        raise NotImplementedError

    @classmethod
    def tells_depths(cls) -> bool:
        """Tell whether the engine can sample its queues: whether it overrides `queue_depths`."""
        return cls.queue_depths is not Engine.queue_depths

    @action(
        target=Target.TASK,
        title="Retry",
        description="Publishes a new task with the same arguments, linked to this one.",
        states=("failed", "cancelled", "rejected", "succeeded", "unknown"),
    )
    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        """Run a finished task again."""
        raise NotImplementedError

    @action(
        target=Target.TASK,
        title="Retry with changes",
        description="Publishes a new task with the arguments given here, linked to this one.",
        states=("failed", "cancelled", "rejected", "succeeded", "unknown"),
    )
    def retry_edited(self, task: TaskRef, params: EditedRetryParams) -> RetryResult:
        """Run a finished task again with other arguments."""
        raise NotImplementedError

    @action(
        target=Target.TASK,
        title="Cancel",
        description="The task will not start; a run that has begun goes on.",
        destructive=True,
        states=("queued", "received", "retrying"),
    )
    def cancel(self, task: TaskRef, params: NoParams) -> CancelResult:
        """Keep a waiting task from starting."""
        raise NotImplementedError

    @action(
        target=Target.TASK,
        title="Terminate",
        description="Ends the process that runs the task; its work so far is lost.",
        destructive=True,
        states=("running",),
    )
    def terminate(self, task: TaskRef, params: NoParams) -> CancelResult:
        """End a running task by force."""
        raise NotImplementedError

    @action(
        target=Target.QUEUE,
        title="Purge",
        description="Deletes every message that waits in the queue. They cannot be brought back.",
        destructive=True,
    )
    def purge(self, queue: str, params: NoParams) -> PurgeResult:
        """Delete the waiting messages of a queue."""
        raise NotImplementedError

    @action(
        target=Target.ENGINE,
        title="Probe",
        description="Asks what became of tasks that seem stuck.",
        internal=True,
    )
    def probe(self, params: ProbeParams) -> ProbeResult:
        """Say what is known of these tasks, and emit the ends that the record may have missed.

        Never guess: an event is emitted only for what a result store or a worker tells. It carries
        `attempt` as asked, unless better known, the time of the fact itself, and who told it as
        `reason`. Ask nobody for longer than a few seconds, and never over a connection that the
        engine's own work waits for.
        """
        raise NotImplementedError

    @classmethod
    def declared(cls) -> type[Offering]:
        return Engine

    def info(self) -> EngineInfo:
        """Return what `hello` says of this engine: offered actions, and reasons for the rest."""
        return EngineInfo(name=self.name, version=self.version(), actions=self.announced())
