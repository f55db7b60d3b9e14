"""The RQ engine: what it attaches to a process, and the actions that it offers there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from z4j_core.capability import ActionError, NoParams, Target, action
from z4j_core.frames import TaskRef
from z4j_core.plugins import (
    Broker,
    CancelResult,
    Depth,
    EditedRetryParams,
    Engine,
    Host,
    ProbeParams,
    ProbeResult,
    PurgeResult,
    RetryParams,
    RetryResult,
)
from z4j_rq.actions import cancel, probe, purge, retry, suspension, terminate
from z4j_rq.actions.suspension import SuspendParams, SuspensionResult
from z4j_rq.capture import Capture
from z4j_rq.depths import brokers, queue_depths

_UNUSED = "This process has not used RQ yet: it knows no Redis of it."
_NEED_REDIS = (
    *("retry", "retry_edited", "requeue", "cancel", "terminate", "purge", "probe"),
    *("suspend", "resume"),
)
_NO_WORKER = "Only a worker can be shut down, and this process is none."


class RqEngine(Engine):
    """Captures what RQ does in this process and acts on its jobs.

    `attach` and `detach` belong to one thread. Actions run on a thread of the agent.
    """

    name: ClassVar[str] = "rq"
    keeps_originals: ClassVar[bool] = True

    def __init__(self) -> None:
        self._capture: Capture | None = None

    def version(self) -> str:
        """Return RQ's version."""
        from rq.version import VERSION

        return str(VERSION)

    def attach(self, host: Host) -> None:
        """Patch RQ's queues and jobs; an observed worker finds the engine by itself."""
        if self._capture is None:
            self._capture = Capture(host)
            self._capture.attach()

    def detach(self) -> None:
        """Undo the patches."""
        if self._capture is not None:
            self._capture.detach()
        self._capture = None

    def absences(self) -> dict[str, str]:
        """Return why some actions cannot be offered in this process."""
        process = self._attached().process
        absent = {} if process.worker is not None else {"shutdown": _NO_WORKER}
        if not process.known:
            return absent | dict.fromkeys(_NEED_REDIS, _UNUSED)
        reason = terminate.absence(process)
        return absent if reason is None else absent | {"terminate": reason}

    def brokers(self) -> Sequence[Broker]:
        """Return the Redis servers and queues that this process uses."""
        return () if self._capture is None else brokers(self._capture.process)

    def queue_depths(self, broker: str, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Ask Redis on a connection of its own."""
        return {} if self._capture is None else queue_depths(self._capture.process, broker, queues)

    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        """Enqueue a new job with the arguments of the old one."""
        return retry.retry(self._attached().process, task, params)

    def retry_edited(self, task: TaskRef, params: EditedRetryParams) -> RetryResult:
        """Enqueue a new job with other arguments."""
        return retry.retry_edited(self._attached().process, task, params)

    @action(
        target=Target.TASK,
        title="Requeue",
        description="Runs this very job again: RQ takes it out of its registry of failed jobs.",
        states=("failed", "cancelled", "unknown"),
    )
    def requeue(self, task: TaskRef, params: NoParams) -> RetryResult:
        """Run the same job again, as its next attempt."""
        return retry.requeue(self._attached().process, task)

    def cancel(self, task: TaskRef, params: NoParams) -> CancelResult:
        """Take a waiting job out of its queue or registry."""
        return cancel.cancel(self._attached().process, task)

    def terminate(self, task: TaskRef, params: NoParams) -> CancelResult:
        """Kill the process that runs the job."""
        return terminate.terminate(self._attached().process, task)

    def purge(self, queue: str, params: NoParams) -> PurgeResult:
        """Delete the waiting jobs of a queue."""
        capture = self._attached()
        return purge.purge(capture.process, capture.cancellations, queue)

    @action(
        target=Target.ENGINE,
        title="Suspend all workers",
        description="Global: no worker of this Redis begins a job until they are resumed. A worker "
        "that was idle may still run one job.",
        destructive=True,
    )
    def suspend(self, params: SuspendParams) -> SuspensionResult:
        """Have all workers of this Redis pause."""
        return suspension.suspend(self._attached().process, params)

    @action(
        target=Target.ENGINE,
        title="Resume all workers",
        description="Global: the suspended workers of this Redis go on within a second.",
    )
    def resume(self, params: NoParams) -> SuspensionResult:
        """Let all workers of this Redis go on."""
        return suspension.resume(self._attached().process)

    @action(
        target=Target.WORKER,
        title="Shut down",
        description="The worker finishes its job and ends. Whether it comes back is up to whoever "
        "started it.",
        destructive=True,
    )
    def shutdown(self, params: NoParams) -> CancelResult:
        """End this worker, warm."""
        return suspension.shutdown(self._attached().process)

    def probe(self, params: ProbeParams) -> ProbeResult:
        """Say what is known of jobs that seem stuck."""
        capture = self._attached()
        return probe.probe(capture.process, capture.runs, params.tasks)

    def _attached(self) -> Capture:
        if self._capture is None:
            raise ActionError("The RQ plugin is not attached; restart this process.")
        return self._capture
