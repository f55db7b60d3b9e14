"""What z4j costs an RQ worker: CPU time per no-op job, without and with the agent.

    python tools/bench/rq_overhead.py [--pool simple|fork] [--tasks N] [--turns N] [--pairs N]

As `celery_overhead.py`, which says how it is measured. Counted is the time on a processor of the
worker, of all its threads, and of the work horses that it has waited for.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "tests")]

from celery_overhead import Bench, Worker, main  # noqa: E402
from rq import Queue  # noqa: E402

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
CLASSES = {"simple": "SimpleWorker", "fork": "Worker"}


def nothing(number: int, name: str = "") -> None:
    """Do nothing, with arguments of a usual size."""


class RqWorker(Worker):
    """One worker process with its work horses."""

    @staticmethod
    def command(url: str, pool: str, queue: str) -> list[str]:
        """Return RQ's own command; only the worker's class differs."""
        module = "z4j_rq" if queue == "with" else "rq"
        program = f"import sys, {HERE.stem}; from rq.cli import main; sys.exit(main())"
        options = ["-w", f"{module}.{CLASSES[pool]}", "-u", url, "--logging_level", "ERROR"]
        return [sys.executable, "-c", program, "worker", *options, queue]

    def cpu_s(self) -> float:
        """Return the seconds on a processor of the worker's threads and of its ended children."""
        proc = Path("/proc") / str(self.process.pid)
        total = 0.0
        for thread in (proc / "task").glob("*/schedstat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                total += int(thread.read_text().split()[0]) / 1e9
        fields = (proc / "stat").read_text().rpartition(")")[2].split()
        return total + (int(fields[13]) + int(fields[14])) / TICKS_PER_S


class RqBench(Bench):
    """One Redis, and the worker without and the worker with z4j, which take turns."""

    pools = ("simple", "fork")
    plugin = "rq"

    def start(self, pool: str, queue: str, environment: dict[str, str]) -> Worker:
        """Start a worker of that queue."""
        return RqWorker(self.url, pool, queue, environment)

    def park(self, name: str, tasks: int) -> None:
        """Put jobs into the queue `parked`, by a publisher without z4j."""
        queue = Queue("parked", connection=self.broker)
        for number in range(tasks):
            options = {"name": "somebody@example.org"}
            queue.enqueue(f"{HERE.stem}.nothing", args=(number,), kwargs=options, result_ttl=0)

    def release(self, name: str) -> None:
        """Give the worker the queue."""
        self.broker.rename("rq:queue:parked", f"rq:queue:{name}")

    def is_drained(self, queue: str) -> bool:
        """Tell whether every job has ended: RQ deletes those that keep no result."""
        return not any(self.broker.scan_iter("rq:job:*", count=1_000))


if __name__ == "__main__":
    main(RqBench, __doc__)
