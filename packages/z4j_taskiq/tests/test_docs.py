"""The example of the documentation runs, and its process is announced with its scheduler."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.importing import assert_nothing_comes_in

PAGE = Path(__file__).parents[3] / "docs" / "taskiq.md"


def test_the_example_is_announced(tmp_path: Path, redis_server: Any) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    url = f"redis://127.0.0.1:{redis_server.port}/5"
    (tmp_path / "shop.py").write_text(example.replace("redis://localhost", url))
    with LoopbackBrain() as brain:
        process = subprocess.Popen(
            [sys.executable, "-m", "taskiq", "scheduler", "shop:scheduler"],
            env={**os.environ, **brain.environment()},
            cwd=tmp_path,
        )
        try:
            assert brain.wait_for(lambda: brain.hellos)
            (scheduler,) = brain.hellos[0].schedulers
            assert (scheduler.name, brain.hellos[0].role) == ("taskiq-scheduler", "scheduler")
            offered = {one.name for one in scheduler.actions if one.absent is None}
            assert offered == {"run_now", "update", "delete", "create"}
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def test_without_an_address_nothing_is_imported() -> None:
    assert_nothing_comes_in("z4j_taskiq", "taskiq")
