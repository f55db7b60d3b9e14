"""What an engine owes that runs its tasks in child processes, forked or spawned.

It is tried with a real worker that was started as its users start it, with the real agent in it,
and a server that the agent reports to. An engine whose tasks run in the process of its worker has
nothing to do here. A plugin's test file subclasses `ForkContract` and provides one fixture:

    class TestForks(ForkContract):
        @pytest.fixture
        def forking(self): yield MyWorker(...)
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from z4j_core.events import ENDING_KINDS, Kind, WireEvent
from z4j_core.testing.host import data_of
from z4j_core.testing.patience import Patient

RUNS = 20


class Server(Protocol):
    """What the agent reports to; `z4j_agent.testing.LoopbackBrain` is one."""

    events: list[WireEvent]

    @property
    def open_links(self) -> int:
        """How many processes are connected."""


class ForkHarness(Protocol):
    """A worker that takes tasks, in processes of its own. `marks.Marks` helps to write one."""

    server: Server

    def run(self) -> str:
        """Publish a task that succeeds; return its id."""

    def hold(self) -> str:
        """Publish a task that runs until `let_go`, then succeeds; return its id."""

    def let_go(self) -> None:
        """Let every held task end that has begun."""

    def ran_in(self, task_id: str) -> int | None:
        """Return the process that began the task last, without asking z4j; None if none has."""

    def go_on(self) -> None:
        """Return when a worker takes tasks, and start another if there is none.

        Some engines end altogether when they lose a child, and leave the rest to a process manager.
        """

    def shut_down(self) -> None:
        """Tell the worker to end as its process manager would, and do not wait."""

    def exit_status(self) -> int | None:
        """Return the exit status of the worker that was told to end; None while it runs."""


class ForkContract(Patient):
    """Subclass it as ``Test…``. Its tests may share a worker."""

    def test_a_run_in_a_child_is_told_once(self, forking: ForkHarness) -> None:
        """Each run has one start and one end; the start names the process that really ran it."""
        forking.go_on()
        tasks = [forking.run() for _ in range(RUNS)]
        self.until(lambda: self.all_ended(forking, tasks))
        for task_id in tasks:
            self.assert_told_once(forking, task_id)
            assert self.starts(forking, task_id) == [forking.ran_in(task_id)]

    def test_a_killed_child_takes_nobody_along(self, forking: ForkHarness) -> None:
        """A child that is killed while it runs leaves its start; what runs later is told whole.

        The killed run may have an end of the engine's own making, and the task may run again; no
        process tells a run twice.
        """
        forking.go_on()
        held = forking.hold()
        self.until(lambda: self.starts(forking, held))
        killed = forking.ran_in(held)
        assert self.starts(forking, held) == [killed]
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        self.until(lambda: not _is_alive(killed))
        forking.let_go()  # another process may have it by now, and would not end before
        forking.go_on()
        later = [forking.run() for _ in range(RUNS)]
        self.until(lambda: self.all_ended(forking, later))
        for task_id in later:
            self.assert_told_once(forking, task_id)
        starts = self.starts(forking, held)
        assert len(starts) == len(set(starts))

    def test_a_shutdown_loses_no_end(self, forking: ForkHarness) -> None:
        """A worker that is told to end lets its tasks end, tells them, and leaves nothing behind.

        Its exit status is 0, no process of it lives on and no link stays open. What its agent could
        not deliver in the last second is told by the next worker, from the spool.
        """
        forking.go_on()
        tasks = [*(forking.run() for _ in range(RUNS)), forking.hold()]
        self.until(lambda: forking.ran_in(tasks[-1]))
        forking.shut_down()
        forking.let_go()
        self.until(lambda: forking.exit_status() is not None)
        assert forking.exit_status() == 0
        self.until(lambda: not forking.server.open_links)
        begun = {task_id: pid for task_id in tasks if (pid := forking.ran_in(task_id))}
        self.until(lambda: not any(map(_is_alive, begun.values())))
        if not self.all_ended(forking, [*begun]):
            forking.go_on()
        self.until(lambda: self.all_ended(forking, [*begun]))
        for task_id in begun:
            self.assert_told_once(forking, task_id)

    def all_ended(self, forking: ForkHarness, tasks: Sequence[str]) -> bool:
        """Tell whether the server has heard of the end of each of these tasks."""
        ended = {one.task_id for one in [*forking.server.events] if one.kind in ENDING_KINDS}
        return ended.issuperset(tasks)

    def assert_told_once(self, forking: ForkHarness, task_id: str) -> None:
        """Fail unless a task that ran once has one start and one success, and no other end."""
        told = Counter(one.kind for one in self.told(forking, task_id))
        assert told[Kind.STARTED] == told[Kind.SUCCEEDED] == 1, told
        assert sum(told[kind] for kind in ENDING_KINDS) == 1, told

    def starts(self, forking: ForkHarness, task_id: str) -> list[int | None]:
        """Return the processes that the starts of a task name."""
        told = self.told(forking, task_id)
        return [data_of(one).get("pid") for one in told if one.kind is Kind.STARTED]

    def told(self, forking: ForkHarness, task_id: str) -> list[WireEvent]:
        """Return what the server has heard of a task."""
        return [one for one in [*forking.server.events] if one.task_id == task_id]


def _is_alive(process: int) -> bool:
    """Tell whether there is such a process; one that its parent has not heard of yet counts."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


__all__ = ["ForkContract", "ForkHarness", "Server"]
