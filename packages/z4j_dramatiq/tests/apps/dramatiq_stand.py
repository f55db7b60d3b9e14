"""Workers in this process on real Redis or on Dramatiq's stub, and what a recording host heard."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import dramatiq
import msgspec
from dramatiq import broker as global_of

from z4j_core.events import Kind
from z4j_core.plugins import Engine
from z4j_core.testing import RecordingHost
from z4j_core.testing.host import data_of
from z4j_dramatiq.engine import DramatiqEngine


class Shop:
    """One broker with z4j, and workers that the test starts."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.host = RecordingHost()
        self.engine: Engine = DramatiqEngine()
        self.engine.attach(self.host)
        self.broker = make()
        dramatiq.set_broker(self.broker)
        self.workers: list[Any] = []

    def actor(self, function: Callable[..., Any], **options: Any) -> Any:
        """Declare an actor, with quick retries."""
        options = {"max_retries": 0, "min_backoff": 10, "max_backoff": 20, **options}
        return dramatiq.actor(broker=self.broker, **options)(function)

    def work(self, threads: int = 2, queues: set[str] | None = None) -> Any:
        """Start a worker in this process, for these queues or all."""
        # TimeLimit's thread and the like begin with the process, which has no worker's name here.
        worker = dramatiq.Worker(
            self.broker, queues=queues, worker_timeout=100, worker_threads=threads
        )
        worker.start()
        self.workers.append(worker)
        return worker

    def kinds(self, task_id: str) -> Counter[tuple[str, int]]:
        """Return how often each (kind, attempt) was told."""
        return Counter((one.kind.value, one.attempt) for one in self.host.of_task(task_id))

    def data(self, task_id: str, kind: Kind, attempt: int = 0) -> dict[str, Any]:
        """Return what an event told, waiting for it."""
        wait(lambda: self.kinds(task_id)[kind.value, attempt], lambda: str(self.kinds(task_id)))
        events = self.host.of_task(task_id)
        return data_of(next(one for one in events if (one.kind, one.attempt) == (kind, attempt)))

    def act(self, action: str, *target: Any, **params: Any) -> Any:
        """Call an action the way the agent does."""
        offered = self.engine.actions()[action]
        return getattr(self.engine, action)(*target, msgspec.convert(params, offered.params))

    def close(self) -> None:
        for worker in self.workers:
            worker.stop(timeout=60_000)
        self.engine.detach()
        self.broker.close()
        global_of.global_broker = None


def wait(
    look: Callable[[], Any], problem: Callable[[], str] = lambda: "", timeout_s: float = 60
) -> Any:
    """Return the first true value that `look` returns."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError(problem())


def once(*kinds: str, attempt: int = 0) -> Counter[tuple[str, int]]:
    """Return each kind once."""
    return Counter((kind, attempt) for kind in kinds)
