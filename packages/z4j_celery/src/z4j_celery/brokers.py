"""Which brokers the Celery apps of this process use, and which queues they know there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from os import getpid
from typing import Any
from urllib.parse import urlsplit

from z4j_agent.places import is_local
from z4j_celery.process import Process
from z4j_core.waiting import Broker, broker_id, fitting

_LOCAL_DRIVERS = ("memory", "filesystem")


def brokers(process: Process) -> list[Broker]:
    """Return every broker once, with the queues of all apps that use it; no I/O.

    An app that has not been used for messages yet is left out: asking it would finish setting it
    up, on the wrong thread.
    """
    known: dict[str, tuple[str, set[str], set[str]]] = {}
    for app, identity, driver in _apps(process):
        _, queues, consumed = known.setdefault(identity, (driver, set(), set()))
        queues.update(str(queue.name) for queue in list(app.amqp.queues.values()))
        if app is process.app:
            consumed.update(_consumed(process.consumer))
    return [
        Broker(
            id=identity,
            transport=driver[:64],
            queues=fitting(list(queues | consumed), list(consumed)),
            consumed=fitting([], list(consumed)),
        )
        for identity, (driver, queues, consumed) in known.items()
    ]


def app_of(process: Process, identity: str) -> Any:
    """Return an app that uses a broker, or None."""
    return next((app for app, found, _ in _apps(process) if found == identity), None)


def _apps(process: Process) -> Iterator[tuple[Any, str, str]]:
    for app in process.apps():
        if "amqp" in vars(app) and "queues" in vars(app.amqp):
            connection = app.connection_for_read()  # describes a connection and opens none
            driver = str(connection.get_transport_cls().driver_type)
            yield app, identity_of(connection, driver), driver


def identity_of(connection: Any, driver: str) -> str:
    """Return the broker's id from scheme, host, port and virtual host; no user, no password.

    What is reached through this machine alone (loopback, a socket, a file, memory) is told from
    the same address on other machines by the machine's name.
    """
    host, port, vhost = connection.hostname or "", connection.port, connection.virtual_host or ""
    scheme = driver
    if "://" in host:  # transports that parse the URL themselves are given all of it as the host
        parts = urlsplit(host)
        scheme, host, port, vhost = parts.scheme, parts.hostname or "", _port(parts), parts.path
    port = port or connection.get_transport_cls().default_port
    vhost = str(vhost).strip("/") or ("0" if driver == "redis" else "")
    place: list[str | int] = []
    if driver in _LOCAL_DRIVERS or is_local(host):
        place.append(socket.gethostname())
    if driver == "memory":
        place.append(getpid())
    if driver == "filesystem":
        place.append(str(connection.transport_options.get("data_folder_in", "data_in")))
    return broker_id(driver, scheme, host.lower(), port, vhost, *place)


def _port(parts: Any) -> int | None:
    try:
        port: int | None = parts.port
    except ValueError:  # several hosts in one URL
        return None
    return port


def _consumed(consumer: Any) -> list[str]:
    tasks = getattr(consumer, "task_consumer", None)
    return [str(queue.name) for queue in list(getattr(tasks, "queues", None) or ())]
