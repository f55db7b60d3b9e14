"""Run `z4j` under cProfile: `profiled.py FILE serve …` writes FILE.loop and FILE.writer."""

from __future__ import annotations

import cProfile
import sys
import threading
from pathlib import Path

from z4j_brain.cli import main


def profile_threads(file: Path) -> None:
    """Let every thread write a profile of its own when it ends."""
    run = threading.Thread.run

    def profiled(thread: threading.Thread) -> None:
        if thread.name != "z4j-writer":
            run(thread)
            return
        profile = cProfile.Profile()
        profile.runcall(run, thread)
        profile.dump_stats(f"{file}.writer")

    threading.Thread.run = profiled  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    target = Path(sys.argv.pop(1))
    profile_threads(target)
    loop = cProfile.Profile()
    try:
        loop.runcall(main)
    finally:
        loop.dump_stats(f"{target}.loop")
