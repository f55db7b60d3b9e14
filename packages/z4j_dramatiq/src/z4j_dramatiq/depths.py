"""How deep a broker's queues are, on a connection that is opened and closed for each round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from z4j_core.waiting import Depth
from z4j_dramatiq.brokers import identity_of
from z4j_dramatiq.connections import rabbitmq_channel, redis_client
from z4j_dramatiq.facts import micros_of
from z4j_dramatiq.kinds import RABBITMQ, REDIS, kind_of
from z4j_dramatiq.marks import marks_of
from z4j_dramatiq.original import unpack


def queue_depths(brokers: list[Any], identity: str, queues: Sequence[str]) -> Mapping[str, Depth]:
    """Ask the broker. A queue's delayed messages count with it; its dead letters are a queue of
    their own, whose name ends with ``.XQ``.
    """
    broker = next((one for one in brokers if identity_of(one) == identity), None)
    if broker is None:
        return {}
    kind = kind_of(broker)
    if kind == REDIS:
        with redis_client(broker) as client:
            return {queue: _of_redis(client, broker.namespace, queue) for queue in queues}
    if kind == RABBITMQ:
        found = {queue: _of_rabbitmq(broker, queue) for queue in queues}
        return {queue: depth for queue, depth in found.items() if depth is not None}
    return {queue: depth for queue in queues if (depth := _of_stub(broker, queue)) is not None}


def _of_redis(client: Any, namespace: str, queue: str) -> Depth:
    """Lists of ids that wait, and hashes of all messages, also those that a worker holds."""
    key = f"{namespace}:{queue}"
    with client.pipeline(transaction=True) as pipe:
        if queue.endswith(".XQ"):
            return Depth(waiting=int(pipe.zcard(key).execute()[0]))
        pipe.llen(key).llen(f"{key}.DQ").hlen(f"{key}.msgs").hlen(f"{key}.DQ.msgs").lindex(key, 0)
        ready, delayed, messages, delayed_messages, first = pipe.execute()
    waiting = ready + delayed
    held = max(0, messages + delayed_messages - waiting)
    oldest = None if first is None else _published_at(client.hget(f"{key}.msgs", first))
    return Depth(waiting=waiting, unacked=held, oldest_at=oldest)


def _published_at(data: bytes | None) -> int | None:
    if data is None:
        return None
    try:
        message = unpack(data)
        stamp = marks_of(message.options).get("published_at")
        return stamp or micros_of(message.message_timestamp)
    except Exception:  # noqa: BLE001 - anybody may have written it, in any form
        return None


def _of_rabbitmq(broker: Any, queue: str) -> Depth | None:
    """Declare passively, each on a connection of its own: the server closes the channel when it
    does not know the queue. The count leaves out what consumers hold (AMQP 0-9-1).
    """
    import pika

    names = [queue] if queue.endswith(".XQ") else [queue, f"{queue}.DQ"]
    try:
        with rabbitmq_channel(broker) as channel:
            told = [channel.queue_declare(name, passive=True).method for name in names]
    except pika.exceptions.AMQPChannelError:
        return None
    return Depth(
        waiting=sum(one.message_count for one in told), consumers=int(told[0].consumer_count)
    )


def _of_stub(broker: Any, queue: str) -> Depth | None:
    known = getattr(broker, "queues", None)
    if not isinstance(known, dict) or queue not in known:
        return None
    delayed = known.get(f"{queue}.DQ")
    return Depth(waiting=known[queue].qsize() + (0 if delayed is None else delayed.qsize()))
