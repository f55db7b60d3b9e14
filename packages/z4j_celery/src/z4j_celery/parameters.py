"""The names of a task's parameters, so that positional secrets can be recognised by name."""

from __future__ import annotations

import inspect
from typing import Any

from z4j_celery.apps import live_apps

MAX_TASKS = 5_000
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class ParameterNames:
    """Looks each task up once. Thread-safe: at worst two threads look up the same one."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def of_task(self, task: Any, name: str) -> tuple[str, ...]:
        """Return the names of a task's positional parameters; none when they cannot be told."""
        names = self._known.get(name)
        if names is None:
            names = _names(task)
            self._remember(name, names)
        return names

    def of_name(self, name: str | None) -> tuple[str, ...]:
        """As `of_task`, for a task that some app of this process has registered."""
        if name is None:
            return ()
        names = self._known.get(name)
        if names is None:
            # A task that is registered later must still be found: absence is not remembered.
            task = _registered(name)
            return () if task is None else self.of_task(task, name)
        return names

    def _remember(self, name: str, names: tuple[str, ...]) -> None:
        if len(self._known) >= MAX_TASKS:
            self._known.clear()
        self._known[name] = names


def _registered(name: str) -> Any:
    # Not `app.tasks`: that would finalize an app that its owner has not finished yet.
    for app in live_apps():
        task = app._tasks.get(name)
        if task is not None:
            return task
    return None


def _names(task: Any) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(task.run).parameters.values()
    except (TypeError, ValueError, AttributeError):
        return ()
    return tuple(parameter.name for parameter in parameters if parameter.kind in _POSITIONAL)
