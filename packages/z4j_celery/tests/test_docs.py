"""The example of docs/celery.md runs: its worker and its publisher report."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from harness import Served

from z4j_agent.testing import LoopbackBrain
from z4j_core.events import Kind

PAGE = Path(__file__).parents[3] / "docs" / "celery.md"
WHOLE = {Kind.PUBLISHED, Kind.RECEIVED, Kind.STARTED, Kind.SUCCEEDED}


def test_the_example_reports(tmp_path: Path, own_databases: Iterator[str]) -> None:
    example = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    (tmp_path / "shop.py").write_text(example)
    url = next(own_databases)
    with LoopbackBrain() as brain:
        environment = brain.environment(PYTHONPATH=str(tmp_path), BROKER_URL=url)
        command = ("celery", "-A", "shop", "worker", "-c", "1")
        worker = Served(tmp_path / "worker", url, *command, **environment)
        try:
            publish = "import shop; shop.charge.delay(7)"
            environment = {**os.environ, **environment}
            subprocess.run([sys.executable, "-c", publish], env=environment, check=True, timeout=60)
            told = brain.wait_for(lambda: {one.kind for one in brain.events} == WHOLE)
            assert told, worker.log.read_text()
            assert {one.name for one in brain.events} == {"shop.charge"}
            assert {hello.role for hello in brain.hellos} == {"worker", "publisher"}
        finally:
            worker.stop()
