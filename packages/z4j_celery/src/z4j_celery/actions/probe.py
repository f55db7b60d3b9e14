"""What became of tasks that seem stuck: asked of this worker, the result backend, other workers.

Nothing is guessed. A final state in the result backend is a fact and is told as an event; a task
that a worker holds is alive; of the rest it is said whether everybody who could know was asked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from z4j_celery.actions.broker import broker
from z4j_celery.actions.local import request_of
from z4j_celery.actions.results import Backend, Meta, event_of
from z4j_celery.guard import logger
from z4j_celery.process import Process
from z4j_core.capability import ActionError
from z4j_core.plugins import ProbedTask, ProbeResult, Verdict

ANSWER_WAIT_S = 1.0
BACKEND_WAIT_S = 8.0
"""For all tasks of a question together; the agent has other commands to carry out."""


class Probe:
    """Answers questions of one process, one after the other."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._asking: threading.Thread | None = None

    def ask(self, tasks: list[ProbedTask]) -> ProbeResult:
        """Return a verdict for each task, after its end was emitted if it has one."""
        apps = self._process.apps()
        if not apps:
            raise ActionError("No Celery app has been made in this process.")
        consumer = self._process.consumer
        known = {task.task_id: Verdict.ALIVE for task in tasks if _is_held_here(task, consumer)}
        asked = [f"the worker {consumer.hostname} itself"] if consumer is not None else []
        is_sure = True
        for app in apps:
            is_sure = self._ask_backend(app, _open(tasks, known), known, asked) and is_sure
        for app in apps:
            is_sure = _ask_workers(app, consumer, _open(tasks, known), known, asked) and is_sure
        rest = Verdict.UNKNOWN if is_sure else Verdict.UNANSWERED
        return ProbeResult([known.get(task.task_id, rest) for task in tasks], _listed(asked))

    def _ask_backend(
        self, app: Any, tasks: list[ProbedTask], known: dict[str, Verdict], asked: list[str]
    ) -> bool:
        """Tell ends that the result backend has; return whether it answered for all tasks."""
        if not tasks:
            return True
        backend = Backend.of(app)
        asked.append(backend.what)
        if not backend.can_be_asked:
            return True
        found, is_whole = self._read(backend, tasks)
        for task in tasks:
            meta = found.get(task.task_id)
            event = None if meta is None else event_of(task, meta, backend.what)
            if event is not None:
                self._process.host.emit(event)
                known[task.task_id] = Verdict.ENDED
        return is_whole

    def _read(self, backend: Backend, tasks: list[ProbedTask]) -> tuple[dict[str, Meta], bool]:
        """Read on a thread of its own: a client of a backend may hang for minutes."""
        if self._asking is not None and self._asking.is_alive():
            return {}, False
        found: dict[str, Meta] = {}
        has_failed = threading.Event()

        def read() -> None:
            try:
                for task in tasks:
                    found[task.task_id] = backend.read(task.task_id)
            except Exception as error:  # noqa: BLE001 - a backend's client raises what it likes
                logger.info("Celery's result backend does not answer: %r", error)
                has_failed.set()
            finally:
                backend.close()

        self._asking = threading.Thread(target=read, name="z4j-celery-probe", daemon=True)
        self._asking.start()
        self._asking.join(BACKEND_WAIT_S)
        is_whole = not self._asking.is_alive() and not has_failed.is_set()
        return dict(found), is_whole


def _is_held_here(task: ProbedTask, consumer: Any) -> bool:
    return consumer is not None and request_of(task.task_id) is not None


def _open(tasks: Iterable[ProbedTask], known: dict[str, Verdict]) -> list[ProbedTask]:
    return [task for task in tasks if task.task_id not in known]


def _ask_workers(
    app: Any,
    consumer: Any,
    tasks: list[ProbedTask],
    known: dict[str, Verdict],
    asked: list[str],
) -> bool:
    """Ask the other workers what they hold; return whether that was possible."""
    if not tasks:
        return True
    try:
        # A connection of its own: see `broker`.
        with broker(app) as connection:
            inspect = app.control.inspect(timeout=ANSWER_WAIT_S, connection=connection)
            replies = inspect.query_task([task.task_id for task in tasks]) or {}
    except NotImplementedError:
        asked.append("no other worker, since this broker has no remote control")
        return True
    except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
        logger.info("Celery's remote control does not answer: %r", error)
        return False
    own = None if consumer is None else consumer.hostname
    others = [name for name in replies if name != own]
    asked.append(f"{len(others)} other worker{'s' * (len(others) != 1)}")
    for held in replies.values():
        if isinstance(held, dict):
            known.update({str(task_id): Verdict.ALIVE for task_id in held})
    return True


def _listed(parts: list[str]) -> str:
    names = list(dict.fromkeys(parts))
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
