from __future__ import annotations

from typing import Any

from kombu.connection import Connection

from services.rabbitmq import RabbitMQ


def _connect(url: str) -> Any:
    options = {"confirm_publish": True}
    return Connection(url, transport_options=options)  # type: ignore[no-untyped-call]


def count(url: str, queue: str) -> int:
    with _connect(url) as connection, connection.channel() as channel:
        return int(channel.queue_declare(queue, durable=True, auto_delete=False).message_count)


def leave_one(url: str, queue: str) -> None:
    with _connect(url) as connection:
        producer = connection.Producer()
        assert count(url, queue) == 0
        producer.publish("left behind", routing_key=queue, delivery_mode=2)


def test_each_test_has_a_virtual_host_of_its_own(
    rabbitmq_server: RabbitMQ, rabbitmq_url: str
) -> None:
    other = rabbitmq_server.create_vhost()
    leave_one(rabbitmq_url, "mail")
    assert count(rabbitmq_url, "mail") == 1
    assert count(other, "mail") == 0


def test_a_crash_keeps_the_port_and_what_is_durable(own_rabbitmq: RabbitMQ) -> None:
    url = own_rabbitmq.create_vhost()
    leave_one(url, "mail")
    own_rabbitmq.stop()
    own_rabbitmq.start()
    assert count(url, "mail") == 1
