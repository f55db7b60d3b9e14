"""Real Dramatiq worker processes of `tests/apps/dramatiq_truth.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from celery_worker import Shop


class DramatiqShop(Shop):
    """As `Shop`, with Dramatiq; one worker is a master with two processes."""

    app = "dramatiq_truth"
    ready = "ready for action"

    def __init__(self, folder: Path, redis_url: str, server_url: str, token: str) -> None:
        super().__init__(folder, redis_url, server_url, token)
        self.environment["dramatiq_worker_timeout"] = "100"

    def command(self, name: str, options: Sequence[str]) -> list[str]:
        """Return Python's arguments for a master with two processes of two threads."""
        return ["-m", "dramatiq", self.app, "-p", "2", "-t", "2", *options]

    def expected(self) -> Counter[tuple[str, str, int]]:
        """Of a receipt Dramatiq tells only where a message waits in a worker until it is due."""
        wanted = super().expected()
        for what, task_id, attempt in list(wanted):
            if what == "received" and not attempt:
                del wanted[what, task_id, attempt]
        return wanted
