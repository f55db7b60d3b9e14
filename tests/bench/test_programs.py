"""The benchmarks run and say what they measured; how much that is, is not asked here."""

from __future__ import annotations

import json
import subprocess
import sys
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
