"""Which brokers this process uses, and which queues it knows there."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from os import getpid
from typing import Any

from z4j_agent.places import is_local
from z4j_core.capability import ActionError
from z4j_core.waiting import Broker, broker_id, fitting
from z4j_dramatiq.facts import canonical
from z4j_dramatiq.kinds import RABBITMQ, REDIS, kind_of

_HAS_DEAD_LETTERS = (REDIS, RABBITMQ)


def told(brokers: Iterable[Any], workers: Iterable[Any]) -> list[Broker]:
    """Return every broker once, with the queues of all that go to the same server; no I/O."""
    known: dict[str, tuple[str, set[str], set[str]]] = {}
    for broker in brokers:
        kind = kind_of(broker)
        _, queues, consumed = known.setdefault(identity_of(broker), (kind, set(), set()))
        own = {canonical(queue) for queue in broker.get_declared_queues()}
        queues |= own
        if kind in _HAS_DEAD_LETTERS:
            queues |= {f"{queue}.XQ" for queue in own}
        for worker in workers:
            if worker.broker is broker:
                consumed |= {canonical(queue) for queue in list(worker.consumers)}
    return [
        Broker(
            id=identity,
            transport=kind,
            queues=fitting(list(queues | consumed), list(consumed)),
            consumed=fitting([], list(consumed)),
        )
        for identity, (kind, queues, consumed) in known.items()
    ]


def identity_of(broker: Any) -> str:
    """Return the broker's id from kind, host, port and database; no user, no password.

    What is reached through this machine alone is told from the same address on other machines by
    the machine's name.
    """
    kind = kind_of(broker)
    if kind == REDIS:
        options = broker.client.connection_pool.connection_kwargs
        host = str(options.get("host") or options.get("path") or "localhost")
        place = [options.get("port") or 6379, options.get("db") or 0, broker.namespace]
    elif kind == RABBITMQ:
        parameters = broker.parameters
        first = parameters[0] if isinstance(parameters, list) else parameters
        host, place = str(first.host), [first.port, first.virtual_host]
    else:
        host, place = "localhost", [getpid(), id(broker)]
    machine = socket.gethostname() if is_local(host) else None
    return broker_id("dramatiq", kind, host.lower(), *place, machine)


def choose(brokers: list[Any], what: str, fits: Any) -> Any:
    """Return the broker that fits; with a single broker there is nothing to choose."""
    if not brokers:
        raise ActionError("No Dramatiq broker is in use in this process.")
    fitting_ones = [broker for broker in brokers if fits(broker)] if len(brokers) > 1 else brokers
    if len({identity_of(broker) for broker in fitting_ones}) == 1:
        return fitting_ones[0]
    problem = "none of them knows" if not fitting_ones else "more than one of them knows"
    raise ActionError(
        f"This process has several Dramatiq brokers and {problem} {what}; "
        "send the command to a worker of the right broker."
    )
