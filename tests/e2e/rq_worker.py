"""Real RQ workers of `tests/apps/rq_truth.py`, which fork for every job."""

from __future__ import annotations

import subprocess
import sys

from celery_worker import Shop


class RqShop(Shop):
    """One Redis, RQ's workers and publishers on it."""

    app = "rq_truth"

    def start_worker(self, name: str = "w1", *options: str) -> subprocess.Popen[bytes]:
        """Start a worker that forks, with the jobs' module loaded, and wait until it listens."""
        command = [sys.executable, "-m", "rq.cli", "worker", "-w", "z4j_rq.Worker", "-n", name]
        program = "import sys, rq_truth; from rq.cli import main; sys.exit(main())"
        command[1:3] = ["-c", program]
        with (self.folder / f"{name}.log").open("ab") as log:
            worker = subprocess.Popen(
                [*command, "-u", self.redis_url, *options, "truth"],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.workers.append(worker)
        self._wait_for_log(name, "Listening on")
        return worker
