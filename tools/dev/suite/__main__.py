"""``hatch run test``: every check of the repository, in one run.

Each step runs in the hatch environment it needs, which hatch makes when it is missing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from functools import cache

from outcome import Outcome, left_out, outcome_of, summary
from steps import REPORTS, ROOT, Step, all_steps


def main(arguments: list[str]) -> int:
    """Run the chosen steps; 0 when every one succeeded."""
    options, pytest_options = _parser().parse_known_args(arguments)
    steps = all_steps(pytest_options)
    if options.list:
        print("\n".join(f"{step.name:<18}{step.says}" for step in steps))
        return 0
    chosen = _chosen(steps, options.only)
    if not chosen:
        names = ", ".join(step.name for step in steps)
        print(f"No step is called {', '.join(options.only)}. The steps: {names}", file=sys.stderr)
        return 2
    REPORTS.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    for step in chosen:
        outcomes.append(_run(step))
        if step.stops_the_rest and not outcomes[-1].succeeded:
            print(f"\nThe rest is not run: {step.name} failed, and the text above says why.")
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
        help="run this step only; may be given again; `alone` means every package",
    )
    parser.add_argument("--list", action="store_true", help="name the steps and do nothing")
    return parser


def _chosen(steps: list[Step], only: list[str]) -> list[Step]:
    if not only:
        return steps
    return [step for step in steps if step.name in only or step.name.partition(":")[0] in only]


def _run(step: Step) -> Outcome:
    print(f"\n=== {step.name}: {step.says}", flush=True)
    if step.without is not None:
        print(f"skipped: {step.without}", flush=True)
        return left_out(step)
    if step.report is not None:
        step.report.unlink(missing_ok=True)
    since = time.monotonic()
    _refresh(step.environment)
    # Every command runs, so that one run shows all there is to repair.
    codes = [_call(step.environment, command) for command in step.commands]
    return outcome_of(step, succeeded=not any(codes), since=since)


@cache
def _refresh(environment: str) -> None:
    """Once in a run; an installation that fails says so, and the step's own commands fail."""
    _call(environment, ("python", "tools/dev/fresh.py"))


def _call(environment: str, command: tuple[str, ...]) -> int:
    print(f"$ {' '.join(command)}", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "hatch", "-e", environment, "run", *command],
        cwd=ROOT,
        env={**os.environ, "Z4J_REQUIRE_SERVICES": "1"},
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
