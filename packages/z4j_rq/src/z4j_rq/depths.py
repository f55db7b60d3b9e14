"""Which queues this process knows, and how deep they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rq import Queue
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.worker_registration import WORKERS_BY_QUEUE_KEY

from z4j_agent.facts import micros
from z4j_core.waiting import MAX_BROKERS, Broker, Depth, fitting
from z4j_rq.clients import own_client
from z4j_rq.process import Process


def brokers(process: Process) -> list[Broker]:
    """Return every Redis once, with its queues; no I/O."""
    return [
        Broker(
            id=known.identity,
            transport="redis",
            queues=fitting([*known.queues, *known.consumed], known.consumed),
            consumed=fitting([], known.consumed),
        )
        for known in list(process.known.values())[:MAX_BROKERS]
    ]


def queue_depths(process: Process, broker: str, queues: Sequence[str]) -> Mapping[str, Depth]:
    """Ask Redis. It keeps no empty queues, so one that it does not have is one where nothing waits.

    `unacked` counts the runs that have begun, `consumers` the registered workers.
    """
    known = process.known.get(broker)
    if known is None:
        return {}
    with own_client(known.connection) as client:
        return {name: _depth(client, name) for name in queues}


def _depth(client: Any, name: str) -> Depth:
    queue = Queue(name, connection=client)
    with client.pipeline(transaction=False) as pipe:
        pipe.llen(queue.key)
        pipe.lindex(queue.key, 0)
        pipe.zcard(StartedJobRegistry(name, connection=client).key)
        pipe.scard(WORKERS_BY_QUEUE_KEY % name)
        waiting, first, started, consumers = pipe.execute()
    oldest = None
    if first is not None:
        oldest = _time(client.hget(Job.key_for(first.decode(errors="replace")), "enqueued_at"))
    return Depth(waiting=waiting, unacked=started, consumers=consumers, oldest_at=oldest)


def _time(text: bytes | None) -> int | None:
    """Return a time as RQ writes it: ISO 8601 in UTC, ending in Z."""
    try:
        return micros(datetime.fromisoformat((text or b"").decode()))
    except (ValueError, UnicodeError):
        return None
