"""The contract of schedulers, with a worker of arq that runs, on real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from arq import cron
from arq.connections import RedisSettings
from arq.cron import CronJob
from arq.worker import Worker

from z4j_arq.scheduler import ArqCron
from z4j_arq.timing import timing_of
from z4j_core.capability import ActionError
from z4j_core.plugins import Owner
from z4j_core.testing import RecordingHost
from z4j_core.testing.scheduler_contract import SchedulerContract

# arq closes its pool in redis-py's old way.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


async def job(ctx: Any) -> None:
    """Never run: the worker takes no jobs."""
    raise AssertionError("the worker takes no jobs")


def yearly(name: str, **options: Any) -> CronJob:
    return cron(job, name=name, month=1, day=1, hour=5, minute=4, **options)


class Harness:
    """A worker in a thread with its event loop, as `arq` runs it, that picks no jobs."""

    has_cron_jobs = True

    def __init__(self, port: int, *jobs: CronJob) -> None:
        self.client = redis.Redis(port=port, db=6)
        self.client.flushdb()
        self.host = RecordingHost()
        self.scheduler = ArqCron()
        self.scheduler.attach(self.host)
        self.jobs = list(jobs)
        self._settings = RedisSettings(port=port, database=6)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(60)

    def add(self, name: str, **arguments: str) -> str:
        made = yearly(name)  # arq calls cron jobs without arguments
        made.calculate_next(datetime.now(UTC))
        self.worker.cron_jobs.append(made)
        return name

    def enabled(self, schedule: str) -> bool | None:
        return True if any(one.name == schedule for one in self.worker.cron_jobs) else None

    def published(self) -> int:
        return int(self.client.zcard("arq:queue"))

    def changed(self) -> dict[str, Any]:
        return {}

    def creatable(self, name: str) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        if self._thread.is_alive():
            self.worker.loop.call_soon_threadsafe(self.worker.main_task.cancel)
            self._thread.join(60)
        self.scheduler.detach()
        self.client.close()

    def _run(self) -> None:
        events = asyncio.new_event_loop()
        asyncio.set_event_loop(events)
        self.worker = Worker(
            [job],
            cron_jobs=self.jobs,
            redis_settings=self._settings,
            handle_signals=False,
            timezone=UTC,
            poll_delay=0.5,
        )
        self.worker.allow_pick_jobs = False
        self.worker.on_startup = self._begun
        self.worker.run()
        events.close()

    async def _begun(self, ctx: Any) -> None:
        self._ready.set()


class TestContract(SchedulerContract):
    module = "z4j_arq.plugin"
    library = "arq"
    has_arguments = False

    @pytest.fixture
    def harness(self, redis_server: Any) -> Iterator[Harness]:
        harness = Harness(redis_server.port, yearly("first"))
        yield harness
        harness.close()


until, call = TestContract().until, TestContract().call


@contextlib.contextmanager
def running(redis_server: Any, *jobs: CronJob) -> Iterator[Harness]:
    harness = Harness(redis_server.port, *jobs)
    try:
        yield harness
    finally:
        harness.close()


def test_what_the_worker_enqueues_is_told(redis_server: Any) -> None:
    with running(redis_server, yearly("nightly", run_at_startup=True), yearly("other")) as harness:
        until(lambda: bool(harness.host.started))
        assert harness.host.started[0] == ("scheduler", None)
        assert harness.published() == 1
        nightly, other = harness.scheduler.schedules()
        assert (nightly.id, nightly.owner, nightly.timing) == ("nightly", Owner.CODE, "4 5 1 1 *")
        assert (nightly.queue, nightly.timezone) == ("arq:queue", "UTC")
        assert nightly.last_run_at is not None
        assert nightly.next_run_at is not None
        due = datetime.fromtimestamp(nightly.next_run_at / 1e6, UTC)
        assert (due.month, due.day, due.hour, due.minute) == (1, 1, 5, 4)
        assert other.last_run_at is None


def test_a_cron_job_with_an_id_of_its_own_is_there_once(redis_server: Any) -> None:
    with running(redis_server, yearly("nightly", job_id="the-one")) as harness:
        until(lambda: harness.scheduler.store() is not None)
        assert call(harness, "run_now", "nightly").task_id == "the-one"
        with pytest.raises(ActionError, match="already: it waits"):
            call(harness, "run_now", "nightly")
        with pytest.raises(ActionError, match="knows no such"):
            call(harness, "run_now", "unknown")
        assert harness.published() == 1


def test_a_host_that_fails_does_not_end_the_worker(
    redis_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        calls.append(1)
        raise OSError("no threads left")

    calls: list[int] = []
    monkeypatch.setattr(RecordingHost, "ensure_started", fail)
    with running(redis_server, yearly("nightly")) as harness:
        until(lambda: len(calls) > 1)
        assert call(harness, "run_now", "nightly").task_id


def test_a_worker_without_cron_jobs_or_that_ended_is_no_scheduler(redis_server: Any) -> None:
    with running(redis_server) as harness:
        assert harness.scheduler.store() is None
        assert harness.host.started == []
    with running(redis_server, yearly("nightly")) as harness:
        until(lambda: harness.scheduler.store() is not None)
        harness.close()
        assert harness.scheduler.store() is None
    assert not hasattr(Worker.main, "__wrapped__"), "what was attached is taken back"
    assert not hasattr(Worker.run_cron, "__wrapped__")


@pytest.mark.parametrize(
    ("fields", "timing"),
    [
        ({}, "* * * * *"),
        ({"minute": set(range(0, 60, 15))}, "*/15 * * * *"),
        ({"hour": {9, 10, 11}, "minute": 0, "weekday": "mon"}, "0 9-11 * * 1"),
        ({"hour": 0, "minute": 0, "weekday": {5, 6}}, "0 0 * * 0,6"),
        ({"second": 30}, "* * * * *, seconds 30"),
        ({"second": None}, "* * * * *, seconds *"),
    ],
)
def test_the_fields_are_written_as_a_line_of_cron(fields: Any, timing: str) -> None:
    assert timing_of(cron(job, **fields)) == timing
