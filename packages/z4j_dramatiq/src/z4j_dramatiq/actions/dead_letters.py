"""The messages that Dramatiq has given up: to be looked at, and to be given one more attempt.

On Redis they are a sorted set of ids by the time of their death, and a hash of messages, for seven
days. On RabbitMQ they are a queue: only its head can be had, in order.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from z4j_agent.facts import printed
from z4j_core.capability import ActionError
from z4j_dramatiq.brokers import choose
from z4j_dramatiq.connections import publishing, rabbitmq_channel, redis_client
from z4j_dramatiq.facts import attempt_of, canonical, micros_of
from z4j_dramatiq.kinds import RABBITMQ, REDIS, kind_of
from z4j_dramatiq.original import unpack

MAX_LISTED = 100
MAX_REQUEUED = 1_000
_ONCE = ("eta", "traceback", "requeue_timestamp")


class ListParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many to list, the newest first (on RabbitMQ the oldest)."""

    limit: Annotated[int, Meta(ge=1, le=MAX_LISTED)] = 50


class DeadLetter(msgspec.Struct, frozen=True):
    """One dead letter; `died_at` in microseconds since the epoch, if the broker tells it."""

    task_id: str
    name: str
    attempt: int
    died_at: int | None = None


class DeadLetters(msgspec.Struct, frozen=True):
    """Some dead letters, and how many there are."""

    total: int
    letters: list[DeadLetter]


class RequeueParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which dead letters: those of the ids given, or the oldest ones."""

    task_ids: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=255)]], Meta(max_length=100)
    ] = []
    limit: Annotated[int, Meta(ge=1, le=MAX_REQUEUED)] = 100


class Requeued(msgspec.Struct, frozen=True):
    """How many were given back to their queue, and how many dead letters are left."""

    requeued: int
    left: int


def absence(brokers: list[Any]) -> str | None:
    """Return why dead letters cannot be read here, None if they can."""
    if any(kind_of(broker) in (REDIS, RABBITMQ) for broker in brokers):
        return None
    return "Dead letters can be read on Redis and RabbitMQ only."


def list_dead(brokers: list[Any], queue: str, params: ListParams) -> DeadLetters:
    """Return dead letters of a queue."""
    broker = _broker(brokers, queue)
    try:
        if kind_of(broker) == REDIS:
            return _list_redis(broker, canonical(queue), params.limit)
        return _list_rabbitmq(broker, canonical(queue), params.limit)
    except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
        raise _failure(error) from error


def requeue_dead(brokers: list[Any], queue: str, params: RequeueParams) -> Requeued:
    """Enqueue dead letters as the next attempt of the same tasks."""
    broker = _broker(brokers, queue)
    if kind_of(broker) != REDIS and params.task_ids:
        raise ActionError("RabbitMQ gives dead letters in their order only; leave task_ids empty.")
    try:
        with publishing(broker):
            if kind_of(broker) == REDIS:
                return _requeue_redis(broker, canonical(queue), params)
            return _requeue_rabbitmq(broker, canonical(queue), params.limit)
    except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
        raise _failure(error) from error


def _list_redis(broker: Any, queue: str, limit: int) -> DeadLetters:
    key = f"{broker.namespace}:{queue}.XQ"
    with redis_client(broker) as client:
        found = client.zrange(key, 0, limit - 1, desc=True, withscores=True)
        data = client.hmget(f"{key}.msgs", [entry for entry, _ in found]) if found else []
        total = int(client.zcard(key))
    letters = [_letter(message, score) for message, (_, score) in zip(data, found, strict=True)]
    return DeadLetters(total=total, letters=[letter for letter in letters if letter is not None])


def _letter(data: bytes | None, died_ms: float | None) -> DeadLetter | None:
    message = _read(data)
    if message is None:
        return None
    return DeadLetter(
        task_id=str(message.message_id)[:255],
        name=str(message.actor_name)[:255],
        attempt=attempt_of(message.options),
        died_at=micros_of(died_ms),
    )


def _read(data: bytes | None) -> Any:
    try:
        return None if data is None else unpack(data)
    except Exception:  # noqa: BLE001 - anybody may have written it, in any form
        return None


def _requeue_redis(broker: Any, queue: str, params: RequeueParams) -> Requeued:
    key = f"{broker.namespace}:{queue}.XQ"
    wanted, requeued = set(params.task_ids), 0
    with redis_client(broker) as client:
        for entry in _entries(client, key, wanted, params.limit):
            message = _read(client.hget(f"{key}.msgs", entry))
            # Who removes it from the set has it: two people may ask at once.
            score = client.zscore(key, entry)
            if message is None or score is None or not client.zrem(key, entry):
                continue
            try:
                broker.enqueue(next_attempt(message, queue))
            except Exception:
                client.zadd(key, {entry: score})
                raise
            client.hdel(f"{key}.msgs", entry)
            requeued += 1
        return Requeued(requeued=requeued, left=int(client.zcard(key)))


def _entries(client: Any, key: str, wanted: set[str], limit: int) -> list[Any]:
    if not wanted:
        return list(client.zrange(key, 0, limit - 1))
    found = []
    for entry, data in client.hscan_iter(f"{key}.msgs", count=1_000):
        message = _read(data)
        if message is not None and message.message_id in wanted:
            found.append(entry)
    return found


def next_attempt(message: Any, queue: str) -> Any:
    """Return the message as its own next attempt: the record keeps the one that failed."""
    options = {name: value for name, value in message.options.items() if name not in _ONCE}
    options["retries"] = attempt_of(message.options) + 1
    plain = message.copy(queue_name=queue)
    plain.options.clear()
    plain.options.update(options)
    return plain


def _list_rabbitmq(broker: Any, queue: str, limit: int) -> DeadLetters:
    """Take the head and give it back: the server keeps the order of what is given back whole."""
    name = f"{queue}.XQ"
    with rabbitmq_channel(broker) as channel:
        total = int(channel.queue_declare(name, passive=True).method.message_count)
        bodies = []
        for _ in range(min(limit, total)):
            method, _, body = channel.basic_get(name)
            if method is None:
                break
            bodies.append(body)
        channel.basic_nack(0, multiple=True, requeue=True)
    letters = [_letter(body, None) for body in bodies]
    return DeadLetters(total=total, letters=[letter for letter in letters if letter is not None])


def _requeue_rabbitmq(broker: Any, queue: str, limit: int) -> Requeued:
    name, requeued = f"{queue}.XQ", 0
    with rabbitmq_channel(broker) as channel:
        for _ in range(limit):
            method, _, body = channel.basic_get(name)
            message = None if method is None else _read(body)
            if message is None:  # none is left, or one that nobody can read stands at the head
                break
            broker.enqueue(next_attempt(message, queue))
            channel.basic_ack(method.delivery_tag)
            requeued += 1
        left = int(channel.queue_declare(name, passive=True).method.message_count)
    return Requeued(requeued=requeued, left=left)


def _broker(brokers: list[Any], queue: str) -> Any:
    name = canonical(queue)
    broker = choose(brokers, f"the queue {name!r}", lambda one: name in one.get_declared_queues())
    if name not in broker.get_declared_queues():
        raise ActionError(f"No actor of this process uses the queue {name[:255]!r}.")
    if (reason := absence([broker])) is not None:
        raise ActionError(reason)
    return broker


def _failure(error: Exception) -> ActionError:
    return ActionError(
        f"The broker did not answer as expected ({type(error).__name__}: {printed(error)}). "
        "Check the connection and the permissions, then try again."
    )
