"""Runs many schedules and says what held: `python -m tests.faults --help`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory

import msgspec

from faults.arena import run_schedule
from faults.databases import Template
from faults.schedule import make_schedule
from faults.verdict import Verdict
from services.postgres import running_postgres

ROOT = Path(__file__).parents[2]


class Outcome(msgspec.Struct):
    """One schedule that was run; `seconds` of wall time."""

    seed: int
    seconds: float
    verdict: Verdict


def main(arguments: list[str]) -> int:
    """Run; 0 when every schedule held."""
    options = _parser().parse_args(arguments)
    if options.worker:
        return _work(options.database)
    seeds = options.only or list(range(options.seed, options.seed + options.schedules))
    began = time.monotonic()
    outcomes = list(_progress(_run_all(options, seeds), len(seeds)))
    print(_summary(options.database, outcomes, time.monotonic() - began))
    is_whole = len(outcomes) == len(seeds)
    return 0 if is_whole and not any(one.verdict.troubles for one in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--schedules", type=int, default=20, help="how many (20)")
    parser.add_argument("--seed", type=int, default=1, help="the first one's seed (1)")
    parser.add_argument("--only", type=int, nargs="+", metavar="SEED", help="these seeds")
    parser.add_argument("--workers", type=int, default=2, help="how many at the same time (2)")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser


def _run_all(options: argparse.Namespace, seeds: list[int]) -> Iterator[Outcome]:
    """Share the seeds among worker processes; yield outcomes as they come."""
    left: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[Outcome | None] = SimpleQueue()
    for seed in seeds:
        left.put(seed)
    count = min(options.workers, len(seeds))
    for _ in range(count):
        arguments = (options.database, left, done)
        threading.Thread(target=_drive, args=arguments, daemon=True).start()
    while count:
        outcome = done.get()
        if outcome is None:
            count -= 1
        else:
            yield outcome


def _drive(database: str, left: SimpleQueue[int], done: SimpleQueue[Outcome | None]) -> None:
    """Feed one worker process with seeds. Ends when none is left, or when the process does."""
    command = [sys.executable, "-m", "tests.faults", "--worker", "--database", database]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        while True:
            try:
                seed = left.get_nowait()
            except Empty:
                break
            worker.stdin.write(f"{seed}\n")
            worker.stdin.flush()
            line = worker.stdout.readline()
            if not line:
                done.put(Outcome(seed, 0.0, Verdict(troubles=["the worker process ended"])))
                break
            done.put(msgspec.json.decode(line, type=Outcome))
        worker.stdin.close()
    done.put(None)


def _work(database: str) -> int:
    """Run the schedules whose seeds come on standard input; one line of JSON for each."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="z4j-faults-")))
        postgres = None
        if database == "postgresql":
            postgres = stack.enter_context(running_postgres(fsync=True))
        template = Template(folder, database, postgres)  # type: ignore[arg-type]
        for line in sys.stdin:
            schedule = make_schedule(int(line), template.kind)
            began = time.monotonic()
            try:
                verdict = run_schedule(schedule, template)
            except Exception as error:  # one schedule must not end all the others
                verdict = Verdict(troubles=[f"{type(error).__name__}: {error}"])
            outcome = Outcome(schedule.seed, time.monotonic() - began, verdict)
            print(msgspec.json.encode(outcome).decode(), flush=True)
    return 0


def _progress(outcomes: Iterator[Outcome], count: int) -> Iterator[Outcome]:
    for number, one in enumerate(outcomes, start=1):
        state = "FAILED" if one.verdict.troubles else "held"
        print(
            f"{number:>4}/{count}  seed {one.seed:<6} {state:<7}{one.seconds:5.1f} s "
            f"{one.verdict.events:>6} events",
            *one.verdict.troubles,
            sep="\n      ",
            flush=True,
        )
        yield one


def _summary(database: str, outcomes: list[Outcome], seconds: float) -> str:
    verdicts = [one.verdict for one in outcomes]
    failed = [one for one in outcomes if one.verdict.troubles]
    lines = [""]
    for one in failed:
        schedule = make_schedule(one.seed, database)  # type: ignore[arg-type]
        lines += [f"seed {one.seed}: {trouble}" for trouble in one.verdict.troubles]
        lines += [str(schedule), f"  again: {schedule.again}", ""]
    lines.append(
        f"{database}: {len(outcomes) - len(failed)} of {len(outcomes)} schedules held; "
        f"{sum(one.events for one in verdicts)} events, "
        f"{sum(one.in_doubt for one in verdicts)} recorded whose emit was killed, "
        f"{sum(one.excused for one in verdicts)} lost as documented, "
        f"{sum(one.declared for one in verdicts)} declared by gaps; {seconds:.0f} s"
    )
    return "\n".join(lines)
