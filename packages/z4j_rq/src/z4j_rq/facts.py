"""RQ's jobs as plain values of an event: states, ids, arguments, names of parameters.

Jobs come out of Redis, where anybody with access to it can write, so each value is checked before
it is passed on; what does not fit is left out.
"""

from __future__ import annotations

import inspect
import sys
from types import FunctionType
from typing import Any

from rq import job as rq_job

from z4j_core.events import MAX_TASK_ID

_SIGNED = frozenset({"__wrapped__", "__signature__"})
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def state_of(job: Any) -> str:
    """Return the job's state as this object has it; asks nobody."""
    status = getattr(job, "_status", None)
    return str(getattr(status, "value", status) or "")


def task_id_of(job: Any) -> str | None:
    """Return the job's id if it can be a task's."""
    job_id = job.id
    return job_id if isinstance(job_id, str) and 0 < len(job_id) <= MAX_TASK_ID else None


def is_read(job: Any) -> bool:
    """Tell whether the job's function and arguments are there without deserialising anything.

    Where that would have to be done, it would import the application's modules: right in the
    process that runs the job, and wrong in a worker that forks, in the scheduler and in a shell.
    """
    parts = (job._func_name, job._args, job._kwargs)
    return not any(part is rq_job.UNEVALUATED for part in parts)


def arguments_of(job: Any) -> dict[str, Any]:
    """Return `args`, `kwargs` and the names of the positional ones, so that secrets among them can
    be recognised. Deserialises the job if that has not been done.
    """
    args = list(job.args or ())
    data: dict[str, Any] = {"args": args, "kwargs": dict(job.kwargs or {})}
    if args and (names := _parameter_names(job)):
        data["arg_names"] = names
    return data


def _parameter_names(job: Any) -> tuple[str, ...]:
    """Return the names of the function's parameters, if its module is loaded; imports nothing."""
    try:
        function = getattr(job.instance, job.func_name) if job.instance else _loaded(job.func_name)
        if type(function) is FunctionType and _SIGNED.isdisjoint(function.__dict__):
            # As below; a process that is forked for each job remembers nothing of it.
            return function.__code__.co_varnames[: function.__code__.co_argcount]
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError, AttributeError):
        return ()
    return tuple(parameter.name for parameter in parameters if parameter.kind in _POSITIONAL)


def _loaded(path: str) -> Any:
    """Return what a dotted path names, looking for the longest part that is a loaded module."""
    parts = path.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        found: Any = sys.modules.get(".".join(parts[:cut]))
        if found is not None:
            for part in parts[cut:]:
                found = getattr(found, part)
            return found
    raise AttributeError(path)
