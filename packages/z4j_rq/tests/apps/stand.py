"""An attached engine, a queue, and workers that run until the queue is empty."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import msgspec
import redis
import rq_shop
from relaying import RelayingHost
from rq import Queue
from rq.job import Job

import z4j_rq
from z4j_core.frames import TaskRef
from z4j_rq.engine import RqEngine


def wait(look: Callable[[], Any], timeout_s: float = 90) -> Any:
    """Return the first true value that `look` returns."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError("it did not come true")


class Stand:
    """Use it as a context manager. `worker_class` names one of z4j_rq's or of the shop's."""

    def __init__(self, client: redis.Redis, worker_class: str = "Worker") -> None:
        self.client = client
        self.worker_class: Any = getattr(rq_shop, worker_class, None) or getattr(
            z4j_rq, worker_class
        )
        self.host = RelayingHost()
        self.engine = RqEngine()
        self.engine.attach(self.host)
        self.queue = Queue("shop", connection=client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.detach()
        self.host.close()

    def new_worker(self, *queues: str, **options: Any) -> Any:
        return self.worker_class(list(queues or ("shop",)), connection=self.client, **options)

    def work(self, *queues: str, **options: Any) -> Any:
        """Let a worker run until the queue is empty; its life ends with that."""
        worker = self.new_worker(*queues)
        worker.subscribe = lambda: None  # RQ takes a second to end the thread that hears commands
        worker.work(burst=True, logging_level="CRITICAL", **options)
        return worker

    def run(self, function: Any, *args: Any, **options: Any) -> str:
        """Enqueue a job, run it, return its id."""
        job = self.queue.enqueue(function, *args, **options)
        self.work()
        return str(job.id)

    def job(self, job_id: str) -> Job:
        return Job.fetch(job_id, connection=self.client)

    def state(self, job_id: str) -> str:
        return str(self.job(job_id).get_status().value)

    def act(self, action: str, target: Any = None, **params: Any) -> Any:
        """Call an action the way the agent does."""
        offered = type(self.engine).actions()[action]
        subject = () if target is None else (target,)
        converted = msgspec.convert(params, offered.params)
        return getattr(self.engine, action)(*subject, converted)


def ref(task_id: str, **more: Any) -> TaskRef:
    """Return a task as the server names it."""
    known = {"name": "rq_shop.add", "queue": "shop", "state": "failed", **more}
    return TaskRef(task_id, **known)


@contextmanager
def beside(act: Callable[[], None]) -> Iterator[None]:
    """Act on a thread like the agent's while a worker works."""
    problems: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    assert not problems, problems
