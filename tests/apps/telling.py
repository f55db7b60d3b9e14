"""How publishers and tasks tell the truth, outside z4j: one line each to the file `TRUTH_FILE`.

A line is one `write` to a file opened for appending, so lines of many processes never mix. It has
what happened, the task's id, the attempt, and when by the teller's own clock (ns). That a task was
sent has two moments, as it lies between them; of a start that the engine itself put off, the second
one is when it was due.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path


def tell(what: str, task_id: str, attempt: int, at: int = 0, second: int = 0) -> None:
    """Tell what happened, now unless `at` says when."""
    line = f"{what} {task_id} {attempt} {at or time.time_ns()} {second or ''}\n".encode()
    handle = os.open(os.environ["TRUTH_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def tell_charge(order: str, password: str) -> None:
    """Tell the arguments that a task really got, as a hash, beside the truth."""
    told = hashlib.sha256(repr((order, password)).encode()).hexdigest()
    with Path(os.environ["TRUTH_FILE"] + ".charged").open("a") as file:
        file.write(f"{told}\n")


def publish(send: Callable[[int], str], count: int) -> None:
    """Send the numbers below `count`; tell when each was sent, and print its id."""
    for number in range(count):
        before = time.time_ns()
        task_id = send(number)
        tell("sent", task_id, 0, before, time.time_ns())
        print(task_id)
