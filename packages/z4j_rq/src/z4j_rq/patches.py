"""RQ's methods that enqueue, cancel, load and save jobs, with an ear; undone by `detach`.

Subclasses do not help: RQ's scheduler, its cron and its registries make plain `Queue` and `Job`
objects of their own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from rq.job import Job
from rq.queue import Queue

from z4j_agent.facts import micros, now_us
from z4j_rq import stamp
from z4j_rq.cancelled import Cancellations
from z4j_rq.facts import state_of
from z4j_rq.guard import guarded
from z4j_rq.publish import Publications
from z4j_rq.run import Runs

_RELEASED = ("deferred", "ready_to_enqueue")
_Wrapper = Callable[..., Any]


class Patches:
    """What is patched now. `attach` and `detach` belong to one thread."""

    def __init__(
        self, publications: Publications, cancellations: Cancellations, runs: Runs
    ) -> None:
        self._publications = publications
        self._cancellations = cancellations
        self._runs = runs
        self._undo: list[Callable[[], None]] = []
        self._is_on = False

    def attach(self) -> None:
        """Put the patches in place."""
        self._is_on = True
        for owner, name, wrap in (
            (Queue, "_enqueue_job", self._enqueue_job),
            (Queue, "_enqueue_rate_limited_job", self._enqueue_job),
            (Queue, "schedule_job", self._schedule_job),
            (Queue, "setup_dependencies", self._setup_dependencies),
            (Queue, "enqueue_many", self._enqueue_many),
            (Job, "cancel", self._cancel),
            (Job, "restore", self._restore),
            (Job, "to_dict", self._to_dict),
            (Job, "prepare_for_execution", self._prepare_for_execution),
            (Job, "_execute", self._execute),
        ):
            if name in vars(owner):
                self._patch(owner, name, wrap)

    def detach(self) -> None:
        """Give the methods back; what somebody else has patched over ours does nothing more."""
        self._is_on = False
        while self._undo:
            self._undo.pop()()

    def _patch(self, owner: type, name: str, wrap: _Wrapper) -> None:
        original = vars(owner)[name]

        @functools.wraps(original)
        def patched(*args: Any, **options: Any) -> Any:
            if not self._is_on:
                return original(*args, **options)
            return wrap(original, *args, **options)

        def undo() -> None:
            if vars(owner).get(name) is patched:
                setattr(owner, name, original)

        setattr(owner, name, patched)
        self._undo.append(undo)

    def _enqueue_job(
        self,
        original: _Wrapper,
        queue: Any,
        job: Any,
        pipeline: Any = None,
        *args: Any,
        **more: Any,
    ) -> Any:
        if not queue.is_async:  # runs here and now, and never waits
            return original(queue, job, pipeline, *args, **more)
        was_released = state_of(job) in _RELEASED
        self._publications.prepare(queue, job)
        answer = original(queue, job, pipeline, *args, **more)
        # `unique` saves the job by a script of its own, whatever the pipeline.
        transaction = None if more.get("unique") else pipeline
        eta = now_us() if was_released else None
        self._publications.tell(queue, job, transaction, eta)
        return answer

    def _schedule_job(
        self,
        original: _Wrapper,
        queue: Any,
        job: Any,
        datetime: Any,
        pipeline: Any = None,
        *args: Any,
        **more: Any,
    ) -> Any:
        self._publications.prepare(queue, job)
        answer = original(queue, job, datetime, pipeline, *args, **more)
        transaction = None if more.get("unique") else pipeline
        self._publications.tell(queue, job, transaction, micros(datetime))
        self._runs.on_scheduled(job, micros(datetime))
        return answer

    def _setup_dependencies(
        self,
        original: _Wrapper,
        queue: Any,
        job: Any,
        pipeline: Any = None,
        *args: Any,
        **more: Any,
    ) -> Any:
        self._publications.prepare(queue, job)
        answer = original(queue, job, pipeline, *args, **more)
        if state_of(job) == "deferred":
            self._publications.tell(queue, job, pipeline, waits=True)
        return answer

    def _enqueue_many(
        self,
        original: _Wrapper,
        queue: Any,
        job_datas: Any,
        pipeline: Any = None,
        *args: Any,
        **more: Any,
    ) -> Any:
        jobs = original(queue, job_datas, pipeline, *args, **more)
        for job in jobs:
            if state_of(job) == "deferred":
                self._publications.tell(queue, job, pipeline, waits=True)
        return jobs

    def _cancel(
        self, original: _Wrapper, job: Any, pipeline: Any = None, *args: Any, **more: Any
    ) -> Any:
        waited = self._cancellations.waits(job)
        answer = original(job, pipeline, *args, **more)
        if waited:
            self._cancellations.tell(job, pipeline)
        return answer

    def _restore(self, original: _Wrapper, job: Any, raw_data: Any) -> Any:
        answer = original(job, raw_data)
        with guarded("Patches.restore"):
            stamp.read(job, raw_data)
        return answer

    def _to_dict(self, original: _Wrapper, job: Any, *args: Any, **more: Any) -> Any:
        mapping = original(job, *args, **more)
        with guarded("Patches.to_dict"):
            stamp.write(job, mapping)
        return mapping

    def _prepare_for_execution(
        self, original: _Wrapper, job: Any, worker_name: Any, pipeline: Any
    ) -> Any:
        answer = original(job, worker_name, pipeline)
        with guarded("Patches.prepare_for_execution"):
            stamp.note_run(job, pipeline)
        return answer

    def _execute(self, original: _Wrapper, job: Any) -> Any:
        # Imports the function's module, within RQ's own time limit: only then its parameters' names
        # are known, and only then the run itself begins. It raises what the original would.
        _ = job.func
        self._runs.on_call(job)
        try:
            return original(job)
        finally:
            self._runs.on_left(job)
