"""The Celery engine: what it attaches to a process, and the actions that it offers there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from z4j_celery.actions import cancel, probe, purge, retry, terminate, worker
from z4j_celery.brokers import brokers
from z4j_celery.capture import Capture
from z4j_celery.depths import queue_depths
from z4j_celery.guard import guarded
from z4j_celery.process import Process
from z4j_celery.worker_actions import WorkerActions
from z4j_core.capability import ActionError, NoParams
from z4j_core.frames import TaskRef
from z4j_core.plugins import (
    Broker,
    CancelResult,
    Depth,
    EditedRetryParams,
    Host,
    ProbeParams,
    ProbeResult,
    PurgeResult,
    RetryParams,
    RetryResult,
)

_NO_APP = "No Celery app has been made in this process."
_NEED_AN_APP = ("retry", "retry_edited", "cancel", "terminate", "purge", "probe")


class CeleryEngine(WorkerActions):
    """Captures what Celery does in this process and acts on its tasks.

    `attach` and `detach` belong to one thread. Actions run on a thread of the agent.
    """

    name: ClassVar[str] = "celery"
    keeps_originals: ClassVar[bool] = True

    def __init__(self) -> None:
        self._capture: Capture | None = None
        self._probe: probe.Probe | None = None
        self._connected: list[tuple[Any, Callable[..., None]]] = []

    def version(self) -> str:
        """Return Celery's version."""
        import celery

        return str(celery.__version__)

    def attach(self, host: Host) -> None:
        """Connect Celery's signals; a worker gets its bootstep when it is set up."""
        if self._capture is not None:
            return
        self._capture = Capture(host)
        for signal, handler in self._capture.handlers():
            safe = guarded(handler)
            # Signals hold their receivers weakly unless told otherwise.
            signal.connect(safe, weak=False)
            self._connected.append((signal, safe))

    def detach(self) -> None:
        """Disconnect the signals and give the tasks their request classes back."""
        for signal, handler in self._connected:
            signal.disconnect(handler)
        self._connected.clear()
        if self._capture is not None:
            self._capture.detach()
        self._capture = self._probe = None

    def absences(self) -> dict[str, str]:
        """Return why some actions cannot be offered in this process."""
        process = self._process()
        absent = worker.absences(process)
        if not process.apps():
            return absent | dict.fromkeys(_NEED_AN_APP, _NO_APP)
        reason = terminate.absence(process)
        return absent if reason is None else absent | {"terminate": reason}

    def brokers(self) -> Sequence[Broker]:
        """Return the brokers and queues of the apps that this process uses."""
        return () if self._capture is None else brokers(self._capture.process)

    def queue_depths(self, broker: str, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Ask the broker on a connection of its own."""
        return {} if self._capture is None else queue_depths(self._capture.process, broker, queues)

    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        """Publish a new task with the arguments of the old one."""
        capture = self._attached()
        return retry.retry(capture.process, capture.messages, task, params)

    def retry_edited(self, task: TaskRef, params: EditedRetryParams) -> RetryResult:
        """Publish a new task with other arguments."""
        capture = self._attached()
        return retry.retry_edited(capture.process, capture.messages, task, params)

    def cancel(self, task: TaskRef, params: NoParams) -> CancelResult:
        """Have the workers refuse the task."""
        capture = self._attached()
        return cancel.cancel(capture.process, capture.cancelled, task)

    def terminate(self, task: TaskRef, params: NoParams) -> CancelResult:
        """End the process that runs the task."""
        return terminate.terminate(self._process(), task)

    def purge(self, queue: str, params: NoParams) -> PurgeResult:
        """Delete the waiting messages of a queue."""
        return purge.purge(self._process(), queue)

    def probe(self, params: ProbeParams) -> ProbeResult:
        """Say what is known of tasks that seem stuck."""
        if self._probe is None:
            self._probe = probe.Probe(self._process())
        return self._probe.ask(params.tasks)

    def _process(self) -> Process:
        return self._attached().process

    def _attached(self) -> Capture:
        if self._capture is None:
            raise ActionError("The Celery plugin is not attached; restart this process.")
        return self._capture
