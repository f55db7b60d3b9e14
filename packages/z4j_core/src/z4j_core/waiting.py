"""What waits in an engine's queues: which queues a process knows, and how deep they are.

An engine tells the brokers and queues that it knows (`Engine.brokers`); the brain elects one
process for each queue and has it ask the broker (`Engine.queue_depths`). What cannot be told is
None, never 0.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from z4j_core.stable_id import stable_id

MAX_BROKERS = 8
MAX_QUEUES = 200
"""Of one broker in one process; who knows more tells those it consumes, then the first by name."""
MAX_WATCHED = 1_000
"""Queues of one broker that one process samples: also those that only others know."""
MAX_QUEUE_NAME = 255
MAX_COUNT = 1 << 53

QueueName = Annotated[str, Meta(min_length=1, max_length=MAX_QUEUE_NAME, pattern=r"^[^\x00]*$")]
BrokerId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]
Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
QueueNames = Annotated[list[QueueName], Meta(max_length=MAX_QUEUES)]
_DOMAIN = b"z4j broker 1\0"


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """A broker that an engine uses in this process, with the queues that it knows there.

    `id` comes from `broker_id`; `transport` is a word for people, such as ``redis``. `consumed` are
    those of the queues that this very process takes tasks from.
    """

    id: BrokerId
    transport: Annotated[str, Meta(max_length=64, pattern=r"^[^\x00]*$")] = ""
    queues: QueueNames = []
    consumed: QueueNames = []


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """One queue as its broker tells it; None is "cannot be told".

    `waiting` counts messages that nobody has taken, `unacked` those taken and not yet confirmed,
    `consumers` those that the broker counts. `oldest_at` is when the oldest waiting message was
    published, in microseconds since the epoch.
    """

    waiting: int | None = None
    unacked: int | None = None
    consumers: int | None = None
    oldest_at: int | None = None


def broker_id(*parts: str | int | None) -> str:
    """Return a stable name for a broker from what tells it apart (`stable_id`): scheme, host, port
    and virtual host or database.
    """
    return stable_id(_DOMAIN, parts)


def fitting(names: list[str], first: list[str]) -> list[str]:
    """Return the names that a `Broker` can hold: those of `first`, then the others by name."""
    order = dict.fromkeys([*sorted(first), *sorted(names)])
    fit = [name for name in order if 0 < len(name) <= MAX_QUEUE_NAME and "\0" not in name]
    return fit[:MAX_QUEUES]
