"""The examples of docs/dramatiq.md run: a shop, and a schedule of Periodiq in the same module."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from z4j_agent.testing import LoopbackBrain
from z4j_core.events import Kind
from z4j_core.frames import WatchedStore

PAGE = Path(__file__).parents[3] / "docs" / "dramatiq.md"
WORK = "\nimport sys\nif sys.argv[1:] == ['publish']: charge.send(7)\n"


def test_the_example_reports(tmp_path: Path, redis_url: str) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) == 2
    example = "".join(examples)
    assert "localhost:6379/0" in example
    program = tmp_path / "documented_shop.py"
    program.write_text(example.replace("redis://localhost:6379/0", redis_url) + WORK)
    with LoopbackBrain() as brain:
        environment = {**os.environ, **brain.environment(), "PYTHONPATH": str(tmp_path)}
        publish = [sys.executable, str(program), "publish"]
        subprocess.run(publish, env=environment, check=True, timeout=60)
        worker = subprocess.Popen(
            [sys.executable, "-m", "dramatiq", "documented_shop", "-p", "1", "-t", "1"],
            env=environment,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert brain.wait_for(lambda: Kind.SUCCEEDED in {one.kind for one in brain.events})
            assert {one.name for one in brain.events} == {"charge"}
            [scheduler] = brain.hellos[-1].schedulers
            brain.watch_schedules(WatchedStore("periodiq", scheduler.store))
            assert brain.wait_for(lambda: brain.schedules)
            [told] = brain.schedules[-1].schedules
            assert (told.name, told.timing) == ("invoices", "30 2 * * *")
        finally:
            worker.terminate()
            worker.wait(60)
