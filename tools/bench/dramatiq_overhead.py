"""What z4j costs a Dramatiq worker: CPU time per no-op message, without and with the agent.

    python tools/bench/dramatiq_overhead.py [--tasks N] [--turns N] [--pairs N]

As `celery_overhead.py`, which it uses: a master with one process of two threads each. This file is
also the Dramatiq application.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import dramatiq
from dramatiq.brokers.redis import RedisBroker

import z4j_dramatiq.auto  # noqa: F401

HERE = Path(__file__).resolve()
PARKED = "parked"

if "OVERHEAD_BROKER" in os.environ:
    dramatiq.set_broker(RedisBroker(url=os.environ["OVERHEAD_BROKER"]))
    for _queue in ("without", "with"):
        dramatiq.actor(actor_name=_queue, queue_name=_queue)(lambda number, name="": None)


def measure() -> None:
    """Measure and print."""
    sys.path.insert(0, str(HERE.parent))
    from celery_overhead import Bench, Worker, main

    class DramatiqWorker(Worker):
        """One master."""

        @staticmethod
        def command(url: str, pool: str, queue: str) -> list[str]:
            options = ["-p", "1", "-t", "2", "-Q", queue, "--skip-logging"]
            return [sys.executable, "-m", "dramatiq", HERE.stem, *options]

    class DramatiqBench(Bench):
        """Messages are parked in another namespace: they hold the name of their queue."""

        pools = ("threads",)
        plugin = "dramatiq"
        events_per_task = 2

        def start(self, pool: str, queue: str, environment: dict[str, str]) -> Worker:
            return DramatiqWorker(self.url, pool, queue, environment)

        def park(self, name: str, tasks: int) -> None:
            broker = RedisBroker(url=self.url, namespace=PARKED, middleware=[])
            for number in range(tasks):
                kwargs = {"name": "somebody@example.org"}
                broker.enqueue(dramatiq.Message(name, name, (number,), kwargs, {}))
            broker.client.close()

        def release(self, name: str) -> None:
            with self.broker.pipeline(transaction=True) as pipe:
                for suffix in (".msgs", ""):
                    pipe.rename(f"{PARKED}:{name}{suffix}", f"dramatiq:{name}{suffix}")
                pipe.execute()

        def is_drained(self, queue: str) -> bool:
            return not self.broker.hlen(f"dramatiq:{queue}.msgs")

    main(DramatiqBench, __doc__)


if __name__ == "__main__":
    measure()
