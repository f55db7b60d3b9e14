"""Every benchmark, one after the other, and one table: `python tools/bench/all.py --quick`.

`--quick` takes about five minutes. `--full` takes about three quarters of an hour and brings 5,000
links, lists on SQLite, 10,000,000 events and three runs of what varies. The table is Markdown, on
the standard output and in `--report`. Exits with 1 when a target is missed or a benchmark fails.
Run it on a machine that does nothing else, in an environment with all packages
(`hatch run suite:bench`).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

import msgspec  # noqa: E402
from figures import HEADINGS, Figure  # noqa: E402
from machine import description  # noqa: E402

from services.process import guarded  # noqa: E402

LIMIT_S = 1_800
BOTH = ("--database postgresql", "--database sqlite")

QUICK = (
    *(f"ingest.py {database}" for database in BOTH),
    *(f"ingest.py {database} --rate 5000 --events 50000" for database in BOTH),
    "idle_links.py --links 1000 --seconds 8",
    "commands.py --commands 200",
    "lists.py --database postgresql --seconds 1.5",
    *(f"audit.py {database} --rows 100000" for database in BOTH),
    "growth.py --database postgresql --events 1000000",
    "celery_overhead.py --pool solo --pairs 1 --turns 6",
)
FULL = (
    *(f"ingest.py {database} --events 200000" for database in BOTH * 3),
    *(f"ingest.py {database} --rate 5000 --events 150000" for database in BOTH),
    "idle_links.py --links 1000",
    "idle_links.py --links 5000",
    *("commands.py --commands 300",) * 2,
    *(f"lists.py {database}" for database in BOTH),
    *(f"audit.py {database}" for database in BOTH),
    "growth.py --database postgresql --events 10000000",
    "growth.py --database sqlite --events 2000000",
    "celery_overhead.py --pool solo",
    "celery_overhead.py --pool prefork",
    "rq_overhead.py --pool simple",
    "rq_overhead.py --pool fork",
    "dramatiq_overhead.py",
    *(f"engine_times.py --engine {engine}" for engine in ("celery", "rq", "dramatiq")),
    "footprint.py",
)


def main() -> None:
    """Run everything and report."""
    parser = argparse.ArgumentParser(description="Run every benchmark.")
    extent = parser.add_mutually_exclusive_group(required=True)
    extent.add_argument("--quick", action="store_true", help="about five minutes")
    extent.add_argument("--full", action="store_true", help="about three quarters of an hour")
    parser.add_argument("--only", default="", help="those whose command has this in it")
    parser.add_argument("--report", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    chosen = [line for line in (FULL if options.full else QUICK) if options.only in line]
    before, begin = description(), time.monotonic()
    figures, failed = run_all(chosen)
    text = "\n".join(
        [
            f"Before: {before}. After: {description()}.",
            f"{len(chosen)} benchmarks in {(time.monotonic() - begin) / 60:.1f} minutes.",
            "",
            *table(medians(figures)),
            *(f"\nFailed: `{line}`" for line in failed),
            "",
        ]
    )
    print(text)
    if options.report is not None:
        options.report.write_text(text)
    if failed or any(figure.verdict == "missed" for figure in medians(figures)):
        raise SystemExit(1)


def run_all(lines: Sequence[str]) -> tuple[list[Figure], list[str]]:
    """Run these commands; return their figures, and which of them failed."""
    figures, failed = list[Figure](), list[str]()
    for line in lines:
        print(f"── {line}", flush=True)
        try:
            figures += run(line)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            print(f"failed: {error}", flush=True)
            failed.append(line)
    return figures, failed


def run(line: str) -> list[Figure]:
    """Run one benchmark and return its figures; raise when it fails or takes too long."""
    program, *options = line.split()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "figures.json")
        print(
            output_of([sys.executable, str(HERE / program), *options, "--json", str(file)]),
            flush=True,
        )
        return msgspec.json.decode(file.read_bytes(), type=list[Figure])


def output_of(command: Sequence[str]) -> str:
    """Return what a program prints; after `LIMIT_S` it is asked to end, and cleans up."""
    with subprocess.Popen(guarded(command), stdout=subprocess.PIPE, text=True) as process:
        try:
            output, _ = process.communicate(timeout=LIMIT_S)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        print(output)
        raise subprocess.CalledProcessError(process.returncode, command)
    return output


def medians(figures: Sequence[Figure]) -> list[Figure]:
    """Return one figure for each key, in the order in which they came."""
    by_key: dict[str, list[float]] = {}
    for figure in figures:
        by_key.setdefault(figure.key, []).append(figure.value)
    return [Figure(key, statistics.median(values)) for key, values in by_key.items()]


def table(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"| {' | '.join(HEADINGS)} |"
    yield f"|{' --- |' * len(HEADINGS)}"
    for figure in figures:
        yield f"| {' | '.join(figure.row())} |"


if __name__ == "__main__":
    main()
