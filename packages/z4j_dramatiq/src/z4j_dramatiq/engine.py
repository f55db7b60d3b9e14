"""The Dramatiq engine: what it attaches to a process, and the actions that it offers there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

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
    RetryParams,
    RetryResult,
)
from z4j_dramatiq.actions import cancel, consumers, dead_letters, probe, purge, retry, terminate
from z4j_dramatiq.actions.purge import DramatiqPurgeResult
from z4j_dramatiq.attachment import Attachment
from z4j_dramatiq.brokers import told
from z4j_dramatiq.capture import Capture
from z4j_dramatiq.depths import queue_depths

_NO_BROKER = "No Dramatiq broker is in use in this process."
_NO_WORKER = "Only a worker consumes queues, and this process is none."
_NEED_A_BROKER = (
    "retry", "retry_edited", "cancel", "terminate", "purge", "probe",
    "list_dead_letters", "requeue_dead_letters", "pause_queue", "resume_queue",
)  # fmt: skip


class DramatiqEngine(Engine):
    """Captures what Dramatiq does in this process and acts on its tasks.

    `attach`, `detach` and `install` belong to one thread. Actions run on a thread of the agent.
    """

    name: ClassVar[str] = "dramatiq"
    keeps_originals: ClassVar[bool] = True

    def __init__(self) -> None:
        self._capture: Capture | None = None
        self._attachment: Attachment | None = None

    def version(self) -> str:
        """Return Dramatiq's version."""
        import dramatiq

        return str(dramatiq.__version__)

    def attach(self, host: Host) -> None:
        """Put the middlewares into the global broker and into those that are made from now on."""
        if self._capture is None:
            self._capture = Capture(host)
            self._attachment = Attachment(self._capture)

    def detach(self) -> None:
        """Take the middlewares out again and give the actors their own functions back."""
        if self._attachment is not None:
            self._attachment.remove()
        self._attachment = self._capture = None

    def install(self, broker: Any) -> None:
        """Report what happens to the messages of this broker too; again does no harm."""
        if self._attachment is not None:
            self._attachment.add(broker)

    def absences(self) -> dict[str, str]:
        """Return why some actions cannot be offered in this process."""
        capture, brokers = self._attached()
        if not brokers:
            return dict.fromkeys(_NEED_A_BROKER, _NO_BROKER)
        found = {}
        if (reason := terminate.absence(capture)) is not None:
            found["terminate"] = reason
        if not capture.process.is_worker:
            found |= dict.fromkeys(("pause_queue", "resume_queue"), _NO_WORKER)
        if (reason := dead_letters.absence(brokers)) is not None:
            found |= dict.fromkeys(("list_dead_letters", "requeue_dead_letters"), reason)
        return found

    def brokers(self) -> Sequence[Broker]:
        """Return the brokers and queues of this process."""
        if self._capture is None:
            return ()
        capture, brokers = self._attached()
        return told(brokers, list(capture.process.workers))

    def queue_depths(self, broker: str, queues: Sequence[str]) -> Mapping[str, Depth]:
        """Ask the broker on a connection of its own."""
        return {} if self._capture is None else queue_depths(self._attached()[1], broker, queues)

    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        """Publish a new message with the arguments of the old one."""
        return retry.retry(*self._attached(), task, params)

    def retry_edited(self, task: TaskRef, params: EditedRetryParams) -> RetryResult:
        """Publish a new message with other arguments."""
        return retry.retry_edited(*self._attached(), task, params)

    def cancel(self, task: TaskRef, params: NoParams) -> CancelResult:
        """Have the workers refuse the task."""
        return cancel.cancel(*self._attached(), task)

    @action(
        target=Target.TASK,
        title="Terminate",
        description="Raises an exception in the task's thread; its message is a dead letter then.",
        destructive=True,
        states=("running",),
    )
    def terminate(self, task: TaskRef, params: NoParams) -> CancelResult:
        """End the run of a task."""
        return terminate.terminate(self._attached()[0], task)

    @action(
        target=Target.QUEUE,
        title="Purge",
        description="Deletes every waiting message of the queue, delayed ones too; dead letters "
        "and tasks that run stay. They cannot be brought back.",
        destructive=True,
    )
    def purge(self, queue: str, params: NoParams) -> DramatiqPurgeResult:
        """Delete the waiting messages of a queue."""
        return purge.purge(*self._attached(), queue)

    @action(
        target=Target.QUEUE,
        title="List dead letters",
        description="Shows the messages of this queue that Dramatiq has given up.",
    )
    def list_dead_letters(
        self, queue: str, params: dead_letters.ListParams
    ) -> dead_letters.DeadLetters:
        """Return dead letters of a queue."""
        return dead_letters.list_dead(self._attached()[1], queue, params)

    @action(
        target=Target.QUEUE,
        title="Requeue dead letters",
        description="Gives dead letters of this queue one more attempt, under their own ids.",
        destructive=True,
    )
    def requeue_dead_letters(
        self, queue: str, params: dead_letters.RequeueParams
    ) -> dead_letters.Requeued:
        """Enqueue dead letters again."""
        return dead_letters.requeue_dead(self._attached()[1], queue, params)

    @action(
        target=Target.WORKER,
        title="Pause a queue",
        description="This process fetches no more messages of the queue. Pausing every queue of a "
        "process for longer than a minute lets Redis give its messages to others.",
        destructive=True,
    )
    def pause_queue(self, params: consumers.QueueParams) -> consumers.ConsumerResult:
        """Fetch no more messages of a queue."""
        return consumers.pause(self._attached()[0], params.queue)

    @action(
        target=Target.WORKER,
        title="Resume a queue",
        description="This process fetches messages of the queue again.",
    )
    def resume_queue(self, params: consumers.QueueParams) -> consumers.ConsumerResult:
        """Fetch messages of a queue again."""
        return consumers.resume(self._attached()[0], params.queue)

    def probe(self, params: ProbeParams) -> ProbeResult:
        """Say what is known of tasks that seem stuck."""
        return probe.probe(*self._attached(), params.tasks)

    def _attached(self) -> tuple[Capture, list[Any]]:
        """Return what is captured, and the brokers that actions of this process can use."""
        if self._capture is None or self._attachment is None:
            raise ActionError("The Dramatiq plugin is not attached; restart this process.")
        own = [worker.broker for worker in self._capture.process.workers]
        return self._capture, own or self._attachment.brokers()
