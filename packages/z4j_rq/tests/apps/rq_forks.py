"""RQ's own command with the real agent, its work-horses, and a server that it reports to."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from rq import Queue
from rq import Worker as Known
from stand import wait

from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.marks import Marks

APPS = Path(__file__).parent


class RqForks:
    """A worker that forks a work-horse for each job; its jobs mark where they ran."""

    def __init__(self, folder: Path, url: str, client: redis.Redis, server: LoopbackBrain) -> None:
        self.server = server
        self.client = client
        self.queue = Queue("shop", connection=client)
        self._marked = folder / "marks"
        self._marked.mkdir()
        marks = Marks(self._marked)
        self.let_go, self.ran_in = marks.let_go, marks.ran_in
        self._folder, self._url = folder, url
        self._start()

    def run(self) -> str:
        return self._publish(is_held=False)

    def hold(self) -> str:
        return self._publish(is_held=True)

    def go_on(self) -> None:
        if self.process.poll() is not None:
            self._start()

    def shut_down(self) -> None:
        self.process.terminate()

    def exit_status(self) -> int | None:
        return self.process.poll()

    def _publish(self, *, is_held: bool) -> str:
        task_id = uuid.uuid4().hex
        args = (str(self._marked), task_id, is_held)
        self.queue.enqueue("rq_shop.marked", args=args, job_id=task_id)
        return task_id

    def _start(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
        own = self.server.environment(
            Z4J_PLUGINS="rq", Z4J_SPOOL="on", Z4J_SPOOL_DIR=str(self._folder / "spool")
        )
        with (self._folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rq.cli", "worker", "-w", "z4j_rq.Worker", "-u", self._url]
                + ["shop"],
                env={**kept, **own, "PYTHONPATH": str(APPS)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait(lambda: Known.count(connection=self.client))


@contextmanager
def started_forks(folder: Path, redis_server: Any) -> Iterator[RqForks]:
    """Give a worker on a database of its own, emptied; end it afterwards."""
    url = f"{redis_server.url.rpartition('/')[0]}/8"
    with redis.Redis.from_url(url) as client, LoopbackBrain() as server:
        client.flushdb()
        forks = RqForks(folder, url, client, server)
        try:
            yield forks
        finally:
            forks.let_go()
            forks.shut_down()
            forks.process.wait(60)
    client.connection_pool.disconnect()
