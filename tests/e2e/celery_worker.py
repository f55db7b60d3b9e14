"""Real workers of `tests/apps/celery_truth.py`, and publishers in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import redis

from record import expected
from services.process import guarded

APPS = Path(__file__).parents[1] / "apps"


class Shop:
    """One broker database, its workers and its publishers; and the truth that the tasks told.

    Shops of other engines derive from this one.
    """

    app = "celery_truth"
    ready = " ready."
    """What a worker says when it takes tasks."""

    def __init__(self, folder: Path, redis_url: str, server_url: str, token: str) -> None:
        self.truth_file = folder / "truth"
        self.folder = folder
        self.redis_url = redis_url
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("Z4J_")},
            "BROKER_URL": redis_url,
            "TRUTH_FILE": str(self.truth_file),
            "Z4J_URL": server_url,
            "Z4J_TOKEN": token,
            "Z4J_SPOOL_DIR": str(folder / "spool"),
            "PYTHONPATH": str(APPS),
        }
        self.workers: list[subprocess.Popen[bytes]] = []

    def command(self, name: str, options: Sequence[str]) -> list[str]:
        """Return Python's arguments for a worker: prefork, with two children; it logs little,
        as two lines and a traceback for a task would cost a fifth of its time.
        """
        celery = ["-m", "celery", "-A", self.app, "worker", "-n", f"{name}@%h"]
        return [*celery, "-c", "2", "-l", "WARNING", *options]

    def start_worker(self, name: str = "w1", *options: str) -> subprocess.Popen[bytes]:
        """Start a worker and wait until it takes tasks."""
        return self.start(name, self.ready, *self.command(name, options))

    def start(
        self,
        name: str,
        ready: str,
        *command: str,
        python: str = sys.executable,
        **environment: str,
    ) -> subprocess.Popen[bytes]:
        """Start Python, which ends when this process does, and wait until it writes `ready`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                guarded([python, *command]),
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.workers.append(process)
        self._wait_for_log(name, ready)
        return process

    def children(self, worker: subprocess.Popen[bytes]) -> set[str]:
        """Return the ids of a worker's child processes."""
        return set(Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split())

    def publish(self, program: str) -> list[str]:
        """Run a publisher process; `program` is Python that prints one word a line."""
        done = subprocess.run(
            [sys.executable, "-c", f"from {self.app} import *\n{program}"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=240,
        )
        return done.stdout.split()

    def publish_numbers(self, count: int) -> list[str]:
        """Publish `work(0)` to `work(count - 1)`; what is not told yet is left in the spool."""
        return self.publish(f"publish(send, {count})")

    def publish_and_kill(self, count: int) -> list[str]:
        """Kill a publisher after `count` tasks; return the ids of those it knows to be sent."""
        program = (
            "from celery_truth import *\n"
            "for n in range(100_000): print(work.delay(n).id, flush=True)"
        )
        publisher = subprocess.Popen(
            [sys.executable, "-c", program], env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert publisher.stdout is not None
        ids = [publisher.stdout.readline() for _ in range(count)]
        publisher.kill()
        rest, _ = publisher.communicate()
        lines = "".join([*ids, rest]).splitlines(keepends=True)
        return [line.strip() for line in lines if line.endswith("\n")]

    def truth(self) -> Counter[tuple[str, str, int]]:
        """Return how often each (kind, task, attempt) really happened."""
        if not self.truth_file.exists():
            return Counter()
        told = (line.split()[:3] for line in self.truth_lines())
        return Counter(
            (what, task_id, int(attempt))
            for what, task_id, attempt in told
            if what not in ("sent", "left")
        )

    def expected(self) -> Counter[tuple[str, str, int]]:
        """Return the events that must be in the record, given what the tasks really did."""
        return expected(self.truth())

    def truth_lines(self) -> list[str]:
        """Return what was told, a line each; see `telling.py`."""
        # The last line may be only half there while a worker writes it.
        return self.truth_file.read_text().rpartition("\n")[0].splitlines()

    def wait_for_ends(self, count: int, timeout_s: float = 240) -> None:
        """Wait until `count` tasks have ended for good."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            ended = sum(
                number
                for (what, _, _), number in self.truth().items()
                if what in ("succeeded", "failed")
            )
            if ended >= count:
                return
            time.sleep(0.25)
        raise AssertionError(f"only {ended} of {count} tasks have ended")

    def stop(self) -> None:
        """Warm shutdown of all workers."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.terminate()
        for worker in self.workers:
            try:
                worker.wait(60)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self.workers.clear()

    def flush(self) -> None:
        """Empty the broker's database."""
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()

    def _wait_for_log(self, name: str, text: str) -> None:
        deadline = time.monotonic() + 120
        log = self.folder / f"{name}.log"
        while time.monotonic() < deadline:
            if text in log.read_text():
                return
            time.sleep(0.1)
        raise AssertionError(f"the worker did not start:\n{log.read_text()}")
