"""The schedulers of this process, and what can be done with their jobs."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.jobstores.base import ConflictingIdError, JobLookupError
from apscheduler.schedulers.base import BaseScheduler

from z4j_apscheduler.jobs import schedule_of, task_of
from z4j_apscheduler.parameters import JobParams, NewJobParams
from z4j_apscheduler.stores import identity_of, is_lasting, stores_of
from z4j_apscheduler.triggers import made_from, micros
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import CreateResult, Host, RunResult, Schedule, Scheduler

MAX_REMEMBERED = 10_000


class APScheduler(Scheduler):
    """The jobs of all APSchedulers that were started in this process since `attach`.

    Thread-safe as APScheduler is: it reads its stores with its own connections, under its locks.
    """

    name: ClassVar[str] = "apscheduler"
    engine: ClassVar[str] = "python"

    def __init__(self) -> None:
        self._host: Host | None = None
        self._schedulers: list[Any] = []
        self._listeners: list[Callable[..., None]] = []
        self._replaced: OrderedDict[str, None] = OrderedDict()
        self._last: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._own: dict[str, Callable[..., Any]] = {}

    def version(self) -> str:
        """Return APScheduler's version."""
        from importlib.metadata import version

        return version("apscheduler")

    def attach(self, host: Host) -> None:
        """Hear of schedulers that are started, and of jobs that the code makes."""
        if self._host is not None:
            return
        self._host = host
        self._own = {name: getattr(BaseScheduler, name) for name in ("start", "_real_add_job")}
        BaseScheduler.start = self._observed_start(self._own["start"])
        BaseScheduler._real_add_job = self._observed_add(self._own["_real_add_job"])

    def detach(self) -> None:
        """Hear of nothing more."""
        for name, own in self._own.items():
            setattr(BaseScheduler, name, own)
        for scheduler, listener in zip(self._schedulers, self._listeners, strict=True):
            scheduler.remove_listener(listener)
        self._listeners.clear()
        self._own.clear()
        self._schedulers.clear()
        self._host = None

    def add(self, scheduler: Any) -> None:
        """Tell the jobs of a scheduler; again does no harm."""
        if self._host is None or any(scheduler is one for one in self._schedulers):
            return
        listener = functools.partial(self._on_run, len(self._schedulers))
        scheduler.add_listener(listener, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        self._schedulers.append(scheduler)
        self._listeners.append(listener)
        self._host.ensure_started("scheduler")

    def store(self) -> str | None:
        """Return which job stores these are; None while no scheduler was started."""
        return identity_of(self._schedulers) if self._schedulers else None

    def schedules(self) -> Sequence[Schedule]:
        """Return the jobs of all stores."""
        found = []
        for number, scheduler in enumerate(self._schedulers):
            for alias, store in stores_of(scheduler).items():
                for job in scheduler.get_jobs(alias):
                    identity = _identity(number, alias, job.id)
                    found.append(
                        schedule_of(
                            job,
                            identity,
                            is_lasting(store),
                            identity in self._replaced,
                            self._last.get(identity),
                        )
                    )
        return found

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Hand the job to its executor; its own next run stays."""
        scheduler, _, job = self._find(schedule)
        executor = scheduler._lookup_executor(job.executor)

        def submit() -> None:
            executor.submit_job(job, [datetime.now(scheduler.timezone)])

        loop = getattr(scheduler, "_eventloop", None)
        try:
            if loop is not None:
                loop.call_soon_threadsafe(submit)
            else:
                submit()
        except Exception as error:  # noqa: BLE001 - executors raise what they like
            raise ActionError(
                f"The job was not started ({type(error).__name__}): as many of it as it allows may "
                "be running. Try again when they have ended."
            ) from error
        return RunResult()

    def pause(self, schedule: str, params: NoParams) -> None:
        """Keep a job from running."""
        scheduler, alias, job = self._find(schedule)
        scheduler.pause_job(job.id, alias)

    def resume(self, schedule: str, params: NoParams) -> None:
        """Let a paused job run."""
        scheduler, alias, job = self._find(schedule)
        if job.next_run_time is None and scheduler.resume_job(job.id, alias) is None:
            raise ActionError("The job was never to run again, so it was removed.")

    def update(self, schedule: str, params: JobParams) -> None:
        """Change when a job runs, and with what."""
        scheduler, alias, job = self._find(schedule)
        trigger = made_from(params.every_s, params.cron, params.timezone, scheduler.timezone)
        changes = {
            name: value
            for name, value in (("args", params.args), ("kwargs", params.kwargs))
            if value is not None
        }
        is_paused = job.next_run_time is None
        try:
            if changes:
                scheduler.modify_job(job.id, alias, **changes)
            if trigger is not None:
                scheduler.reschedule_job(job.id, alias, trigger=trigger)
                if is_paused:
                    scheduler.pause_job(job.id, alias)
        except (TypeError, ValueError) as error:
            raise ActionError(f"The job does not take this: {str(error)[:300]}.") from error

    def delete(self, schedule: str, params: NoParams) -> None:
        """Remove a job."""
        scheduler, alias, job = self._find(schedule)
        scheduler.remove_job(job.id, alias)

    def create(self, params: NewJobParams) -> CreateResult:
        """Add a job to the store of one that calls the same function.

        Nothing else can be called: who may make schedules may not run whatever there is.
        """
        number, alias, scheduler, function = self._caller(params.task)
        trigger = made_from(params.every_s, params.cron, params.timezone, scheduler.timezone)
        if trigger is None:
            raise ActionError("Say when the job runs: give every_s or cron.")
        try:
            job = scheduler.add_job(
                function,
                trigger,
                args=params.args,
                kwargs=params.kwargs,
                id=params.id,
                jobstore=alias,
            )
        except ConflictingIdError:
            raise ActionError(f"There is a job {params.id!r} already; take another id.") from None
        except (TypeError, ValueError) as error:
            raise ActionError(f"The job does not take this: {str(error)[:300]}.") from error
        return CreateResult(schedule=_identity(number, alias, job.id))

    def _caller(self, task: str) -> tuple[int, str, Any, Any]:
        for number, scheduler in enumerate(self._schedulers):
            for alias in stores_of(scheduler):
                for job in scheduler.get_jobs(alias):
                    if task_of(job) == task:
                        return number, alias, scheduler, job.func_ref or job.func
        raise ActionError(
            f"No job of this process calls {task!r}. Only functions that some job calls can be "
            "scheduled from here; the first job of a function is made in the code."
        )

    def _find(self, schedule: str) -> tuple[Any, str, Any]:
        """Return the scheduler, the store's name and the job."""
        for number, scheduler in enumerate(self._schedulers):
            for alias in stores_of(scheduler):
                prefix = _identity(number, alias, "")
                if schedule.startswith(prefix):
                    try:
                        job = scheduler.get_job(schedule[len(prefix) :], alias)
                    except JobLookupError:
                        job = None
                    if job is not None:
                        return scheduler, alias, job
        raise ActionError("This job is not there any more; it may have run for the last time.")

    def _on_run(self, number: int, event: Any) -> None:
        """A job ran; called on the thread that ran it."""
        identity = _identity(number, event.jobstore, event.job_id)
        _, runs = self._last.get(identity, (0, 0))
        _remember(self._last, identity, (micros(event.scheduled_run_time) or 0, runs + 1))

    def _observed_start(self, start: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(start)
        def observed(scheduler: Any, *args: Any, **kwargs: Any) -> Any:
            result = start(scheduler, *args, **kwargs)
            self.add(scheduler)
            return result

        return observed

    def _observed_add(self, add: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(add)
        def observed(scheduler: Any, job: Any, alias: Any, is_replacing: Any) -> Any:
            if is_replacing:
                number = next(
                    (n for n, one in enumerate(self._schedulers) if one is scheduler),
                    len(self._schedulers),  # it is being started
                )
                _remember(self._replaced, _identity(number, alias, job.id), None)
            return add(scheduler, job, alias, is_replacing)

        return observed


def _remember(where: OrderedDict[str, Any], key: str, value: Any) -> None:
    where[key] = value
    if len(where) > MAX_REMEMBERED:
        where.popitem(last=False)


def _identity(number: int, alias: str, job_id: str) -> str:
    """Return a schedule's id: stable as long as schedulers are started in the same order."""
    place = alias if number == 0 else f"{number}:{alias}"
    return f"{place}/{job_id}"
