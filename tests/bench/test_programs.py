"""The benchmarks run and say what they measured; how much that is, is not asked here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "tools" / "bench"
PROGRAMS = {
    "ingest.py --database sqlite --events 640 --links 2": "ingest_rate_sqlite",
    "ingest.py --database sqlite --events 640 --links 2 --rate 3200": "ack_p99_sqlite",
    "audit.py --database sqlite --rows 6000": "audit_verify_sqlite",
    "lists.py --database sqlite --tasks 2600 --repeats 1": "search_p50_sqlite",
    "celery_overhead.py --pool solo --pairs 1 --turns 2 --tasks 20": "overhead_solo",
    "rq_overhead.py --pool simple --pairs 1 --turns 2 --tasks 20": "overhead_simple",
    "dramatiq_overhead.py --pairs 1 --turns 2 --tasks 20": "overhead_threads",
    "engine_times.py --engine dramatiq --database sqlite --tasks 40": "times_run_p99_dramatiq",
}


@pytest.mark.parametrize("line", PROGRAMS)
def test_it_writes_down_its_figures(line: str, tmp_path: Path) -> None:
    program, *options = line.split()
    file = tmp_path / "figures.json"
    command = [sys.executable, str(BENCH / program), *options, "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    figures = {figure["key"]: figure["value"] for figure in json.loads(file.read_text())}
    assert figures[PROGRAMS[line]] > 0


@pytest.mark.parametrize("program", ["celery_overhead.py", "dramatiq_overhead.py"])
def test_one_that_is_killed_leaves_nothing_behind(program: str) -> None:
    mark = uuid.uuid4().hex
    bench = subprocess.Popen(
        [sys.executable, str(BENCH / program)],
        env={**os.environ, "BENCH_MARK": mark},
        stdout=subprocess.DEVNULL,
    )
    wait_until(lambda: len(marked(mark)) > 3, "its broker and workers did not start")
    bench.kill()
    bench.wait()
    wait_until(lambda: not marked(mark), "something runs on")


def marked(mark: str) -> list[str]:
    """Return the processes that have this mark in their environment."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has ended, or is another user's
            if mark.encode() in file.read_bytes():
                found.append(file.parent.name)
    return found


def wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    """Look twenty times a second, for two minutes."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
