"""A scheduler that runs in this process: what it works with, and work in its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from taskiq.cli.scheduler.run import get_all_schedules

from z4j_agent.host_loop import call_in

Value = TypeVar("Value")


class Running:
    """One of TaskIQ's `SchedulerLoop`, with the event loop that it runs in.

    Its sources belong to that event loop, so they are used there and nowhere else.
    """

    def __init__(self, loop: Any, events: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._events = events

    @property
    def scheduler(self) -> Any:
        """TaskIQ's scheduler."""
        return self.loop.scheduler

    async def read_again(self) -> None:
        """Have the scheduler work with what the sources have now, and not in a minute."""
        self.loop.scheduled_tasks = await get_all_schedules(self.scheduler)

    def call(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Return what the event loop makes of `work`; from another thread. Raise `ActionError`."""
        return call_in(self._events, work, "TaskIQ's scheduler")
