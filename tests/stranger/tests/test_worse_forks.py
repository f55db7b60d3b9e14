"""What a better worker does passes the contract of forks; worse ones do not, each at its test."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count

import msgspec
import pytest

from z4j_core.events import Kind, WireEvent
from z4j_core.testing.fork_contract import ForkContract


class Heard:
    """A server in this process."""

    def __init__(self) -> None:
        self.events: list[WireEvent] = []
        self.open_links = 1


class Pretended:
    """A worker that is only told of, with one child; what is wrong with it is in `faults`."""

    def __init__(self, *faults: str) -> None:
        self.faults, self.server, self.held = faults, Heard(), list[str]()
        self._ran, self._numbers, self._status = dict[str, int](), count(), None
        self._start()

    def run(self) -> str:
        task_id = self._begin()
        self._tell(Kind.SUCCEEDED, task_id)
        return task_id

    def hold(self) -> str:
        self.held.append(self._begin())
        return self.held[-1]

    def let_go(self) -> None:
        if self._child.poll() is None:
            for task_id in self.held:
                self._tell(Kind.SUCCEEDED, task_id)
        self.held.clear()
        if self._status is not None and "orphan" not in self.faults:
            self._end_child()

    def ran_in(self, task_id: str) -> int | None:
        return self._ran.get(task_id)

    def go_on(self) -> None:
        if self._child.poll() is not None:
            self._end_child()
            self._start()
            if "silent after a loss" in self.faults:
                self.faults += ("silent",)
            if "again after a loss" in self.faults:
                self.server.events += self.server.events[-1:]

    def shut_down(self) -> None:
        self._status = 1 if "fails" in self.faults else 0
        self.server.open_links = int("link" in self.faults)
        if "silent at the end" in self.faults:
            self.faults += ("silent",)

    def exit_status(self) -> int | None:
        return self._status

    def close(self) -> None:
        self._end_child()

    def _start(self) -> None:
        program = "import sys; sys.stdin.read()"
        self._child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)
        self._parent = threading.Thread(target=self._child.wait)  # hears of the child's end
        self._parent.start()

    def _end_child(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._parent.join()

    def _begin(self) -> str:
        task_id = f"t{next(self._numbers)}"
        self._ran[task_id] = self._child.pid
        self._tell(Kind.STARTED, task_id, self._child.pid + ("wrong process" in self.faults))
        return task_id

    def _tell(self, kind: Kind, task_id: str, pid: int | None = None) -> None:
        if "silent" in self.faults:
            return
        payload = msgspec.json.encode({"pid": pid})
        now = time.time_ns() // 1_000
        event = WireEvent(kind, "lantern", task_id, 0, now, None, None, payload)
        self.server.events += [event] * (2 if f"twice {kind}" in self.faults else 1)


class Impatient(ForkContract):
    patience_s = 1.0


class TestPretended(ForkContract):
    @pytest.fixture
    def forking(self) -> Iterator[Pretended]:
        pretended = Pretended()
        yield pretended
        pretended.close()


RUN, KILL, END = (name for name in vars(ForkContract) if name.startswith("test_"))


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        (RUN, "twice started"),
        (RUN, "twice succeeded"),
        (RUN, "wrong process"),
        (RUN, "silent"),
        (KILL, "silent after a loss"),
        (KILL, "again after a loss"),
        (END, "silent at the end"),
        (END, "fails"),
        (END, "link"),
        (END, "orphan"),
    ],
)
def test_a_worse_worker_does_not_pass(test: str, fault: str) -> None:
    pretended = Pretended(fault)
    try:
        with pytest.raises(AssertionError):
            getattr(Impatient(), test)(pretended)
    finally:
        pretended.close()
