"""What the tasks of a harness tell themselves, in files: the process they ran in."""

from __future__ import annotations

import os
import time
from pathlib import Path

_GATE = ".gate"


class Marks:
    """Marks in a folder of their own, which must exist. Any process may use it."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def run(self, task_id: str, *, is_held: bool = False) -> None:
        """Mark that this process runs the task; a held one then waits until it is let go.

        That is the body of a task. Raise `TimeoutError` after two minutes.
        """
        (self._folder / task_id).write_text(f"{os.getpid()} ")
        gate = self._folder / f"{task_id}{_GATE}"
        deadline = time.monotonic() + 120
        while is_held and not gate.exists():
            if time.monotonic() > deadline:
                raise TimeoutError("nobody let the task go")
            time.sleep(0.01)

    def let_go(self) -> None:
        """Let every task end that has begun."""
        for mark in [*self._folder.iterdir()]:
            if not mark.suffix:
                mark.with_suffix(_GATE).touch()

    def ran_in(self, task_id: str) -> int | None:
        """Return the process that began the task last; None if none has."""
        mark = self._folder / task_id
        written = mark.read_text() if mark.exists() else ""
        return int(written) if written.endswith(" ") else None
