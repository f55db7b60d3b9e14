"""Ending a run by an exception in its thread, without harm to the thread.

An exception that is raised from outside lands wherever the thread happens to be. In Dramatiq's own
code it turns a success into a dead letter, or ends the worker's thread for good. So it is raised
only while the thread is inside the actor's function, under a lock, and one that has not landed
when the function is left is taken back.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from threading import Lock, get_ident
from typing import Any

from dramatiq.middleware import Interrupt, raise_thread_exception

from z4j_dramatiq.run import Run, current

_ORIGINAL = "_z4j_function"


class Terminated(Interrupt):
    """Somebody ended this run through z4j."""

    def __init__(self, *args: object) -> None:
        super().__init__(*(args or ("The run was terminated through z4j.",)))


class Running:
    """The runs whose actor's function is being executed now. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs: dict[str, Run] = {}

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._runs

    def terminate(self, task_id: str) -> bool:
        """Raise `Terminated` in the thread that runs the task; False if none does."""
        with self._lock:
            run = self._runs.get(task_id)
            if run is None:
                return False
            run.is_terminated = True
            raise_thread_exception(run.thread, Terminated)
            return True

    def watch(self, actor: Any) -> None:
        """Have an actor's function tell when a thread is inside it."""
        if not hasattr(actor.fn, _ORIGINAL):
            actor.fn = self._watched(actor.fn)

    def unwatch(self, actor: Any) -> None:
        """Give an actor its own function back."""
        actor.fn = getattr(actor.fn, _ORIGINAL, actor.fn)

    def forget(self, run: Run) -> None:
        """The run is over, whatever was told of it before."""
        self._runs.pop(run.task_id, None)

    def _watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            run = current.get()
            # A task may call another actor, or itself, as a plain function.
            if run is None or run.thread:
                return function(*args, **kwargs)
            try:
                self._enter(run)
                return function(*args, **kwargs)
            finally:
                self._leave(run)

        setattr(watched, _ORIGINAL, function)
        return watched

    def _enter(self, run: Run) -> None:
        with self._lock:
            run.thread = get_ident()
            self._runs[run.task_id] = run

    def _leave(self, run: Run) -> None:
        with self._lock:
            self._runs.pop(run.task_id, None)
            if run.is_terminated:
                _take_back(run.thread)


def _take_back(thread: int) -> None:
    """Clear an exception that was set for a thread and has not been raised in it (CPython's
    ``PyThreadState_SetAsyncExc`` with NULL).
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object())
