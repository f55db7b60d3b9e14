"""The examples of docs/rq.md run: a shop, and its schedules of `rq cron` and of rq-scheduler."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from z4j_agent.testing import LoopbackBrain
from z4j_core.events import Kind
from z4j_core.frames import WatchedStore

pytest.importorskip("rq.cron", reason="this RQ has no cron")
PAGE = Path(__file__).parents[3] / "docs" / "rq.md"
WHOLE = {Kind.PUBLISHED, Kind.RECEIVED, Kind.STARTED, Kind.SUCCEEDED}


@contextmanager
def running(*command: str, environment: dict[str, str], folder: Path) -> Iterator[None]:
    """Run RQ's own program in the folder of the examples."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rq.cli", *command],
        cwd=folder,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def test_the_examples_report(tmp_path: Path, redis_url: str) -> None:
    examples = re.findall(r"```python\n# (\w+\.py)(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [name for name, _ in examples] == ["shop.py", "nightly.py", "weekly.py"]
    for name, program in examples:
        (tmp_path / name).write_text(f"#{program}")

    with LoopbackBrain() as brain:
        own = brain.environment(PYTHONPATH=str(tmp_path), REDIS_URL=redis_url)
        environment = {**os.environ, **own}

        def python(*options: str) -> None:
            command = [sys.executable, *options]
            subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=60)

        def schedules() -> set[str]:
            return {one.name for told in brain.schedules for one in told.schedules}

        worker = ("worker", "--url", redis_url, "--worker-class", "z4j_rq.Worker", "shop")
        with running(*worker, environment=environment, folder=tmp_path):
            assert brain.wait_for(lambda: brain.hellos)
            stores = [WatchedStore(one.name, one.store) for one in brain.hellos[0].schedulers]
            brain.watch_schedules(*stores)
            python("-c", "import shop; shop.queue.enqueue(shop.charge, 7)")
            assert brain.wait_for(lambda: {one.kind for one in brain.events} == WHOLE)
            assert {one.name for one in brain.events} == {"shop.charge"}
            python("weekly.py")
            cron = ("cron", "nightly.py", "--url", redis_url)
            with running(*cron, environment=environment, folder=tmp_path):
                assert brain.wait_for(lambda: {"nightly", "shop.charge"} <= schedules())
