"""Real RQ workers of `tests/apps/rq_truth.py`."""

from __future__ import annotations

from collections.abc import Sequence

from celery_worker import Shop

_RQ = "from rq.cli import main; sys.exit(main())"


class RqShop(Shop):
    """As `Shop`, with RQ; `kind` is the class of the workers."""

    app = "rq_truth"
    ready = "Listening on"
    kind = "Worker"

    def command(self, name: str, options: Sequence[str]) -> list[str]:
        """Return Python's arguments for a worker that has the jobs' module loaded."""
        worker = ["worker", "-w", f"z4j_rq.{self.kind}", "-n", name, "-u", self.redis_url]
        return ["-c", f"import sys, {self.app}; {_RQ}", *worker, *options, "truth"]

    def start_cron(self, module: str) -> None:
        """Start RQ's own scheduler with a module that configures it."""
        self.start("cron", "", "-c", f"import sys; {_RQ}", "cron", module, "-u", self.redis_url)
