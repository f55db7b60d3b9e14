"""A real prefork worker with the real agent, and tasks that mark where they ran."""

from __future__ import annotations

import itertools
import uuid
from pathlib import Path

from celery import Celery
from harness import Worker

from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.marked_worker import MarkedWorker

MARKED = "celery_shop.marked"


class CeleryForks(MarkedWorker):
    """A worker with two children if no options say otherwise; one after the other may be started.

    The first is started by `go_on`.
    """

    worker: Worker | None = None

    def __init__(self, folder: Path, url: str, server: LoopbackBrain) -> None:
        super().__init__(folder)
        self.server = server
        self.client = Celery("client", broker=url, backend=url, set_as_current=False)
        self.url = url
        self._numbers = itertools.count(1)

    def start(self, *options: str) -> None:
        self.worker = Worker(
            self.folder / f"w{next(self._numbers)}",
            self.url,
            *("-P", "prefork", "--include", "z4j_celery.auto"),
            *(options or ("-c", "2")),
            MODULE="celery_sites:bare",
            **self.server.environment(
                Z4J_PLUGINS="celery", Z4J_SPOOL="on", Z4J_SPOOL_DIR=str(self.folder / "spool")
            ),
        ).wait_until_ready()
        self.process = self.worker.process

    def publish(self, task_id: str, args: list[str | bool], queue: str = "shop") -> None:
        self.client.send_task(MARKED, args, task_id=task_id, queue=queue)

    def run_in(self, queue: str) -> str:
        task_id = uuid.uuid4().hex
        self.publish(task_id, self.args(task_id), queue)
        return task_id

    def go_on(self) -> None:
        if self.worker is None:
            self.start()
        super().go_on()

    def close(self) -> None:
        self.let_go()
        if self.worker is not None:
            self.worker.stop()
        self.client.close()
