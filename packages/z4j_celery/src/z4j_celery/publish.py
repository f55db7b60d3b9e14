"""Publishing: the stamp on the message, and the event once the broker has it."""

from __future__ import annotations

import threading
from typing import Any

from z4j_agent.facts import now_us
from z4j_celery.facts import PUBLISHED_AT, add_relations, attempt_of, origin
from z4j_celery.parameters import ParameterNames
from z4j_celery.process import Process
from z4j_celery.queues import published_to
from z4j_core.events import Kind, TaskEvent


class Publishing(threading.local):
    """What the signal before publishing knows and the one after it does not."""

    headers: Any = None
    queue: str | None = None
    priority: int | None = None


class Publications:
    """Turns published messages into events, in whichever process and thread publishes."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._publishing = Publishing()
        self._parameters = ParameterNames()

    def before(self, headers: Any, properties: Any, declare: Any, routing_key: Any) -> None:
        """Stamp the message with the present time."""
        headers[PUBLISHED_AT] = now_us()
        current = self._publishing
        current.headers = headers
        current.queue = published_to(declare, routing_key)
        priority = (properties or {}).get("priority")
        current.priority = priority if isinstance(priority, int) else None

    def after(self, name: Any, headers: Any, body: Any, routing_key: Any) -> None:
        """Report the message; the broker has taken it."""
        task_id, task, args, kwargs, fields = _read(headers, body)
        if not task_id:
            return
        current = self._publishing
        is_known = current.headers is headers
        queue = current.queue if is_known else published_to(None, routing_key)
        priority = current.priority if is_known else None
        current.headers = None
        # Messages hold a list; a tuple would be taken for something that JSON cannot hold.
        args = list(args) if isinstance(args, tuple) else args
        data = {"args": args, "kwargs": kwargs, **origin(headers, task_id)}
        add_relations(data, fields, task_id)
        if args and (names := self._parameters.of_name(task or name)):
            data["arg_names"] = names
        if priority is not None:
            data["priority"] = priority
        event = TaskEvent(
            kind=Kind.PUBLISHED,
            engine="celery",
            task_id=task_id,
            occurred_at=data.pop("published_at", None) or now_us(),
            attempt=attempt_of(fields),
            name=task or name,
            queue=queue,
            data=data,
        )
        self._process.on_publish()
        self._process.host.emit(event)


def _read(headers: Any, body: Any) -> tuple[str, str | None, Any, Any, Any]:
    """Return id, name, arguments and the mapping with the other fields.

    Protocol 2 has a tuple as body and the fields in the headers, protocol 1 all in the body.
    """
    if isinstance(body, dict):
        return (
            str(body.get("id") or ""),
            body.get("task"),
            body.get("args"),
            body.get("kwargs"),
            body,
        )
    args, kwargs = (*body, None, None)[:2] if isinstance(body, tuple | list) else (None, None)
    return str(headers.get("id") or ""), headers.get("task"), args, kwargs, headers
