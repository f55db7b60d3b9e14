"""Real RQ workers of `tests/apps/rq_truth.py`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from celery_worker import Shop


class RqShop(Shop):
    """As `Shop`, with RQ; `kind` is the class of the workers."""

    app = "rq_truth"
    ready = "Listening on"
    kind = "Worker"

    def command(self, name: str, options: Sequence[str]) -> list[str]:
        """Return what starts a worker that has the jobs' module loaded."""
        program = f"import sys, {self.app}; from rq.cli import main; sys.exit(main())"
        worker = ["worker", "-w", f"z4j_rq.{self.kind}", "-n", name, "-u", self.redis_url]
        return [sys.executable, "-c", program, *worker, *options, "truth"]
