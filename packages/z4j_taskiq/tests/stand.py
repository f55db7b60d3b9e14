"""A TaskIQ scheduler that runs in a thread, with its event loop, on real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

import redis
from taskiq import TaskiqScheduler
from taskiq.api import run_scheduler_task
from taskiq.cli.scheduler.run import get_all_schedules
from taskiq.schedule_sources import LabelScheduleSource
from taskiq_redis import ListQueueBroker

from z4j_core.testing import RecordingHost
from z4j_core.testing.scheduler_contract import SchedulerContract
from z4j_taskiq.scheduler import TaskiqSchedules

YEARLY = "4 5 1 1 *"


class Stand:
    """`source` makes the source of schedules from the URL of Redis; None for labels alone."""

    def __init__(self, url: str, source: Any) -> None:
        self.client = redis.Redis.from_url(url)
        self.client.flushdb()
        self.broker = ListQueueBroker(url, queue_name="shop")
        self.source = None if source is None else source(url)
        sources = [LabelScheduleSource(self.broker)]
        self.library = TaskiqScheduler(
            self.broker, sources if self.source is None else [*sources, self.source]
        )
        self.host = RecordingHost()
        self.scheduler = TaskiqSchedules()
        self.scheduler.attach(self.host)
        self._events = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

        @self.broker.task(task_name="shop:job")
        async def job(colour: str = "", password: str = "") -> None:
            raise AssertionError("there is no worker")

        self.job = job

    def begin(self) -> None:
        """Run the scheduler, as `taskiq scheduler` does."""
        self._thread.start()
        SchedulerContract().until(lambda: any(one.loop.scheduled_tasks for one in self._running()))

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something in the scheduler's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._events).result(60)

    def read(self) -> None:
        """Have the scheduler read its sources, as it does once a minute."""

        async def read() -> None:
            for running in self._running():
                running.loop.scheduled_tasks = await get_all_schedules(self.library)

        self.call(read())

    def stop(self) -> None:
        """End the scheduler."""
        if self._thread.is_alive():
            self._events.call_soon_threadsafe(self._task.cancel)
            self._thread.join(60)
        self._events.close()
        self.scheduler.detach()
        self.client.close()

    def _running(self) -> list[Any]:
        return self.scheduler._running

    def _run(self) -> None:
        self._events.run_until_complete(self._live())

    async def _live(self) -> None:
        self._task = asyncio.ensure_future(run_scheduler_task(self.library, run_startup=True))
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.broker.shutdown()
        pool = getattr(self.source, "_connection_pool", None)
        if pool is not None:
            await pool.disconnect()
        elif self.source is not None:
            await self.source.shutdown()
