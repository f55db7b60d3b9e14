"""What a worker remembers about tasks: bounded by number and by bytes, oldest forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any, Generic, TypeVar

import msgspec

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_MESSAGES = 1_000
MAX_MESSAGES_BYTES = 8 * 1024 * 1024
MAX_MESSAGE_BYTES = 256 * 1024


class Recent(Generic[Key, Value]):
    """A map that keeps the newest `limit` entries, 1 or more of them.

    Thread-safe without a lock, which every task would pay for: each step on the entries is one
    call of an `OrderedDict`. Two threads that add at the limit may forget one entry too many.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def put(self, key: Key, value: Value) -> None:
        """Add an entry as the newest one."""
        entries = self._entries
        entries.pop(key, None)  # else it would keep its old place
        entries[key] = value
        if len(entries) > self._limit:
            entries.popitem(last=False)

    def take(self, key: Key) -> Value | None:
        """Remove an entry and return it."""
        return self._entries.pop(key, None)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)


class Message(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A task's message as it came: the body still serialised, so that no task can have changed
    the arguments in it.
    """

    name: str
    queue: str | None
    body: bytes | str
    content_type: str
    content_encoding: str | None
    priority: int | None = None
    parent_id: str | None = None
    root_id: str | None = None
    time_limits: tuple[float | None, float | None] = (None, None)


class Messages:
    """The messages of tasks that ended without success, so that they can be run again exactly.

    Thread-safe. Messages over `MAX_MESSAGE_BYTES` are not kept.
    """

    def __init__(self, limit: int = MAX_MESSAGES, limit_bytes: int = MAX_MESSAGES_BYTES) -> None:
        self._limit = limit
        self._limit_bytes = limit_bytes
        self._lock = Lock()
        self._messages: OrderedDict[str, Message] = OrderedDict()
        self.bytes = 0

    def put(self, task_id: str, message: Message) -> None:
        """Remember the message of a task."""
        if len(message.body) > MAX_MESSAGE_BYTES:
            return
        with self._lock:
            self._forget(task_id)
            self._messages[task_id] = message
            self.bytes += len(message.body)
            while len(self._messages) > self._limit or self.bytes > self._limit_bytes:
                self._forget(next(iter(self._messages)))

    def get(self, task_id: str) -> Message | None:
        """Return the message of a task, if it is still remembered."""
        return self._messages.get(task_id)

    def _forget(self, task_id: str) -> None:
        message = self._messages.pop(task_id, None)
        if message is not None:
            self.bytes -= len(message.body)


def message_of(request: Any, name: str, queue: str | None) -> Message | None:
    """Return what to remember of a worker's request; None for messages of protocol 1."""
    body, content_type = request.body, request.content_type
    if not isinstance(body, bytes | str) or not content_type:
        return None
    priority = request.delivery_info.get("priority")
    hard, soft = (*(request.time_limits or ()), None, None)[:2]
    return Message(
        name=name,
        queue=queue,
        body=body,
        content_type=content_type,
        content_encoding=request.content_encoding,
        priority=priority if isinstance(priority, int) else None,
        parent_id=request.parent_id,
        root_id=request.root_id,
        time_limits=(hard, soft),
    )
