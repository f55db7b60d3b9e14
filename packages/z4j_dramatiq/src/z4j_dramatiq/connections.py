"""Connections to a broker's server for the agent's own questions, closed when they are answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from z4j_dramatiq.kinds import RABBITMQ, kind_of

TIMEOUT_S = 5


@contextmanager
def redis_client(broker: Any) -> Iterator[Any]:
    """A client of our own with time limits, for a `RedisBroker`.

    A pool of another kind than Redis's own (Sentinel, a fake) is used as it is.
    """
    import redis

    pool = broker.client.connection_pool
    if type(pool) not in (redis.ConnectionPool, redis.BlockingConnectionPool):
        yield broker.client
        return
    limits = {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
    own = redis.ConnectionPool(
        connection_class=pool.connection_class, **{**pool.connection_kwargs, **limits}
    )
    client = redis.Redis(connection_pool=own)
    try:
        yield client
    finally:
        client.close()
        own.disconnect()


@contextmanager
def publishing(broker: Any) -> Iterator[None]:
    """Enqueue within this: RabbitMQ's broker keeps a connection for each thread that did, and
    nobody would answer its heartbeats on a thread of the agent.
    """
    try:
        yield
    finally:
        if kind_of(broker) == RABBITMQ:
            del broker.connection


@contextmanager
def rabbitmq_channel(broker: Any) -> Iterator[Any]:
    """A channel on a connection of our own, for a `RabbitmqBroker`."""
    import pika

    connection = pika.BlockingConnection(parameters=broker.parameters)
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()
