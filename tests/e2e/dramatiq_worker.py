"""Real Dramatiq worker processes of `tests/apps/dramatiq_truth.py`."""

from __future__ import annotations

import subprocess
from collections import Counter

from celery_worker import Shop


class DramatiqShop(Shop):
    """As `Shop`, with Dramatiq; a line of the truth has a time too."""

    app = "dramatiq_truth"

    def start_worker(self, name: str = "w1", *options: str) -> subprocess.Popen[bytes]:
        """Start a master with two worker processes of two threads, and wait for them."""
        command = ("-m", "dramatiq", self.app, "-p", "2", "-t", "2", *options)
        return self.start(name, "ready for action", *command, dramatiq_worker_timeout="100")

    def publish_numbers(self, count: int) -> list[str]:
        """Publish `work(0)` to `work(count - 1)`."""
        return self.publish(f"for n in range({count}): work.send(n)")

    def times(self) -> dict[tuple[str, str, int], int]:
        """Return when each (kind, task, attempt) happened by the task's own clock, in µs."""
        lines = self.truth_file.read_text().rpartition("\n")[0].splitlines()
        return {
            (what, task_id, int(attempt)): int(at)
            for what, task_id, attempt, at in map(str.split, lines)
        }

    def truth(self) -> Counter[tuple[str, str, int]]:
        """Return how often each (kind, task, attempt) really happened."""
        if not self.truth_file.exists():
            return Counter()
        lines = self.truth_file.read_text().rpartition("\n")[0].splitlines()
        return Counter(
            (what, task_id, int(attempt)) for what, task_id, attempt, _ in map(str.split, lines)
        )
