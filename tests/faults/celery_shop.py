"""A real Celery worker whose tasks tell the truth; its parent or a child is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from faults.processes import children_of
from faults.truth import Event

ENDS = ("succeeded", "failed")


def wait_until(what: Callable[[], bool], says: str, timeout_s: float = 120.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, says
        time.sleep(0.1)


def ended(truth: Counter[Event]) -> int:
    """How many tasks have ended for good."""
    return sum(count for (what, _, _), count in truth.items() if what in ENDS)


def kill_child(worker: subprocess.Popen[bytes]) -> None:
    """`kill -9` of a pool process."""
    os.kill(children_of(worker.pid)[0], signal.SIGKILL)


def kill_parent(worker: subprocess.Popen[bytes]) -> None:
    """`kill -9` of the worker; its children end by themselves, or are ended."""
    children = children_of(worker.pid)
    worker.kill()
    worker.wait()
    for child in children:
        _end(child)


def wait_for_empty(spool: Path) -> None:
    """Wait until only the spools of living processes are left."""
    wait_until(lambda: len(list(spool.glob("[!.]*"))) <= 1, "a spool was not adopted")


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
