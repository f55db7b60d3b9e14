"""What happens to messages, told as events; called by the two middlewares."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from dramatiq.errors import ActorNotFound
from dramatiq.worker import ConsumerThread

from z4j_agent.facts import exception_of, now_us
from z4j_core.events import Kind, TaskEvent
from z4j_core.plugins import Host
from z4j_dramatiq.cancelled import Cancelled
from z4j_dramatiq.endings import ending_of, not_run, skipped
from z4j_dramatiq.facts import micros_of
from z4j_dramatiq.interrupt import Running
from z4j_dramatiq.marks import mark, marks_of
from z4j_dramatiq.memory import Kept
from z4j_dramatiq.original import can_change, pack
from z4j_dramatiq.parameters import parameters_of
from z4j_dramatiq.process import Process
from z4j_dramatiq.run import Run, current, known_run, run_of

_KEPT_KINDS = (Kind.FAILED, Kind.CANCELLED, Kind.REJECTED)


class Capture:
    """Everything that one attached engine holds in this process. Thread-safe."""

    def __init__(self, host: Host) -> None:
        self.process = Process(host)
        self.kept = Kept()
        self.cancelled = Cancelled()
        self.running = Running()
        self._emit = host.emit

    def stamp(self, message: Any, delay: Any) -> None:
        """Mark a message that is about to be enqueued."""
        if _is_due_again(delay):
            return
        run, marks = current.get(), marks_of(message.options)
        if run is not None and run.task_id != message.message_id:
            marks["parent_id"] = run.task_id
            marks["root_id"] = run.marks.get("root_id", run.task_id)
        marks["group_id"] = self.process.group.get() or marks.get("group_id")
        marks["group_id"] = marks["group_id"] or message.options.get("group_completion_uuid")
        marks.setdefault("root_id", str(message.message_id))
        marks["published_at"] = now_us()
        marks["eta"] = micros_of(message.options.get("eta")) if delay is not None else None
        mark(message.options, marks)

    def published(self, broker: Any, message: Any, delay: Any) -> None:
        """The broker has a message."""
        if _is_due_again(delay):
            return
        run = Run(message)
        ending = current.get()
        if ending is not None and ending.is_ending and ending.task_id == run.task_id:
            ending.will_retry, ending.retry_at = True, run.marks.get("eta")
        data = self._facts(broker, message, run)
        at = data.pop("published_at", None) or now_us()
        self.process.on_publish()
        self._send(Kind.PUBLISHED, run, at, data)

    def received(self, broker: Any, message: Any) -> None:
        """A worker holds a message until it is due."""
        run = Run(message)
        data = self._facts(broker, message, run)
        if "eta" not in data and (eta := micros_of(message.options.get("eta"))) is not None:
            data["eta"] = eta
        data["original"] = lambda: pack(broker, message, run.options)
        self._send(Kind.RECEIVED, run, now_us(), data)

    def is_refused(self, broker: Any, message: Any) -> bool:
        """Tell whether a message was cancelled and must not start."""
        run = run_of(message)
        current.set(run)
        run.is_cancelled = self.cancelled.has(broker, run.task_id)
        return run.is_cancelled

    def begun(self, broker: Any, message: Any) -> None:
        """The actor's function is about to be called, unless some middleware failed the message."""
        if message.failed:
            return
        run = run_of(message)
        if can_change(message):
            run.original = pack(broker, message, run.options)
        data = self._facts(broker, message, run)
        data["pid"] = os.getpid()
        data["original"] = lambda: run.original or pack(broker, message, run.options)
        run.has_started = True
        self._send(Kind.STARTED, run, now_us(), data)
        run.began = time.monotonic_ns()

    def left(self, message: Any) -> None:
        """The actor's function has been left; Dramatiq goes on to handle the end."""
        run = run_of(message)
        run.is_ending = True
        if run.has_started:
            run.run_us = (time.monotonic_ns() - run.began) // 1_000

    def ended(self, broker: Any, message: Any, result: Any, error: BaseException | None) -> None:
        """Every middleware has handled the end, so that it is known what became of it."""
        run = run_of(message)
        kind, data = ending_of(run, message, result, error)
        self._end(broker, message, run, kind, data)

    def skipped(self, broker: Any, message: Any) -> None:
        """A middleware kept the message from starting."""
        run = run_of(message)
        self._end(broker, message, run, Kind.CANCELLED, skipped(run, message))

    def nacked(self, broker: Any, message: Any) -> None:
        """A message went to the dead letters; of those that no thread has run nobody has told."""
        if known_run(message) is None:
            error = message._exception
            is_unknown = isinstance(error, ActorNotFound)
            data: dict[str, Any] = {"reason": not_run(is_unknown)}
            if error is not None:
                data["exception"] = exception_of(error)
            self._end(broker, message, run_of(message), Kind.REJECTED, data)

    def _end(self, broker: Any, message: Any, run: Run, kind: Kind, data: dict[str, Any]) -> None:
        current.set(None)
        self.running.forget(run)
        if run.run_us is not None:
            data["run_us"] = run.run_us
        if kind in _KEPT_KINDS:
            original = run.original or pack(broker, message, run.options)
            if original is not None:
                self.kept.put(run.task_id, original)
        if not run.has_started:
            data |= self._facts(broker, message, run)
        self._send(kind, run, now_us(), data)

    def _facts(self, broker: Any, message: Any, run: Run) -> dict[str, Any]:
        """Return what a message itself tells."""
        data: dict[str, Any] = {"args": list(message.args), "kwargs": message.kwargs}
        if data["args"] and (names := parameters_of(broker, run.name)):
            data["arg_names"] = names
        data |= run.marks
        if data.get("root_id") == run.task_id:
            data["root_id"] = run.task_id  # the same object need not be looked at again
        return data

    def _send(self, kind: Kind, run: Run, at: int, data: dict[str, Any]) -> None:
        self._emit(
            TaskEvent(
                kind=kind,
                engine="dramatiq",
                task_id=run.task_id,
                occurred_at=at,
                attempt=run.attempt,
                name=run.name,
                queue=run.queue,
                data=data,
            )
        )


def _is_due_again(delay: Any) -> bool:
    """Tell whether a worker gives a delayed message that is due back to its queue: the same
    attempt of the same task, which was published when it was delayed. A consumer's thread enqueues
    nothing else.
    """
    return delay is None and isinstance(threading.current_thread(), ConsumerThread)
