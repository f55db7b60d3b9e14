"""One delivery of a task to this worker, and the events that tell of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from z4j_agent.facts import now_us, text_of
from z4j_celery.endings import Ending, ending_of, revoked, timed_out
from z4j_celery.facts import add_relations, attempt_of, origin, result_of
from z4j_celery.guard import complain, guarded, logger
from z4j_celery.leaving import left_at
from z4j_celery.memory import Messages, Recent, message_of
from z4j_celery.original import pack
from z4j_celery.parameters import ParameterNames
from z4j_celery.process import Process
from z4j_celery.queues import QueueNames
from z4j_core.events import Kind, TaskEvent

MAX_WAITING = 50_000
_RECEIVED, _STARTED, _SUCCEEDED = Kind.RECEIVED, Kind.STARTED, Kind.SUCCEEDED


class Run:
    """What is known of one delivery. `gathered` collects Celery's events while an end is judged."""

    __slots__ = (
        "attempt",
        "began",
        "gathered",
        "has_ended",
        "has_started",
        "name",
        "origin",
        "queue",
    )

    def __init__(
        self, attempt: int, name: str, queue: str | None, origin: Mapping[str, Any]
    ) -> None:
        self.attempt = attempt
        self.name = name
        self.queue = queue
        self.origin = origin
        self.began = 0
        self.has_started = False
        self.has_ended = False
        self.gathered: list[tuple[str, dict[str, Any]]] | None = None


class Runs:
    """Turns what happens to the requests of this worker into events, each once per delivery.

    Called on whatever thread Celery uses for the request. Nothing here raises.
    """

    def __init__(self, process: Process, messages: Messages) -> None:
        self._process = process
        self._messages = messages
        self._host = process.host
        self._emit = process.host.emit
        self._defer = process.host.defer
        self._queues = QueueNames()
        self._parameters = ParameterNames()
        self._waiting: Recent[tuple[str, int], None] = Recent(MAX_WAITING)

    def detach(self) -> None:
        """Tell nothing any more: a consumer keeps its request classes for as long as it lives."""
        self._emit = _nowhere

    def on_received(self, request: Any) -> None:
        """A message arrived, perhaps of a task that was revoked: its end follows at once then."""
        try:
            if request.request_dict["delivery_info"]["redelivered"]:
                # Compared with what is in hand now.
                self._host.catch_up()
                self._received(request, now_us())
            else:
                self._defer(self._received, request, now_us())
        except Exception:  # noqa: BLE001 - the host's worker must go on
            complain("Runs.on_received")

    def _received(self, request: Any, at: int) -> None:
        headers = request.request_dict
        task_id, info = request.id, headers["delivery_info"]
        run = self._run_of(request)
        key = (task_id, run.attempt)
        is_again = info["redelivered"]
        if is_again and self._continues(request, run, key):
            return
        self._waiting.put(key, None)
        args = headers["args"]
        data = {"args": args, "kwargs": headers["kwargs"]}
        data["original"] = lambda: _original(request, run)
        add_relations(data, headers, task_id)
        data |= run.origin
        if args and (names := self._parameters.of_task(request.task, run.name)):
            data["arg_names"] = names
        if is_again:
            data["redelivered"] = True
        if (priority := info["priority"]) is not None:
            data["priority"] = priority
        shadow = headers.get("shadow")
        if shadow is not None and (shadow := text_of(shadow)) is not None:
            data["shadow"] = shadow
        self._send(_RECEIVED, task_id, run, at, data)

    def _continues(self, request: Any, run: Run, key: tuple[str, int]) -> bool:
        """Tell whether a message delivered again is one that is still in hand: lost with the
        connection while it waited, or while it ran.
        """
        from celery.worker import state

        live = getattr(state.requests.get(request.id), "z4j_run", None)
        if live is not None and live.attempt == run.attempt and not live.has_ended:
            request.z4j_run = live
            return True
        return key in self._waiting

    def on_event(self, request: Any, kind: str, fields: dict[str, Any]) -> None:
        """Handle what Celery would tell its event dispatcher."""
        try:
            run = request.z4j_run
            if kind == "task-started":
                self._defer(self._started, request)
            elif run is not None and run.gathered is not None:
                run.gathered.append((kind, fields))
            elif kind == "task-succeeded":
                self.on_success(request, fields.get("result"), fields.get("runtime"))
            elif (ending := revoked(kind, fields)) is not None:
                self._host.catch_up()
                self._end(request, self._run_of(request), ending)
        except Exception:  # noqa: BLE001 - the host's task must go on
            complain("Runs.on_event")

    def on_success(self, request: Any, result: Any, runtime: float | None) -> None:
        """Handle the end of a run that raised nothing."""
        request.z4j_is_told = True
        self._defer(self._succeeded, request, now_us(), result, runtime)

    @contextmanager
    def judging(self, request: Any, info: Any = None, time_limit: Any = None) -> Iterator[None]:
        """Gather what Celery says of a request while it handles an end; then tell the end once.

        Celery reports some ends twice and others not at all.
        """
        self._host.catch_up()
        run = self._safe_run_of(request)
        if run is None:
            yield
            return
        outer, run.gathered = run.gathered, []
        was_acknowledged = request.acknowledged
        has_fallen = True
        try:
            yield
            has_fallen = False
        finally:
            gathered, run.gathered = run.gathered or [], outer
            self._judge(request, run, info, time_limit, gathered, was_acknowledged, has_fallen)

    def _safe_run_of(self, request: Any) -> Run | None:
        try:
            return self._run_of(request)
        except Exception:
            logger.exception("z4j cannot read a request of Celery; its end is not reported.")
            return None

    @guarded
    def _judge(
        self,
        request: Any,
        run: Run,
        info: Any,
        time_limit: Any,
        gathered: list[tuple[str, dict[str, Any]]],
        was_acknowledged: bool,
        has_fallen: bool,
    ) -> None:
        said = dict(gathered)
        if "task-succeeded" in said:
            fields = said["task-succeeded"]
            self._succeeded(request, now_us(), fields.get("result"), fields.get("runtime"))
        elif info is None:
            self._end(request, run, timed_out(time_limit, said))
        else:
            self._end(request, run, ending_of(info, said, was_acknowledged, has_fallen), info)

    def _started(self, request: Any) -> None:
        run = self._run_of(request)
        if run.has_started:
            return
        run.has_started = True
        self._waiting.take((request.id, run.attempt))
        pid = request.worker_pid if self._process.is_prefork else os.getpid()
        # When the process of the pool took the task, as Celery noted it there.
        run.began = int(request.time_start * 1_000_000)
        self._send(_STARTED, request.id, run, run.began, {"pid": pid, **run.origin})

    def _succeeded(self, request: Any, at: int, result: Any, runtime: float | None) -> None:
        run = self._run_of(request)
        if run.has_ended:
            return
        run.has_ended = True
        if not run.has_started:
            self._waiting.take((request.id, run.attempt))
        data: dict[str, Any] = {"result": result_of(result)}
        if runtime is not None:
            data["run_us"] = run_us = int(runtime * 1_000_000)
            if run.has_started:
                at = min(at, run.began + run_us)
        self._send(_SUCCEEDED, request.id, run, at, data)

    def _end(self, request: Any, run: Run, ending: Ending | None, info: Any = None) -> None:
        if ending is None or run.has_ended:
            return
        run.has_ended = True
        if not run.has_started:
            self._waiting.take((request.id, run.attempt))
        at = now_us()
        data = ending.data
        if run.has_started:
            at = left_at(info, run.began, at)
            data["run_us"] = max(0, at - run.began)
        if ending.kind in (Kind.FAILED, Kind.CANCELLED, Kind.REJECTED):
            message = message_of(request, run.name, run.queue)
            if message is not None:
                self._messages.put(request.id, message)
        self._send(ending.kind, request.id, run, at, data)

    def _send(self, kind: Kind, task_id: str, run: Run, at: int, data: dict[str, Any]) -> None:
        self._emit(
            TaskEvent(
                kind=kind,
                engine="celery",
                task_id=task_id,
                occurred_at=at,
                attempt=run.attempt,
                name=run.name,
                queue=run.queue,
                data=data,
            )
        )

    def _run_of(self, request: Any) -> Run:
        run: Run | None = request.z4j_run
        if run is None:
            headers = request.request_dict
            info = headers["delivery_info"]
            queue = self._queues.of(request.app, info["exchange"], info["routing_key"])
            began_as = origin(headers, request.id)
            run = request.z4j_run = Run(attempt_of(headers), headers["task"], queue, began_as)
        return run


def _nowhere(event: TaskEvent) -> None:
    """Take the place of the host."""


def _original(request: Any, run: Run) -> bytes | None:
    """Return the whole message as bytes, for `retry` to read again; None if it cannot be kept."""
    message = message_of(request, run.name, run.queue)
    return None if message is None else pack(message)
