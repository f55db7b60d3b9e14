"""Both schedulers pass the contract kit on real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import rq_shop
from rq_scheduler import Scheduler as Library
from stand import Stand

from z4j_core.plugins import Scheduler
from z4j_core.testing.scheduler_contract import SchedulerContract
from z4j_rq.schedulers.cron import RqCron
from z4j_rq.schedulers.store import PAUSED, RqScheduler

try:
    from rq import cron
except ImportError:
    cron = None
pytestmark = [  # of rq-scheduler and its crontab
    pytest.mark.filterwarnings("ignore:Version 0.22.0:FutureWarning"),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning"),
]
NIGHTLY = "5 4 * * *"


class Harness:
    """What both have in common; `name` stands for a queue, as RQ's schedules have no names."""

    def __init__(self, stand: Stand, scheduler: Scheduler) -> None:
        self.stand = stand
        self.scheduler = scheduler
        stand.queue.enqueue(rq_shop.add, 1)  # so that the process knows its Redis
        stand.queue.empty()
        scheduler.attach(stand.host)

    def published(self) -> int:
        return sum(event.kind.value == "published" for event in self.stand.host.events) - 1


class StoreHarness(Harness):
    def __init__(self, stand: Stand) -> None:
        super().__init__(stand, RqScheduler())
        self.library = Library(queue_name="shop", connection=stand.client)

    def add(self, name: str, **arguments: str) -> str:
        job = self.library.cron(NIGHTLY, "rq_shop.add", kwargs=arguments, queue_name=name)
        return str(job.id)

    def enabled(self, schedule: str) -> bool | None:
        if self.stand.client.zscore(self.library.scheduled_jobs_key, schedule) is not None:
            return True
        return False if self.stand.client.hexists(PAUSED, schedule) else None

    def changed(self) -> dict[str, Any]:
        return {"interval_s": 3600}

    def creatable(self, name: str) -> dict[str, Any]:
        return {"task": "rq_shop.add", "queue": name, "cron": NIGHTLY}


class CronHarness(Harness):
    def __init__(self, stand: Stand) -> None:
        super().__init__(stand, RqCron())
        self.running = cron.CronScheduler(
            connection=stand.client, name="c1", logging_level="CRITICAL"
        )
        self.running.register_birth()

    def add(self, name: str, **arguments: str) -> str:
        known = {one.id for one in self.scheduler.schedules()}
        self.running.register(rq_shop.add, name, kwargs=dict(arguments), cron=NIGHTLY)
        self.running.save()
        [new] = {one.id for one in self.scheduler.schedules()} - known
        return new

    def enabled(self, schedule: str) -> bool | None:
        return time.time() < self.stand.client.zscore("rq:cron_schedulers", "c1") + 120

    def changed(self) -> dict[str, Any]:
        return {}

    def creatable(self, name: str) -> dict[str, Any]:
        return {}


class TestStore(SchedulerContract):
    module = "z4j_rq.schedulers.store_plugin"
    library = "rq_scheduler"

    @pytest.fixture
    def harness(self, client: redis.Redis) -> Iterator[StoreHarness]:
        with Stand(client) as stand:
            yield StoreHarness(stand)


if cron is not None:  # RQ 2.0 has none

    class TestCron(SchedulerContract):
        module = "z4j_rq.schedulers.cron_plugin"
        library = "rq"

        @pytest.fixture
        def harness(self, client: redis.Redis) -> Iterator[CronHarness]:
            with Stand(client) as stand:
                yield CronHarness(stand)
