"""RQ's own cron: schedules that stand in its configuration file; read from what it tells Redis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta
from rq import Queue
from rq.version import VERSION

from z4j_agent.facts import MAX_NAME, micros
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import Owner, RunResult, Schedule
from z4j_core.stable_id import stable_id
from z4j_rq.schedulers.home import RedisScheduler

SCHEDULERS = "rq:cron_schedulers"
MAX_SCHEDULERS = 100
MAX_TOLD_BYTES = 4 * 1024 * 1024
_DOMAIN = b"z4j rq cron 1\0"
_OPTIONS = ("job_timeout", "result_ttl", "ttl", "failure_ttl")
_IN_CODE = (
    "RQ's cron has its schedules from its configuration file: change that, restart `rq cron`."
)
_UNREADABLE = "Its arguments are not JSON, so RQ does not tell them; only `rq cron` can run it."
_Seconds = Annotated[int, Meta(ge=-1, le=1 << 40)]


class CronJob(msgspec.Struct, frozen=True):
    """A job as RQ's `CronScheduler` writes it into its hash, again each time that one is due."""

    func_name: str
    queue_name: str
    name: str = ""
    args: str | None = None
    kwargs: str | None = None
    interval: Annotated[int, Meta(gt=0, le=1 << 40)] | None = None
    cron: str | None = None
    latest_enqueue_time: str | None = None
    next_enqueue_time: str | None = None
    job_timeout: _Seconds | None = None
    result_ttl: _Seconds | None = None
    ttl: _Seconds | None = None
    failure_ttl: _Seconds | None = None

    @property
    def id(self) -> str:
        """Return an id from all that tells schedules of one name apart."""
        timing = self.cron or self.interval
        what = (self.name, self.func_name, self.queue_name, timing, self.args, self.kwargs)
        return stable_id(_DOMAIN, what)

    def arguments(self) -> tuple[list[Any], dict[str, Any]] | None:
        """Return the arguments, None if RQ could not write them as JSON."""
        try:
            args = msgspec.json.decode(self.args or "[]", type=list[Any])
            return args, msgspec.json.decode(self.kwargs or "{}", type=dict[str, Any])
        except msgspec.MsgspecError:
            return None


class RqCron(RedisScheduler):
    """Reads what every running ``rq cron`` of this Redis tells; it may be none."""

    name: ClassVar[str] = "rq-cron"

    def version(self) -> str:
        """Return RQ's version."""
        return str(VERSION)

    def absences(self) -> dict[str, str]:
        """Return why nothing but a run can be asked for."""
        return dict.fromkeys(("create", "update", "delete", "pause", "resume"), _IN_CODE)

    def schedules(self) -> Sequence[Schedule]:
        """Return each schedule once, also if several processes run the same configuration."""
        found: dict[str, Schedule] = {}
        for host, job in self._jobs():
            told = _schedule(host, job)
            known = found.get(told.id)
            found[told.id] = told if known is None else _joined(known, told)
        return list(found.values())

    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Enqueue the schedule's job once."""
        job = next((job for _, job in self._jobs() if job.id == schedule), None)
        if job is None:
            raise ActionError("No running `rq cron` has this schedule any more.")
        arguments = job.arguments()
        if arguments is None:
            raise ActionError(_UNREADABLE)
        args, kwargs = arguments
        options = {name: value for name in _OPTIONS if (value := getattr(job, name)) is not None}
        with self.client() as (client, known):
            serializer = known.serializer_of(job.queue_name)
            queue = Queue(job.queue_name, connection=client, serializer=serializer)
            new = queue.enqueue(job.func_name, args=tuple(args), kwargs=kwargs, **options)
        return RunResult(task_id=new.id)

    def _jobs(self) -> list[tuple[str, CronJob]]:
        """Return the jobs of all running schedulers, each with its host's name."""
        with self.client() as (client, _):
            names = client.zrange(SCHEDULERS, 0, MAX_SCHEDULERS - 1)
            told = [
                client.hmget(b"rq:cron_scheduler:" + name, "hostname", "cron_jobs")
                for name in names
            ]
        found = []
        for host, jobs in told:
            if jobs is not None and len(jobs) <= MAX_TOLD_BYTES:
                where = (host or b"").decode(errors="replace")[:100]
                found += [(where, job) for job in msgspec.json.decode(jobs, type=list[CronJob])]
        return found


def _schedule(host: str, job: CronJob) -> Schedule:
    arguments = job.arguments()
    args, kwargs = arguments or ([], {})
    return Schedule(
        id=job.id,
        name=(job.name or job.func_name)[:MAX_NAME],
        timing=(job.cron or f"every {job.interval} s")[:MAX_NAME],
        owner=Owner.CODE,
        task=job.func_name[:MAX_NAME],
        queue=job.queue_name[:MAX_NAME],
        every_s=None if job.cron or job.interval is None else float(job.interval),
        timezone=f"local time of {host}" if job.cron else None,
        arguments={"args": args, "kwargs": kwargs},
        last_run_at=_time(job.latest_enqueue_time),
        next_run_at=_time(job.next_enqueue_time),
        absent={"run_now": _UNREADABLE} if arguments is None else {},
    )


def _joined(one: Schedule, other: Schedule) -> Schedule:
    """Return what two processes with the same schedule do together: each of them enqueues it."""
    last = max((at for at in (one.last_run_at, other.last_run_at) if at is not None), default=None)
    then = min((at for at in (one.next_run_at, other.next_run_at) if at is not None), default=None)
    return msgspec.structs.replace(one, last_run_at=last, next_run_at=then)


def _time(text: str | None) -> int | None:
    try:
        return micros(datetime.fromisoformat(text or ""))
    except ValueError:
        return None
