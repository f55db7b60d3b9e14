"""Each action in a real prefork worker, with its effect as Celery, Redis or the system tells it.

Where Celery can only tell that it has been told something, what comes of that is seen after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
from celery_forks import MARKED, CeleryForks

from z4j_agent.testing import LoopbackBrain
from z4j_core.frames import TaskRef
from z4j_core.testing.action_contract import ActionContract, Scene, WorkerStage
from z4j_core.testing.patience import Patient

ADD = "celery_shop.add"


class CeleryStage(WorkerStage, Patient):
    """Two workers, one after the other: a pool scales itself, or it can be told to."""

    def __init__(self, forks: CeleryForks) -> None:
        super().__init__(forks.server, "celery")
        self.forks = forks

    def scenes(self) -> Iterator[Scene]:
        self.start("--autoscale=2,1")
        yield Scene("autoscale", lambda: len(self.pool()) == 3, params={"max": 4, "min": 3})
        self.forks.worker.stop()
        self.until(lambda: not self.server.open_links)
        self.start("-c", "2")
        yield from self.retries()
        yield from self.sizes()
        yield from self.ends()
        yield from self.queues()
        yield from self.limits()
        yield Scene("shutdown", lambda: self.forks.exit_status() == 0)

    def retries(self) -> Iterator[Scene]:
        """A retry marks itself anew, an edited one as something else."""
        task_id = self.forks.run()
        self.until(lambda: self.state(task_id) == "SUCCESS" and not self.tell("active"))
        mark, *_ = args = self.forks.args(task_id)
        Path(str(mark), task_id).unlink()
        task = self.task(
            task_id, state="succeeded", exact=True, args=_json(args), kwargs="{}", queue="shop"
        )
        yield Scene("retry", lambda: self.forks.ran_in(task_id), task=task)
        edited = {"args": self.forks.args("edited"), "kwargs": {}}
        yield Scene("retry_edited", lambda: self.forks.ran_in("edited"), task=task, params=edited)

    def sizes(self) -> Iterator[Scene]:
        yield Scene("pool_grow", lambda: len(self.pool()) == 3, params={"by": 1})
        before = self.pool()
        yield Scene("pool_restart", lambda: len(self.pool()) == 3 and not before & self.pool())
        yield Scene("pool_shrink", lambda: len(self.pool()) == 1, params={"by": 2})

    def ends(self) -> Iterator[Scene]:
        """The only process is busy; the task that waits for it is cancelled."""
        running = self.forks.hold()
        self.until(lambda: self.tell("active"))
        # It only asks: its effect is the answer, which is held against Celery's own.
        active = {(one["id"], one["worker_pid"]) for one in self.tell("active")}
        yield Scene("held_tasks", lambda: self.answered("active") == active)
        waiting = self.forks.run()
        self.until(lambda: self.tell("reserved"))
        revoked = lambda: waiting in self.tell("revoked")  # noqa: E731
        yield Scene("cancel", revoked, task=self.task(waiting, state="received"))
        child = self.forks.ran_in(running)
        task = self.task(running, state="running")
        yield Scene("terminate", lambda: child not in self.pool(), task=task)
        self.until(lambda: self.state(waiting) == self.state(running) == "REVOKED")
        assert self.forks.ran_in(waiting) is None

    def queues(self) -> Iterator[Scene]:
        """A queue aside is consumed, is so no more, and then purged of what waits in it."""
        aside = {"queue": "aside"}
        published = self.forks.run_in("aside")
        yield Scene("add_consumer", lambda: self.forks.ran_in(published), params=aside)
        yield Scene("cancel_consumer", lambda: "aside" not in self.consumed(), params=aside)
        self.forks.run_in("aside")
        later = self.forks.run()
        self.until(lambda: self.forks.ran_in(later) and self.waiting("aside") == 1)
        yield Scene("purge", lambda: not self.waiting("aside"), queue="aside")

    def limits(self) -> Iterator[Scene]:
        rate, time = {"task": ADD, "rate": "1/h"}, {"task": MARKED, "hard_s": 1}
        yield Scene("rate_limit", lambda: self.knows(f"{ADD} [rate_limit=1/h"), params=rate)
        first, second = [self.forks.client.send_task(ADD, (1, 1), queue="shop") for _ in range(2)]
        later = self.forks.run()
        self.until(lambda: self.state(first.id) == self.state(later) == "SUCCESS")
        assert self.state(second.id) == "PENDING"
        yield Scene("time_limit", lambda: self.knows(f"{MARKED} [time_limit=1"), params=time)
        limited = self.forks.hold()
        self.until(lambda: self.state(limited) == "FAILURE")

    def start(self, *options: str) -> None:
        self.forks.start(*options)
        self.until(lambda: self.server.open_links)

    def pool(self) -> set[int]:
        return self.forks.worker.children()

    def tell(self, what: str, *details: str) -> Any:
        """Ask the worker with Celery's remote control."""
        name = self.forks.worker.name
        inspect = self.forks.client.control.inspect([name], timeout=60)
        return getattr(inspect, what)(*details)[name]

    def consumed(self) -> set[str]:
        return {queue["name"] for queue in self.tell("active_queues")}

    def knows(self, limit: str) -> bool:
        told = self.tell("registered", "rate_limit", "time_limit")
        return any(one.startswith(limit) for one in told)

    def state(self, task_id: str) -> str:
        return str(self.forks.client.backend.get_state(task_id))

    def waiting(self, queue: str) -> int:
        with redis.Redis.from_url(self.forks.url) as broker:
            return int(broker.llen(queue))

    def answered(self, held: str) -> set[tuple[str, int]]:
        """Return the tasks and processes of the last answer, if it has such a list."""
        answer = msgspec.json.decode(self.server.results[-1].result)
        return {(one["task_id"], one["pid"]) for one in answer.get(held, ())}

    def task(self, task_id: str, **known: Any) -> TaskRef:
        return TaskRef(task_id, name=MARKED, **known)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


class TestCeleryActions(ActionContract):
    @pytest.fixture
    def stage(self, tmp_path: Path, own_databases: Iterator[str]) -> Iterator[CeleryStage]:
        with LoopbackBrain() as server:
            forks = CeleryForks(tmp_path, next(own_databases), server)
            yield CeleryStage(forks)
            forks.close()
