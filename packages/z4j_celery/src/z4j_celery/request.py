"""The observed request: Celery's own class for a delivered task, with an ear.

`Task.Request` is Celery's extension point for it. In contrast to the event dispatcher a request
knows which run an event belongs to, survives reconnections, hears tasks with
``send_events=False``, and sees the real exception.
"""

from __future__ import annotations

from typing import Any

from celery.utils.imports import symbol_by_name

from z4j_celery.cancelled import Cancelled
from z4j_celery.run import Run, Runs

_RUNS = "z4j_runs"


def observe_tasks(app: Any, runs: Runs, cancelled: Cancelled) -> None:
    """Make the worker use observed requests for all tasks of the app; again does no harm."""
    classes: dict[Any, Any] = {}
    for task in app.tasks.values():
        base = symbol_by_name(task.Request)
        if getattr(base, _RUNS, None) is runs:
            continue
        if base not in classes:
            classes[base] = observed(base, runs, cancelled)
        task.Request = classes[base]


def stop_observing(app: Any, runs: Runs) -> None:
    """Give the tasks their own request class back."""
    for task in app.tasks.values():
        if getattr(task.Request, _RUNS, None) is runs:
            base = task.Request.__bases__[0]
            del task.Request
            if symbol_by_name(task.Request) is not base:
                task.Request = base


def reporting(on_success: Any, runs: Runs) -> Any:
    """Return the method so that it reports a success itself if that has not been done."""

    def report(self: Any, outcome: Any, **options: Any) -> Any:
        answer = on_success(self, outcome, **options)
        if not self.z4j_is_told:
            has_failed, result, runtime = outcome
            if not has_failed:
                runs.on_success(self, result, runtime)
        return answer

    return report


def observed(base: Any, runs: Runs, cancelled: Cancelled) -> Any:
    """Return a subclass of a request class that reports to `runs`."""

    class Observed(base):  # type: ignore[misc]
        z4j_runs = runs
        z4j_run: Run | None = None
        z4j_is_told = False  # of its success

        # Celery's signal says the same of a message, for ten times the code: it looks its
        # receivers up anew for each.
        def __init__(self, message: Any, **options: Any) -> None:
            base.__init__(self, message, **options)
            runs.on_received(self)

        def __init_subclass__(cls, **options: Any) -> None:
            # What Celery derives for a worker says nothing of a success unless events are on.
            super().__init_subclass__(**options)
            if "on_success" in cls.__dict__:
                cls.on_success = reporting(cls.on_success, runs)

        def send_event(self, type: str, **fields: Any) -> Any:
            runs.on_event(self, type, fields)
            return base.send_event(self, type, **fields)

        def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
            with runs.judging(self, info=exc_info):
                return super().on_failure(exc_info, *args, **kwargs)

        def on_timeout(self, soft: Any, timeout: Any) -> Any:
            if soft:
                return super().on_timeout(soft, timeout)
            with runs.judging(self, time_limit=timeout):
                return super().on_timeout(soft, timeout)

        def revoked(self) -> Any:
            if cancelled.is_needed:
                cancelled.remind(self.id)
            return base.revoked(self)

    return Observed
