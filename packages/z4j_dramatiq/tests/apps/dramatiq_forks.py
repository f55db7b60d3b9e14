"""Dramatiq's own command with the application beside this file, and the real agent in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq_stand import wait

from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.marked_worker import MarkedWorker


class DramatiqForks(MarkedWorker):
    """A master with worker processes, each with a link of its own; they log what they do."""

    def __init__(
        self, folder: Path, url: str, server: LoopbackBrain, processes: int, threads: int
    ) -> None:
        super().__init__(folder)
        self.server = server
        self.broker = RedisBroker(url=url)
        self.broker.client.flushdb()
        self._url, self._started = url, 0
        self._processes, self._threads = processes, threads
        self.start()

    def publish(self, task_id: str, args: list[str | bool]) -> None:
        message = Message("default", "marked", tuple(args), {}, {}, message_id=task_id)
        self.broker.enqueue(message)

    def go_on(self) -> None:
        """Dramatiq's master ends all when it has lost one."""
        if self.process.poll() is not None or not all(map(_lives, self._children)):
            self.process.wait(60)
            self.start()

    def start(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
        own = self.server.environment(Z4J_SPOOL="on", Z4J_SPOOL_DIR=str(self.folder / "spool"))
        shop = {"BROKER_URL": self._url, "PYTHONPATH": str(Path(__file__).parent)}
        quick = {"dramatiq_worker_timeout": "100", "dramatiq_restart_delay": "100"}
        self._started += 1
        self.log = self.folder / f"log-{self._started}"
        size = ("-p", str(self._processes), "-t", str(self._threads))
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dramatiq", "dramatiq_shop", "-v", *size],
                env={**kept, **own, **shop, **quick},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        wait(self._is_ready, self.log.read_text)
        master = self.process.pid
        self._children = Path(f"/proc/{master}/task/{master}/children").read_text().split()

    def _is_ready(self) -> bool:
        return self.log.read_text().count("ready for action") == self._processes


def _lives(process: str) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and not stat.read_text().rpartition(") ")[2].startswith("Z")


@contextmanager
def forked(
    folder: Path, url: str, *, processes: int = 2, threads: int = 2
) -> Iterator[DramatiqForks]:
    """Have a worker run, and a server for its agents."""
    with LoopbackBrain() as server:
        forks = DramatiqForks(folder, url, server, processes, threads)
        yield forks
        forks.let_go()
        forks.shut_down()
        forks.process.wait(60)
        forks.broker.close()
        forks.broker.client.connection_pool.disconnect()
