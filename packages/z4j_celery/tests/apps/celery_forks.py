"""A real prefork worker with the real agent, and tasks that mark where they ran."""

from __future__ import annotations

import itertools
import uuid
from pathlib import Path

from celery import Celery
from harness import Worker

from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.marks import Marks

MARKED = "celery_shop.marked"


class CeleryForks:
    """A worker with two children if no options say otherwise; one after the other may be started.

    The first is started by `go_on`.
    """

    worker: Worker

    def __init__(self, folder: Path, url: str, server: LoopbackBrain) -> None:
        self.server = server
        self.client = Celery("client", broker=url, backend=url, set_as_current=False)
        self.url = url
        self._marked = folder / "marks"
        self._marked.mkdir()
        marks = Marks(self._marked)
        self.let_go, self.ran_in = marks.let_go, marks.ran_in
        self._folder = folder
        self._numbers = itertools.count(1)

    def start(self, *options: str) -> None:
        self.worker = Worker(
            self._folder / f"w{next(self._numbers)}",
            self.url,
            *("-P", "prefork", "--include", "z4j_celery.auto"),
            *(options or ("-c", "2")),
            MODULE="celery_sites:bare",
            **self.server.environment(
                Z4J_PLUGINS="celery", Z4J_SPOOL="on", Z4J_SPOOL_DIR=str(self._folder / "spool")
            ),
        ).wait_until_ready()

    def run(self, queue: str = "shop") -> str:
        return self._publish(queue, is_held=False)

    def hold(self) -> str:
        return self._publish("shop", is_held=True)

    def args(self, mark: str, *, is_held: bool = False) -> list[str | bool]:
        """Return the arguments of a task that marks itself as `mark`."""
        return [str(self._marked), mark, is_held]

    def go_on(self) -> None:
        if not hasattr(self, "worker") or self.worker.process.poll() is not None:
            self.start()

    def shut_down(self) -> None:
        self.worker.process.terminate()

    def exit_status(self) -> int | None:
        return self.worker.process.poll()

    def close(self) -> None:
        self.let_go()
        self.worker.stop()
        self.client.close()

    def _publish(self, queue: str, *, is_held: bool) -> str:
        task_id = uuid.uuid4().hex
        args = self.args(task_id, is_held=is_held)
        self.client.send_task(MARKED, args, task_id=task_id, queue=queue)
        return task_id
