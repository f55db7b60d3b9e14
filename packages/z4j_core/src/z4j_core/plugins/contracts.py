"""What a plugin is: typed classes that the agent calls, and the host that it may call.

A plugin's module is found by an entry point of the group ``z4j`` and imports nothing of its engine
at import time; it does so inside its hook (`z4j_core.plugins.hooks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import msgspec

from z4j_core.capability import (
    Action,
    NoParams,
    Target,
    action,
    actions_of,
    declared_actions,
    is_internal,
)
from z4j_core.events import TaskEvent
from z4j_core.frames import ActionInfo, EngineInfo, TaskRef
from z4j_core.plugins.probing import ProbeParams, ProbeResult
from z4j_core.waiting import Broker, Depth


class PluginSettings(msgspec.Struct, frozen=True):
    """What a hook is given: the environment as the agent read it, once."""

    environment: Mapping[str, str] = {}


class Host(Protocol):
    """What the agent offers to a plugin. Every method is callable from any thread."""

    def emit(self, event: TaskEvent) -> None:
        """Record one fact. Never blocks, never raises; drops are counted and reported."""

    def ensure_started(self, role: str, worker_name: str | None = None) -> None:
        """Connect this process if it is not connected yet: idempotent, and safe after a fork.

        `role` is ``worker``, ``publisher``, ``web`` or ``scheduler``; `worker_name` is the
        engine's own name for this process, if it has one.
        """

    def open_relay(self) -> None:
        """Make processes that are forked from now on hand their events to this one."""

    def stop(self, timeout_s: float = 2.0) -> None:
        """Send what is left within `timeout_s` seconds, then disconnect."""

    def original_of(self, engine: str, task: TaskRef) -> bytes | None:
        """Open what was sealed with the task: the bytes that `TaskEvent.data["original"]` gave.

        None if nothing was. Raise `ActionError`, which says what to do, if it does not open: it was
        changed, it is another task's, or this process lacks the key.
        """


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


class Engine:
    """A task engine inside this process. Subclass it, set `name`, override what it can do.

    An action is offered only if its method is overridden; `absences` gives the reasons for the
    others. Methods of actions run on a thread of the agent, one at a time for each engine.
    """

    name: ClassVar[str]
    keeps_originals: ClassVar[bool] = False
    """Whether its events carry `original` and its `retry` asks for it by `Host.original_of`."""

    def version(self) -> str:
        """Return the version of the engine's library."""
        return ""

    def attach(self, host: Host) -> None:
        """Begin to capture. Must not start threads, open sockets or block."""
        raise NotImplementedError(f"{type(self).__name__} must implement attach()")

    def detach(self) -> None:
        """Undo everything that `attach` did."""
        raise NotImplementedError(f"{type(self).__name__} must implement detach()")

    def absences(self) -> dict[str, str]:
        """Return, for actions that cannot be offered here and now, the reason in one sentence.

        An implemented action that is named here (for example because of the worker's pool) is
        not offered either.
        """
        return {}

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
    def actions(cls) -> dict[str, Action]:
        """Return the implemented actions by name."""
        return actions_of(cls, Engine)

    def info(self) -> EngineInfo:
        """Return what `hello` says of this engine: offered actions, and reasons for the rest."""
        absent = dict.fromkeys(declared_actions(Engine), f"{self.name} has no such action.")
        offered = self.actions()
        for name in offered:
            absent.pop(name, None)
        absent.update(self.absences())
        infos = [offered[name].info() for name in sorted(offered) if name not in absent]
        # Nobody misses what only the server asks for.
        infos += [
            ActionInfo(name=name, absent=reason)
            for name, reason in sorted(absent.items())
            if not is_internal(Engine, name)
        ]
        return EngineInfo(name=self.name, version=self.version(), actions=infos)


class Framework:
    """A web framework in this process; it says when a process serves and how to name it."""

    name: ClassVar[str]

    def attach(self, host: Host) -> None:
        """Register with the framework; must not start anything at import time."""
        raise NotImplementedError(f"{type(self).__name__} must implement attach()")

    def detach(self) -> None:
        """Undo everything that `attach` did."""
        raise NotImplementedError(f"{type(self).__name__} must implement detach()")
