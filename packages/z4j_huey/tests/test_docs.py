"""The example of the documentation runs, and its process is announced with its scheduler."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.importing import assert_nothing_comes_in

PAGE = Path(__file__).parents[3] / "docs" / "huey.md"
CONSUMER = "from huey.bin.huey_consumer import consumer_main; consumer_main()"


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_the_example_is_announced_once(tmp_path: Path, kind: str) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "shop.py").write_text(example)
    with LoopbackBrain() as brain:
        process = subprocess.Popen(
            [sys.executable, "-c", CONSUMER, "shop.huey", "-k", kind, "-w", "2"],
            env={**os.environ, **brain.environment()},
            cwd=tmp_path,
        )
        try:
            assert brain.wait_for(lambda: brain.hellos)
            (scheduler,) = brain.hellos[0].schedulers
            assert (scheduler.name, brain.hellos[0].role) == ("huey-periodic", "scheduler")
            offered = {one.name for one in scheduler.actions if one.absent is None}
            assert offered == {"run_now", "pause", "resume"}
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        assert len(brain.hellos) == 1, "neither two workers nor the parent are schedulers"


def test_without_an_address_nothing_is_imported() -> None:
    assert_nothing_comes_in("z4j_huey", "huey")
