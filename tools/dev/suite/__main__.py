"""``hatch run test``: every check of the repository, in one run.

Each step runs in the hatch environment it needs, which hatch makes when it is missing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import TextIO

from outcome import Outcome, left_out, outcome_of, summary
from steps import REPORTS, ROOT, Step, all_steps

AT_THE_SAME_TIME = 4
"""Twice as many as a small machine has cores: tests wait for their servers half of the time."""
ENVIRONMENT = {
    "Z4J_REQUIRE_SERVICES": "1",
    # Hundreds of processes start here: to compile what they import costs more than to run it.
    "PYTHONDONTWRITEBYTECODE": "",
}

_printing = Lock()


def main(arguments: list[str]) -> int:
    """Run the chosen steps; 0 when every one succeeded."""
    options, pytest_options = _parser().parse_known_args(arguments)
    steps = all_steps(pytest_options)
    if options.list:
        print("\n".join(f"{step.name:<22}{step.says}" for step in steps))
        return 0
    chosen = _chosen(steps, options.only)
    if not chosen:
        names = ", ".join(step.name for step in steps)
        print(f"No step is called {', '.join(options.only)}. The steps: {names}", file=sys.stderr)
        return 2
    REPORTS.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    for group in _groups(chosen):
        for step in group:
            if step.without is None:
                _prepare(step.environment)
                if step.beside is not None:
                    _prepare(step.beside)
        outcomes += _run_group(group)
        if group[0].stops_the_rest and not outcomes[-1].succeeded:
            print(f"\nThe rest is not run: {group[0].name} failed, and the text above says why.")
            break
    print(summary(outcomes), flush=True)
    return 0 if all(each.succeeded for each in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hatch run test",
        description="Run every check. Further options (-k, -x, --lf) go to pytest.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="STEP",
        help="run this step only; may be given again; `alone` means every step that begins so",
    )
    parser.add_argument("--list", action="store_true", help="name the steps and do nothing")
    return parser


def _chosen(steps: list[Step], only: list[str]) -> list[Step]:
    if not only:
        return steps
    return [step for step in steps if any(f"{step.name}:".startswith(f"{one}:") for one in only)]


def _groups(steps: list[Step]) -> list[list[Step]]:
    """Steps that may run beside each other are one group; each other step is one of its own."""
    groups: list[list[Step]] = []
    for step in steps:
        if groups and step.may_run_beside and groups[-1][0].may_run_beside:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _run_group(group: list[Step]) -> list[Outcome]:
    """Run one step and show what it prints at once, or several, each shown when it has ended."""
    if len(group) == 1:
        return [_run(group[0], sys.stdout)]
    print(f"\nAt the same time: {', '.join(step.name for step in group)}", flush=True)
    longest_first = sorted(group, key=lambda step: step.seconds, reverse=True)
    with ThreadPoolExecutor(AT_THE_SAME_TIME) as pool:
        outcomes = {each.step.name: each for each in pool.map(_run_aside, longest_first)}
    return [outcomes[step.name] for step in group]


def _run_aside(step: Step) -> Outcome:
    with _printing:
        print(f"{time.strftime('%H:%M:%S')} {step.name} begins", flush=True)
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as shown:
        outcome = _run(step, shown)
        shown.seek(0)
        with _printing:
            print(shown.read(), end="", flush=True)
    return outcome


def _run(step: Step, shown: TextIO) -> Outcome:
    print(f"\n=== {step.name}: {step.says}", file=shown, flush=True)
    if step.without is not None:
        print(f"skipped: {step.without}", file=shown, flush=True)
        return left_out(step)
    if step.report is not None:
        step.report.unlink(missing_ok=True)
    since = time.monotonic()
    # Every command runs, so that one run shows all there is to repair.
    more = {} if step.beside is None else {"Z4J_ARQ_PYTHON": _python_of(step.beside)}
    codes = [_call(step.environment, command, shown, **more) for command in step.commands]
    return outcome_of(step, succeeded=not any(codes), since=since)


@cache
def _prepare(environment: str) -> None:
    """Make an environment and bring it up to date, once in a run, and never two at a time: steps
    beside each other may share one. When it fails it says so, and so do the step's own commands.
    """
    _call(environment, ("python", "tools/dev/fresh.py"), sys.stdout)


@cache
def _python_of(environment: str) -> str:
    """Return the path of an environment's Python; it must have been made."""
    find = [sys.executable, "-m", "hatch", "env", "find", environment]
    found = subprocess.run(find, cwd=ROOT, capture_output=True, text=True, check=True)
    return str(Path(found.stdout.strip(), "bin", "python"))


def _call(environment: str, command: tuple[str, ...], shown: TextIO, **variables: str) -> int:
    print(f"$ {' '.join(command)}", file=shown, flush=True)
    return subprocess.run(
        [sys.executable, "-m", "hatch", "-e", environment, "run", *command],
        cwd=ROOT,
        env={**os.environ, **ENVIRONMENT, **variables},
        stdin=subprocess.DEVNULL,
        stdout=shown,
        stderr=subprocess.STDOUT,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
