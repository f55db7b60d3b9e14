"""The example of the documentation runs, and its process is announced with its scheduler."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.importing import assert_nothing_comes_in

PAGE = Path(__file__).parents[3] / "docs" / "apscheduler.md"


def test_the_example_is_announced(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    program = tmp_path / "example.py"
    program.write_text(f"{example}\nimport sys\nsys.stdin.read()\nscheduler.shutdown()\n")
    with LoopbackBrain() as brain:
        process = subprocess.Popen(
            [sys.executable, str(program)],
            env={**os.environ, **brain.environment()},
            stdin=subprocess.PIPE,
        )
        assert process.stdin is not None
        try:
            assert brain.wait_for(lambda: brain.hellos)
            (scheduler,) = brain.hellos[0].schedulers
            assert (scheduler.name, brain.hellos[0].role) == ("apscheduler", "scheduler")
            offered = {one.name for one in scheduler.actions if one.absent is None}
            assert offered == {"run_now", "pause", "resume", "update", "delete", "create"}
        finally:
            process.stdin.close()
            process.wait(60)


def test_without_an_address_nothing_is_imported() -> None:
    assert_nothing_comes_in("z4j_apscheduler", "apscheduler", "z4j_apscheduler.install(None)")
