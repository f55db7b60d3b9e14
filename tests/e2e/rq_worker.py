"""Real RQ workers of `tests/apps/rq_truth.py`, which fork for every job."""

from __future__ import annotations

import subprocess

from celery_worker import Shop

_RQ = "from rq.cli import main; sys.exit(main())"


class RqShop(Shop):
    """One Redis, RQ's workers and publishers on it."""

    app = "rq_truth"

    def start_worker(self, name: str = "w1", *options: str) -> subprocess.Popen[bytes]:
        """Start a worker that forks, with the jobs' module loaded, and wait until it listens."""
        options = ("-w", "z4j_rq.Worker", "-n", name, "-u", self.redis_url, *options, "truth")
        program = f"import sys, {self.app}; {_RQ}"
        return self.start(name, "Listening on", "-c", program, "worker", *options)

    def start_cron(self, module: str) -> None:
        """Start RQ's own scheduler with a module that configures it."""
        self.start("cron", "", "-c", f"import sys; {_RQ}", "cron", module, "-u", self.redis_url)
