"""The sources of schedules: where they are, and the schedules in them with ids that last."""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from taskiq.schedule_sources import LabelScheduleSource

from z4j_agent.places import redis_place
from z4j_core.schedules import store_id
from z4j_core.stable_id import stable_id

_DOMAIN = b"z4j taskiq label 1\0"
_GENERATED = re.compile("[0-9a-f]{32}")
_Part = str | int | None


class Entry(NamedTuple):
    """A schedule of a source, with the id that z4j has for it."""

    id: str
    source: Any
    task: Any


def entries(scheduled: list[tuple[Any, list[Any]]]) -> Iterator[Entry]:
    """Yield the schedules that run again and again, each id once.

    What runs once is a task that waits, and no schedule. TaskIQ gives those from labels a new id
    at each start, so theirs is made of what tells them apart.
    """
    seen: Counter[str] = Counter()
    for source, tasks in scheduled:
        for task in tasks:
            if task.cron is None and task.interval is None:
                continue
            identity = _of_label(task, seen) if is_in_code(source) else str(task.schedule_id)[:255]
            seen[identity] += 1
            if identity and seen[identity] == 1:
                yield Entry(identity, source, task)


def is_in_code(source: Any) -> bool:
    """Tell whether a source has its schedules from the labels of tasks."""
    return isinstance(source, LabelScheduleSource)


def is_writable(source: Any) -> bool:
    """Tell whether schedules can be made and deleted there: of the kinds that z4j is tested with.

    Other sources may do nothing when they are asked to, by the contract of TaskIQ.
    """
    names = {f"{one.__module__.partition('.')[0]}.{one.__name__}" for one in type(source).__mro__}
    return not names.isdisjoint(
        {"taskiq_redis.ListRedisScheduleSource", "taskiq_redis.RedisScheduleSource"}
    )


def name_of(entry: Entry) -> str:
    """Return the id that somebody chose for a schedule, else the name of its task."""
    is_made = is_in_code(entry.source) or _GENERATED.fullmatch(entry.id)
    return str(entry.task.task_name if is_made else entry.id)[:255]


def identity_of(scheduler: Any) -> str:
    """Return the name of a scheduler's sources together, without users and passwords."""
    parts: list[_Part] = ["taskiq"]
    for part in (scheduler.broker, *scheduler.sources):
        prefix = getattr(part, "_prefix", getattr(part, "prefix", None))
        named = getattr(part, "queue_name", prefix)
        parts += [type(part).__name__, None if named is None else str(named), *_place(part)]
    return store_id(*parts)


def _of_label(task: Any, seen: Counter[str]) -> str:
    timing = (task.cron, str(task.cron_offset), str(task.interval))
    identity = stable_id(_DOMAIN, (task.task_name, *timing, repr(task.args), repr(task.kwargs)))
    while seen[identity]:  # the same twice
        identity = stable_id(_DOMAIN, (identity,))
    return identity


def _place(part: Any) -> list[_Part]:
    pool = getattr(part, "connection_pool", getattr(part, "_connection_pool", None))
    if place := redis_place(pool):
        return place
    return [] if is_in_code(part) else [socket.gethostname()]
