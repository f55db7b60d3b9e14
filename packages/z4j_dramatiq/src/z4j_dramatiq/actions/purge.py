"""Delete the messages that wait in a queue."""

from __future__ import annotations

from typing import Any

from z4j_agent.facts import now_us, printed
from z4j_core.capability import ActionError
from z4j_core.events import Kind, TaskEvent
from z4j_core.plugins import PurgeResult
from z4j_dramatiq.brokers import choose
from z4j_dramatiq.capture import Capture
from z4j_dramatiq.connections import rabbitmq_channel, redis_client
from z4j_dramatiq.facts import attempt_of, canonical
from z4j_dramatiq.kinds import RABBITMQ, REDIS, kind_of
from z4j_dramatiq.original import unpack

BATCH = 500
MAX_HELD = 20_000
_TAKE = """
local ids = redis.call('lrange', KEYS[1], 0, ARGV[1] - 1)
if #ids == 0 then return {} end
local messages = redis.call('hmget', KEYS[2], unpack(ids))
redis.call('hdel', KEYS[2], unpack(ids))
redis.call('ltrim', KEYS[1], #ids, -1)
return messages
"""


class DramatiqPurgeResult(PurgeResult, frozen=True):
    """How many waiting messages were deleted, and how many delayed ones workers hold.

    Those that are held were cancelled: they end when they are due. Those over 20,000 were not.
    """

    held: int = 0
    note: str = ""


def purge(capture: Capture, brokers: list[Any], queue: str) -> DramatiqPurgeResult:
    """Delete the waiting messages, delayed ones too; dead letters and running tasks stay."""
    name = canonical(queue)
    broker = choose(brokers, f"the queue {name!r}", lambda one: name in one.get_declared_queues())
    if name not in broker.get_declared_queues():
        raise ActionError(f"No actor of this process uses the queue {name[:255]!r}.")
    if queue != name:
        raise ActionError(f"Purge the queue {name!r}; it includes what is delayed.")
    try:
        return _purge(capture, broker, name)
    except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
        raise ActionError(
            f"The broker did not purge the queue ({type(error).__name__}: {printed(error)}). "
            "Check the connection and the permissions, then try again."
        ) from error


def _purge(capture: Capture, broker: Any, queue: str) -> DramatiqPurgeResult:
    kind = kind_of(broker)
    if kind == REDIS:
        return _purge_redis(capture, broker, queue)
    if kind == RABBITMQ:
        return DramatiqPurgeResult(deleted=_purge_rabbitmq(broker, queue), note=_IN_HAND)
    waiting = broker.queues[queue].qsize()
    broker.flush(queue)
    return DramatiqPurgeResult(deleted=waiting, note=_IN_HAND)


_IN_HAND = "Messages that workers hold until they are due stay, and run then."


def _purge_redis(capture: Capture, broker: Any, queue: str) -> DramatiqPurgeResult:
    """Not `broker.flush`: it forgets what workers are running, and deletes the dead letters."""
    deleted = 0
    key = f"{broker.namespace}:{queue}"
    with redis_client(broker) as client:
        take = client.register_script(_TAKE)
        for name in (key, f"{key}.DQ"):
            while messages := take(keys=[name, f"{name}.msgs"], args=[BATCH]):
                deleted += len(messages)
                for message in messages:
                    _tell(capture, message)
        held = [
            message_id
            for _, data in client.hscan_iter(f"{key}.DQ.msgs", count=1_000)
            if (message_id := _id_of(data)) is not None
        ][:MAX_HELD]
    if held:
        capture.cancelled.add(broker, held)
    note = "Delayed messages that workers hold end as cancelled when they are due." if held else ""
    return DramatiqPurgeResult(deleted=deleted, held=len(held), note=note)


def _tell(capture: Capture, data: bytes | None) -> None:
    """Say that a deleted message will never run; one that nobody can read is left out."""
    try:
        message = unpack(data or b"")
    except Exception:  # noqa: BLE001 - anybody may have written it, in any form
        return
    capture.process.host.emit(
        TaskEvent(
            kind=Kind.CANCELLED,
            engine="dramatiq",
            task_id=str(message.message_id),
            occurred_at=now_us(),
            attempt=attempt_of(message.options),
            name=str(message.actor_name),
            queue=canonical(str(message.queue_name)),
            data={"reason": "Its queue was purged through z4j."},
        )
    )


def _id_of(data: bytes) -> str | None:
    try:
        return str(unpack(data).message_id)
    except Exception:  # noqa: BLE001 - anybody may have written it, in any form
        return None


def _purge_rabbitmq(broker: Any, queue: str) -> int:
    with rabbitmq_channel(broker) as channel:
        return sum(
            int(channel.queue_purge(name).method.message_count) for name in (queue, f"{queue}.DQ")
        )
