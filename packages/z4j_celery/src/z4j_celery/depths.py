"""How deep a broker's queues are, on a connection that is opened and closed for each round."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from z4j_celery.brokers import app_of
from z4j_celery.process import Process
from z4j_core.waiting import Depth

TIMEOUT_S = 5
_TIME_LIMITS = {
    "redis": {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S},
    "amqp": {"read_timeout": TIMEOUT_S, "write_timeout": TIMEOUT_S},
}
_Measure = Callable[[Any, str], Depth | None]


class _Headers(msgspec.Struct):
    z4j_published_at: int | None = None


class _Message(msgspec.Struct):
    """The part of a message in a Redis list that is looked at (kombu's JSON envelope)."""

    headers: _Headers


def queue_depths(process: Process, broker: str, queues: Sequence[str]) -> Mapping[str, Depth]:
    """Ask the broker. A queue that it does not know is left out, unless the broker keeps no empty
    queues, as Redis.

    The connection is never one of the app's pool (`actions/broker.py` says why), and it is not
    kept: a child that is forked meanwhile would share it.
    """
    app = app_of(process, broker)
    if app is None:
        return {}
    driver = app.connection_for_read().get_transport_cls().driver_type
    limits = _TIME_LIMITS.get(driver, {})
    with app.connection_for_read(connect_timeout=TIMEOUT_S, transport_options=limits) as connection:
        if driver == "amqp":
            told = {queue: _of_amqp(connection, queue) for queue in queues}
        else:
            with connection.channel() as channel:
                measure = _measure(driver, channel)
                told = {queue: measure(channel, queue) for queue in queues}
    return {queue: depth for queue, depth in told.items() if depth is not None}


def _measure(driver: str, channel: Any) -> _Measure:
    if driver == "redis":
        return _of_redis
    if driver == "sql":
        return _of_tables
    from kombu.transport.virtual import Channel

    size = getattr(type(channel), "_size", None)
    # The base class answers 0 for transports that cannot tell.
    return _unknown if size is None or size is Channel._size else _of_virtual


def _of_amqp(connection: Any, queue: str) -> Depth | None:
    """Declare passively, on a channel of its own: the broker closes it when the queue is unknown.

    The count leaves out what consumers hold unacknowledged (AMQP 0-9-1, queue.declare-ok).
    """
    try:
        with connection.channel() as channel:
            told = channel.queue_declare(queue, passive=True)
    except connection.channel_errors:
        return None
    return Depth(waiting=int(told.message_count), consumers=int(told.consumer_count))


def _of_redis(channel: Any, queue: str) -> Depth:
    """Lists of one queue, one for each priority step; what waits longest is at the right end."""
    keys = [channel._q_for_pri(queue, step) for step in channel.priority_steps]
    prefix = getattr(channel, "global_keyprefix", "")
    with channel.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.llen(key)
            # kombu puts the prefix before the keys of LLEN, but not before those of LINDEX.
            pipe.lindex(f"{prefix}{key}", -1)
        answers = pipe.execute()
    waiting = sum(answers[::2])
    last = [message for message in answers[1::2] if message is not None]
    stamps = [stamp for stamp in map(published_at, last) if stamp is not None]
    is_known = waiting > 0 and len(stamps) == len(last) > 0
    return Depth(waiting=waiting, oldest_at=min(stamps) if is_known else None)


def published_at(message: bytes | str) -> int | None:
    """Return the stamp on a message as Redis holds it; None for one published without z4j."""
    try:
        return msgspec.json.decode(message, type=_Message).headers.z4j_published_at
    except (msgspec.MsgspecError, UnicodeError):
        return None


def _of_tables(channel: Any, queue: str) -> Depth | None:
    """Count rows by ourselves: older kombu counts delivered ones too, and makes the queue's row."""
    session, message, known = channel.session, channel.message_cls, channel.queue_cls
    try:
        found = session.query(known).filter(known.name == queue).first()
        if found is None:
            return None
        rows = session.query(message).filter(
            message.queue_id == found.id,
            message.visible == True,  # noqa: E712 - a column
        )
        return Depth(waiting=int(rows.count()))
    finally:
        session.rollback()


def _of_virtual(channel: Any, queue: str) -> Depth:
    return Depth(waiting=int(channel._size(queue)))


def _unknown(_channel: Any, _queue: str) -> None:
    return None
