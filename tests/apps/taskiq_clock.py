"""A TaskIQ scheduler with schedules in Redis. What it sends stays in its queue."""

from __future__ import annotations

import os

from taskiq import TaskiqScheduler
from taskiq.schedule_sources import LabelScheduleSource
from taskiq_redis import ListQueueBroker, ListRedisScheduleSource

import z4j_taskiq.auto  # noqa: F401

broker = ListQueueBroker(os.environ["BROKER_URL"], queue_name="parked")


@broker.task(task_name="first", schedule=[{"cron": "0 3 1 1 *"}])
async def first() -> None:
    """Is never run: there is no worker."""


@broker.task(task_name="nightly")
async def nightly(number: int) -> None:
    """As the first."""


sources = [LabelScheduleSource(broker), ListRedisScheduleSource(os.environ["BROKER_URL"])]
scheduler = TaskiqScheduler(broker, sources)
