"""The handlers of Celery's signals, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from celery import signals
from celery.worker import state

from z4j_agent.facts import now_us, text_of
from z4j_celery.cancelled import Cancelled
from z4j_celery.facts import attempt_of, exception_of, origin
from z4j_celery.guard import guarded
from z4j_celery.leaving import note_ends
from z4j_celery.memory import Messages
from z4j_celery.process import Process
from z4j_celery.publish import Publications
from z4j_celery.request import observe_tasks, stop_observing
from z4j_celery.run import Runs
from z4j_celery.schedulers import running
from z4j_celery.step import observing_step
from z4j_core.events import Kind, TaskEvent
from z4j_core.plugins import Host


class Capture:
    """Everything that one attached engine holds in this process."""

    def __init__(self, host: Host) -> None:
        self.process = Process(host)
        self.messages = Messages()
        self.cancelled = Cancelled(state.revoked)
        self._runs = Runs(self.process, self.messages)
        self._publications = Publications(self.process)
        self._step = observing_step(guarded(self._observe))
        self._apps: list[Any] = []
        self._stop_noting = note_ends()

    def handlers(self) -> Iterator[tuple[Any, Callable[..., None]]]:
        """Return each signal with its handler."""
        yield signals.before_task_publish, self._before_publish
        yield signals.after_task_publish, self._after_publish
        yield signals.task_unknown, self._unknown
        yield signals.task_rejected, self._rejected
        yield signals.worker_init, self._worker_init
        yield signals.worker_shutdown, self._worker_shutdown
        yield signals.beat_init, self._beat_init

    def detach(self) -> None:
        """Take the bootstep and the request classes out of the apps, and leave beat alone."""
        for app in self._apps:
            app.steps["consumer"].discard(self._step)
            stop_observing(app, self._runs)
        self._apps.clear()
        self._stop_noting()
        self._runs.detach()
        running.forget()

    def _observe(self, consumer: Any) -> None:
        observe_tasks(consumer.app, self._runs, self.cancelled)
        # The order of bootsteps against Celery's own is not fixed, so this is always needed.
        consumer.update_strategies()
        self.process.on_consumer_start(consumer)

    def _worker_init(self, sender: Any, **_: Any) -> None:
        self.process.on_worker_init(sender)
        # The consumer's blueprint is read after this signal, so any app can be reached here.
        sender.app.steps["consumer"].add(self._step)
        if sender.app not in self._apps:
            self._apps.append(sender.app)

    def _worker_shutdown(self, **_: Any) -> None:
        self.process.on_worker_shutdown()

    def _beat_init(self, sender: Any, **_: Any) -> None:
        # First of all: a connection says at once which schedules can be read.
        running.notice(sender)
        self.process.on_beat_init()

    def _before_publish(
        self,
        headers: Any = None,
        properties: Any = None,
        declare: Any = None,
        routing_key: Any = None,
        **_: Any,
    ) -> None:
        self._publications.before(headers, properties, declare, routing_key)

    def _after_publish(
        self,
        sender: Any = None,
        headers: Any = None,
        body: Any = None,
        routing_key: Any = None,
        **_: Any,
    ) -> None:
        self._publications.after(sender, headers, body, routing_key)

    def _unknown(self, message: Any, name: Any, id: Any, **_: Any) -> None:
        reason = "This worker knows no task of that name; check its imports."
        error = {"type": "NotRegistered", "module": "celery.exceptions", "message": str(name)[:255]}
        self._refused(message, id, name, {"reason": reason, "exception": error})

    def _rejected(self, message: Any, exc: Any, **_: Any) -> None:
        headers = message.headers
        task_id = text_of(headers.get("id")) if isinstance(headers, dict) else None
        if task_id is not None:
            data: dict[str, Any] = {"reason": "The message is not a valid task."}
            if exc is not None:
                data["exception"] = exception_of(exc)
            self._refused(message, task_id, headers.get("task"), data)

    def _refused(self, message: Any, task_id: Any, name: Any, data: dict[str, Any]) -> None:
        task_id = text_of(task_id)
        if task_id is None:
            return
        headers = message.headers if isinstance(message.headers, dict) else {}
        self.process.host.emit(
            TaskEvent(
                kind=Kind.REJECTED,
                engine="celery",
                task_id=task_id,
                occurred_at=now_us(),
                attempt=attempt_of(headers),
                name=text_of(name),
                queue=text_of((message.delivery_info or {}).get("routing_key")),
                data={**data, **origin(headers, task_id)},
            )
        )
