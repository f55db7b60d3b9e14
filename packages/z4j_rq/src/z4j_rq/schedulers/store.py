"""rq-scheduler: schedules that stand in Redis, a job for each, and can be changed there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Annotated, Any, ClassVar
from uuid import uuid4

import msgspec
from msgspec import Meta
from rq import Queue
from rq.job import Job
from rq_scheduler import Scheduler as Library
from rq_scheduler.utils import get_next_scheduled_time, to_unix

from z4j_agent.facts import MAX_NAME, micros
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import CreateResult, Owner, RunResult, Schedule
from z4j_rq.original import dress, original_of
from z4j_rq.schedulers.home import RedisScheduler
from z4j_rq.schedulers.reading import plainly
from z4j_rq.stamp import runs_of

PAUSED = "z4j:rq-scheduler:paused"
"""Hash of the paused jobs' ids, each with the time (s) at which it would have run next."""
MAX_READ = 2_000
"""Jobs that are looked at, those due soonest first; one that runs once is no schedule."""
MAX_INTERVAL_S = 366 * 86_400
_GONE = "The schedule is gone: somebody deleted it, or it has run as often as it should."
_Cron = Annotated[str, Meta(min_length=9, max_length=120)]
_Interval = Annotated[int, Meta(ge=1, le=MAX_INTERVAL_S)]
_Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]


class UpdateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is not given stays. `cron` and `interval_s` exclude each other."""

    cron: _Cron | None = None
    interval_s: _Interval | None = None
    queue: _Name | None = None


class CreateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`task` is the dotted path of a function; either `cron` or `interval_s` is needed."""

    task: _Name
    queue: _Name
    cron: _Cron | None = None
    interval_s: _Interval | None = None
    args: list[Any] = []
    kwargs: dict[str, Any] = {}


class RqScheduler(RedisScheduler):
    """Reads and writes what the process ``rqscheduler`` works through."""

    name: ClassVar[str] = "rq-scheduler"

    def version(self) -> str:
        """Return the version of rq-scheduler."""
        return version("rq-scheduler")

    def schedules(self) -> Sequence[Schedule]:
        """Return the jobs that run again and again, paused ones too."""
        with self.client() as (client, _):
            times = _times(client)
            paused = {key: at for key, at in _paused(client).items() if key not in times}
            jobs = _jobs(client, [*times, *paused])
        return [
            _schedule(job, times.get(job.id), is_enabled=job.id in times)
            for job in jobs
            if _timing(job) is not None
        ]

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Enqueue a copy of the schedule's job: the job itself has its place and its times."""
        with self.client() as (client, known):
            job = _existing(client, schedule)
            new = Job.create("z4j", id=str(uuid4()), connection=client, serializer=job.serializer)
            dress(new, original_of(job))
            serializer = known.serializer_of(job.origin)
            Queue(job.origin, connection=client, serializer=serializer).enqueue_job(new)
            return RunResult(task_id=new.id)

    def pause(self, schedule: str, params: NoParams) -> None:
        """Take the job out of the scheduler's set, and keep its time beside it."""
        with self.client() as (client, _):
            at = client.zscore(Library.scheduled_jobs_key, schedule)
            if at is None:
                _existing(client, schedule)
                return
            with client.pipeline() as pipe:
                pipe.hset(PAUSED, schedule, int(at))
                pipe.zrem(Library.scheduled_jobs_key, schedule)
                pipe.execute()

    def resume(self, schedule: str, params: NoParams) -> None:
        """Put the job back, for its next time."""
        with self.client() as (client, _):
            at = _paused(client).get(schedule)
            if at is None:
                _existing(client, schedule)
                return
            job = _existing(client, schedule)
            with client.pipeline() as pipe:
                pipe.zadd(Library.scheduled_jobs_key, {schedule: _next(job, at)}, nx=True)
                pipe.hdel(PAUSED, schedule)
                pipe.execute()

    def update(self, schedule: str, params: UpdateParams) -> None:
        """Change when the job runs, and in which queue."""
        _check_timing(params.cron, params.interval_s)
        with self.client() as (client, _):
            job = _existing(client, schedule)
            if params.queue is not None:
                job.origin = params.queue
            if params.cron is not None:
                job.meta.pop("interval", None)
                job.meta["cron_string"] = params.cron
            if params.interval_s is not None:
                job.meta.pop("cron_string", None)
                job.meta["interval"] = params.interval_s
            with client.pipeline() as pipe:
                # Not `save`: the job may be running, and its other fields are others' to write.
                meta = job.serializer.dumps(job.meta)
                pipe.hset(job.key, mapping={"origin": job.origin, "meta": meta})
                if params.cron is not None or params.interval_s is not None:
                    at = _next(job, to_unix(datetime.now(UTC)))
                    pipe.zadd(Library.scheduled_jobs_key, {schedule: at}, xx=True)
                pipe.execute()

    def delete(self, schedule: str, params: NoParams) -> None:
        """Take the job out of the scheduler's set; its hash stays, as rq-scheduler leaves it."""
        with self.client() as (client, _):
            with client.pipeline() as pipe:
                pipe.zrem(Library.scheduled_jobs_key, schedule)
                pipe.hdel(PAUSED, schedule)
                removed = pipe.execute()
            if not any(removed):
                raise ActionError(_GONE)

    def create(self, params: CreateParams) -> CreateResult:
        """Add a schedule."""
        _check_timing(params.cron, params.interval_s)
        what: dict[str, Any] = {"args": params.args, "kwargs": params.kwargs}
        with self.client() as (client, _):
            library = Library(queue_name=params.queue, connection=client)
            if params.cron is not None:
                job = library.cron(params.cron, params.task, **what)
            elif params.interval_s is not None:
                first = datetime.now(UTC) + timedelta(seconds=params.interval_s)
                job = library.schedule(first, params.task, interval=params.interval_s, **what)
            else:
                raise ActionError("Say when it runs: give a cron expression or an interval.")
        return CreateResult(schedule=str(job.id))


def _check_timing(cron: str | None, interval_s: int | None) -> None:
    if cron is not None and interval_s is not None:
        raise ActionError("Give a cron expression or an interval, not both.")
    if cron is not None:
        try:
            get_next_scheduled_time(cron)
        except (ValueError, KeyError, TypeError) as error:
            raise ActionError(f"The cron expression cannot be read: {str(error)[:200]}.") from None


def _times(client: Any) -> dict[str, int]:
    found = client.zrange(Library.scheduled_jobs_key, 0, MAX_READ - 1, withscores=True)
    return {key.decode(errors="replace"): int(at) for key, at in found}


def _paused(client: Any) -> dict[str, int]:
    found = list(client.hgetall(PAUSED).items())[:MAX_READ]
    return {key.decode(errors="replace"): int(at) for key, at in found if at.isdigit()}


def _jobs(client: Any, ids: list[str]) -> list[Any]:
    """Return the jobs that there are and that can be read."""
    with client.pipeline(transaction=False) as pipe:
        for job_id in ids:
            pipe.hgetall(Job.key_for(job_id))
        found = pipe.execute()
    jobs = [_restored(client, job_id, raw) for job_id, raw in zip(ids, found, strict=True)]
    return [job for job in jobs if job is not None]


def _restored(client: Any, job_id: str, raw: Any) -> Any:
    try:
        job = Job(job_id, connection=client)
        job.restore(raw)
    except Exception:  # noqa: BLE001 - what stands in Redis may be anything
        return None
    return job


def _existing(client: Any, schedule: str) -> Any:
    jobs = _jobs(client, [schedule])
    is_there = client.zscore(Library.scheduled_jobs_key, schedule) is not None
    if not jobs or not (is_there or client.hexists(PAUSED, schedule)):
        raise ActionError(_GONE)
    return jobs[0]


def _next(job: Any, at: int) -> int:
    """Return the next time (s) after now: a cron's own, an interval's in the phase of `at`."""
    cron, interval = _timing(job) or (None, None)
    if cron is not None:
        local = bool(job.meta.get("use_local_timezone"))
        return int(to_unix(get_next_scheduled_time(cron, use_local_timezone=local)))
    now = to_unix(datetime.now(UTC))
    return max(at, at + -(-(now + 1 - at) // interval) * interval) if interval else at


def _timing(job: Any) -> tuple[str | None, int | None] | None:
    """Return the cron expression or the interval (s) of a job; None if it runs only once."""
    meta = job.meta if isinstance(job.meta, dict) else {}
    cron, interval = meta.get("cron_string"), meta.get("interval")
    if isinstance(cron, str) and cron:
        return cron, None
    is_interval = isinstance(interval, int) and not isinstance(interval, bool) and interval > 0
    return (None, interval) if is_interval else None


def _schedule(job: Any, at: int | None, *, is_enabled: bool) -> Schedule:
    cron, interval = _timing(job) or (None, None)
    plain = plainly(job)
    name, args, kwargs = plain or (None, [], {})
    values = {"cron": cron, "interval_s": interval, "queue": job.origin}
    return Schedule(
        id=job.id,
        name=str(name or job.description or job.id)[:MAX_NAME],
        timing=(cron or f"every {interval} s")[:MAX_NAME],
        owner=Owner.STORE,
        task=None if name is None else name[:MAX_NAME],
        queue=str(job.origin)[:MAX_NAME],
        every_s=None if interval is None else float(interval),
        arguments={"args": args, "kwargs": kwargs} if plain else {},
        enabled=is_enabled,
        last_run_at=micros(job.enqueued_at),
        next_run_at=at * 1_000_000 if at is not None and at >= 0 else None,
        runs=runs_of(job) or None,
        values={key: value for key, value in values.items() if value is not None},
    )
