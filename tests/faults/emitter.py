"""A process with a real agent and a toy engine: `python -m faults.emitter NAME RATE CHILDREN`.

It emits lives of tasks at a steady rate, tells the truth about each event on standard output, and
ends in good order when its standard input ends. With children it is like a prefork worker: they
emit, and one that is killed is replaced. As `python -m faults.emitter NAME sweep` it emits nothing
and waits until no spool of a dead process is left. `FAULT_FILL` makes events larger, by about one
KiB each.
"""

from __future__ import annotations

import itertools
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import z4j_agent
from z4j_core.events import Kind, TaskEvent

TURN_S = 0.005
STOP_S = 60.0
PATIENCE_S = 90.0
NOTE = "the order was checked and sent to the warehouse " * 5


def life(number: int) -> Iterator[tuple[Kind, int]]:
    """Every fifth task is retried, every seventh fails."""
    yield Kind.PUBLISHED, 0
    for attempt in range(2 if number % 5 == 0 else 1):
        yield Kind.RECEIVED, attempt
        yield Kind.STARTED, attempt
        if number % 5 == 0 and attempt == 0:
            yield Kind.RETRIED, attempt
        else:
            yield Kind.FAILED if number % 7 == 0 else Kind.SUCCEEDED, attempt


def story(name: str) -> Iterator[tuple[Kind, str, int]]:
    """Return the endless events of a process, the lives of four tasks at a time mixed."""
    for first in itertools.count(0, 4):
        lives = [(f"{name}-{number}", life(number)) for number in range(first, first + 4)]
        while lives:
            for task_id, steps in list(lives):
                step = next(steps, None)
                if step is None:
                    lives.remove((task_id, steps))
                else:
                    yield step[0], task_id, step[1]


def tell(mark: str, kind: str, task_id: str, attempt: int) -> None:
    """One line is one `write`, so lines of several processes never mix."""
    line = f"{mark} {kind} {task_id} {attempt} {time.monotonic_ns() // 1_000}\n"
    os.write(1, line.encode())


def emit(kind: Kind, task_id: str, attempt: int, fill: int = 0) -> None:
    """Tell the truth, emit, tell that it was accepted."""
    tell("?", kind.value, task_id, attempt)
    z4j_agent.emit(
        TaskEvent(
            kind=kind,
            engine="toy",
            task_id=task_id,
            attempt=attempt,
            occurred_at=time.time_ns() // 1_000,
            name=f"toy.{kind.value[:3]}",
            queue="toys",
            data={"note": NOTE} | ({"fill": [NOTE * 4] * fill} if fill else {}),
        )
    )
    tell("+", kind.value, task_id, attempt)


class Pace:
    """Emits a story at a rate."""

    def __init__(self, name: str, rate: int) -> None:
        self._story = story(name)
        self._rate = rate
        self._fill = int(os.environ.get("FAULT_FILL", "0"))
        self._begin = time.monotonic()
        self._done = 0

    def turn(self) -> None:
        """Emit what is due."""
        due = int((time.monotonic() - self._begin) * self._rate)
        while self._done < due:
            emit(*next(self._story), self._fill)
            self._done += 1


def is_wanted(wait_s: float) -> bool:
    """Wait; tell whether standard input is still open."""
    ready, _, _ = select.select([0], [], [], wait_s)
    return not ready


def emit_alone(name: str, rate: int) -> None:
    """Emit until standard input ends."""
    pace = Pace(name, rate)
    while is_wanted(TURN_S):
        pace.turn()


def emit_in_children(name: str, rate: int, count: int) -> None:
    """Keep `count` children emitting until standard input ends."""
    numbers = itertools.count()
    children: set[int] = set()
    while is_wanted(TURN_S):
        while len(children) < count:
            children.add(_fork(f"{name}-{next(numbers)}", rate // count))
        ended, _ = os.waitpid(-1, os.WNOHANG)
        children.discard(ended)
    for child in children:
        os.kill(child, signal.SIGTERM)
    for child in children:
        os.waitpid(child, 0)


def _fork(name: str, rate: int) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    pace = Pace(name, rate)
    while not stopping and os.getppid() == parent:
        time.sleep(TURN_S)
        pace.turn()
    os._exit(0)


class TellsMemory(logging.Handler):
    """Tells the truth when the spool was given up."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def emit(self, record: logging.LogRecord) -> None:
        """Look for the one warning."""
        if "memory only" in record.getMessage():
            tell("!", "memory", self._name, 0)


def sweep(name: str) -> bool:
    """Wait until the only spool is our own; tell whether that came true."""
    z4j_agent.start("worker", name)
    root = Path(os.environ["Z4J_SPOOL_DIR"])
    deadline = time.monotonic() + PATIENCE_S
    while len(list(root.glob("[!.]*"))) > 1 and time.monotonic() < deadline:
        time.sleep(0.02)
    is_empty = len(list(root.glob("[!.]*"))) <= 1
    z4j_agent.stop(STOP_S)
    return is_empty


def main() -> int:
    """Run as the arguments say."""
    name, what = sys.argv[1:3]
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("z4j.agent").addHandler(TellsMemory(name))
    z4j_agent.register()
    if what == "sweep":
        return 0 if sweep(name) else 1
    children = int(sys.argv[3])
    if children:
        z4j_agent.get_agent().open_relay()
    z4j_agent.start("worker", name.partition(".")[0])
    if children:
        emit_in_children(name, int(what), children)
    else:
        emit_alone(name, int(what))
    z4j_agent.stop(STOP_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
