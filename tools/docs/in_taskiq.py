"""TaskIQ's plugin, in a scheduler with each kind of sources."""

from __future__ import annotations

import asyncio

from offers import Asked
from taskiq import InMemoryBroker, TaskiqScheduler
from taskiq.cli.scheduler.run import SchedulerLoop
from taskiq.schedule_sources import LabelScheduleSource
from taskiq_redis import ListRedisScheduleSource

from z4j_taskiq.running import Running
from z4j_taskiq.scheduler import TaskiqSchedules


def scheduler() -> Asked:
    """Return the plugin with a source in Redis, which it does not open, and without."""
    events = asyncio.new_event_loop()
    broker = InMemoryBroker()
    redis, labels = ListRedisScheduleSource("redis://localhost"), LabelScheduleSource(broker)
    for words, source in (("with a source in Redis", redis), ("with labels alone", labels)):
        plugin = TaskiqSchedules()
        loop = SchedulerLoop(TaskiqScheduler(broker, [source]), event_loop=events)
        plugin.watch(Running(loop, events))
        yield words, plugin
    events.close()
