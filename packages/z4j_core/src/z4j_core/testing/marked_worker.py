"""What the harnesses of workers have in common whose tasks mark where they ran."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

from z4j_core.testing.marks import Marks


class MarkedWorker:
    """A base for a `ForkHarness`: `start` sets `process`, and `publish` publishes a task of which
    the body is `Marks(folder).run(mark, is_held=…)`, with the arguments that `args` returns.
    """

    process: subprocess.Popen[bytes]

    def __init__(self, folder: Path) -> None:
        """Mark in a new folder below this one."""
        self.folder = folder
        self.marked = folder / "marks"
        self.marked.mkdir()
        marks = Marks(self.marked)
        self.let_go, self.ran_in = marks.let_go, marks.ran_in

    def start(self) -> None:
        """Start a worker, and return when it takes tasks."""
        raise NotImplementedError(f"{type(self).__name__} must implement start()")

    def publish(self, task_id: str, args: list[str | bool]) -> None:
        """Publish a task under this id."""
        raise NotImplementedError(f"{type(self).__name__} must implement publish()")

    def args(self, mark: str, *, is_held: bool = False) -> list[str | bool]:
        """Return the arguments of a task that marks itself as `mark`."""
        return [str(self.marked), mark, is_held]

    def run(self) -> str:
        """See `ForkHarness`."""
        return self._publish(is_held=False)

    def hold(self) -> str:
        """See `ForkHarness`."""
        return self._publish(is_held=True)

    def go_on(self) -> None:
        """See `ForkHarness`."""
        if self.process.poll() is not None:
            self.start()

    def shut_down(self) -> None:
        """See `ForkHarness`."""
        self.process.terminate()

    def exit_status(self) -> int | None:
        """See `ForkHarness`."""
        return self.process.poll()

    def _publish(self, *, is_held: bool) -> str:
        task_id = uuid.uuid4().hex
        self.publish(task_id, self.args(task_id, is_held=is_held))
        return task_id
