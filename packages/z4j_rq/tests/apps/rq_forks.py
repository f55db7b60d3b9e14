"""RQ's own command with the real agent, its work-horses, and a server that it reports to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from rq import Queue
from rq import Worker as Known
from stand import wait

from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.marked_worker import MarkedWorker

APPS = Path(__file__).parent


class RqForks(MarkedWorker):
    """A worker that forks a work-horse for each job; its jobs mark where they ran."""

    def __init__(self, folder: Path, url: str, client: redis.Redis, server: LoopbackBrain) -> None:
        super().__init__(folder)
        self.server = server
        self.client = client
        self.queue = Queue("shop", connection=client)
        self._url = url
        self.start()

    def publish(self, task_id: str, args: list[str | bool]) -> None:
        self.queue.enqueue("rq_shop.marked", args=args, job_id=task_id)

    def start(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
        own = self.server.environment(
            Z4J_PLUGINS="rq", Z4J_SPOOL="on", Z4J_SPOOL_DIR=str(self.folder / "spool")
        )
        with (self.folder / "log").open("ab") as log:
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
