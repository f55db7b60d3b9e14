"""What really happened, told by the processes themselves, outside of z4j.

A line for each event: before `emit` is called (``?``), and after it returned (``+``). Fields: mark,
kind, task, attempt, and the machine's monotonic clock in microseconds. ``!`` says that the process
keeps events in memory only from now on. A task's id begins with its process' name.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import IO

import msgspec

Event = tuple[str, str, int]
"""Kind, task, attempt."""

STATE_AFTER = {
    "published": "queued",
    "received": "received",
    "started": "running",
    "retried": "retrying",
    "failed": "failed",
    "succeeded": "succeeded",
}
ORDER = tuple(STATE_AFTER)


class Truth(msgspec.Struct):
    """What was told. `accepted` holds when; `killed` when each process was killed."""

    tried: set[Event] = set()
    accepted: dict[Event, int] = {}
    in_memory: set[str] = set()
    killed: dict[str, int] = {}
    killed_parents: dict[str, int] = {}

    def add(self, line: bytes) -> None:
        """Take one line; half a line of a killed process is none."""
        parts = line.decode().split()
        if len(parts) != 5:
            return
        mark, kind, task_id, attempt, at = parts
        if mark == "!":
            self.in_memory.add(task_id)
        elif mark == "?":
            self.tried.add((kind, task_id, int(attempt)))
        else:
            self.accepted[kind, task_id, int(attempt)] = int(at)

    def is_excused(self, event: Event) -> bool:
        """Tell whether docs/spool.md says that this accepted event may be lost.

        Because its process had a full disk and was killed, or because it was in the relay to
        a parent that was killed.
        """
        process = process_of(event[1])
        if process in self.in_memory and process in self.killed:
            return True
        killed_at = self.killed_parents.get(process)
        return killed_at is not None and self.accepted[event] > killed_at - RELAY_US


RELAY_US = 1_000_000
"""What a child handed over this long before its parent's death must be in the spool."""


def process_of(task_id: str) -> str:
    """Return the process that a task belongs to."""
    return task_id.partition("-")[0]


def states_after(events: Counter[Event]) -> dict[str, str]:
    """Return the state that each task must have after these events."""
    greatest: dict[str, tuple[int, int]] = {}
    for kind, task_id, attempt in events:
        rank = attempt, ORDER.index(kind)
        greatest[task_id] = max(greatest.get(task_id, (-1, -1)), rank)
    return {task_id: STATE_AFTER[ORDER[rank]] for task_id, (_, rank) in greatest.items()}


class Listener:
    """Reads the truth of one process from a pipe, until all its writers are gone.

    A pipe and no file, because the disk is full for some processes. What was written before a
    `kill -9` is in the kernel and is read.
    """

    def __init__(self, truth: Truth, pipe: IO[bytes]) -> None:
        self._truth = truth
        self._pipe = pipe
        self._thread = threading.Thread(target=self._read, name="truth", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wait for the end of the pipe."""
        self._thread.join(60)
        self._pipe.close()

    def _read(self) -> None:
        for line in self._pipe:
            self._truth.add(line)
