"""The example of the documentation runs; the page says what its process announces."""

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

PAGE = Path(__file__).parents[3] / "docs" / "arq.md"


def test_the_example_is_announced(tmp_path: Path, redis_server: Any) -> None:
    page = PAGE.read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    settings = f"arq.connections.RedisSettings(port={redis_server.port}, database=6)"
    where = f"import arq.connections\n\nWorkerSettings.redis_settings = {settings}\n"
    (tmp_path / "shop.py").write_text(f"{example}\n{where}")
    with LoopbackBrain() as brain:
        process = subprocess.Popen(
            [sys.executable, "-m", "arq", "shop.WorkerSettings"],
            env={**os.environ, **brain.environment()},
            cwd=tmp_path,
        )
        try:
            assert brain.wait_for(lambda: brain.hellos)
            (scheduler,) = brain.hellos[0].schedulers
            assert (scheduler.name, brain.hellos[0].role) == ("arq-cron", "scheduler")
            offered = {one.name for one in scheduler.actions if one.absent is None}
            assert offered == {"run_now"}
            reasons = {one.absent for one in scheduler.actions if one.absent is not None}
            assert all(f"| {reason} |" in page for reason in reasons)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def test_without_an_address_nothing_is_imported() -> None:
    assert_nothing_comes_in("z4j_arq", "arq")
