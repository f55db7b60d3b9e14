"""What became of a step, and the summary of all of them."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from steps import Step


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One step that ran, or that was left out. ``seconds`` is wall time."""

    step: Step
    succeeded: bool
    seconds: float = 0.0
    passed: int = 0
    failed: int = 0
    skipped: tuple[str, ...] = field(default=())

    @property
    def status(self) -> str:
        """One word for the table."""
        if not self.succeeded:
            return "FAILED"
        return "skipped" if self.step.without else "passed"


def outcome_of(step: Step, *, succeeded: bool, since: float) -> Outcome:
    """Read the step's report; a step without one counts as one check, passed or failed."""
    seconds = time.monotonic() - since
    if step.report is None or not step.report.is_file():
        passed, failed = int(succeeded), int(not succeeded)
        return Outcome(
            step=step, succeeded=succeeded, seconds=seconds, passed=passed, failed=failed
        )
    passed, failed, skipped = _read(step.report)
    if not succeeded and not failed:
        failed = 1
    return Outcome(
        step=step,
        succeeded=succeeded and passed + failed > 0,
        seconds=seconds,
        passed=passed,
        failed=failed,
        skipped=skipped,
    )


def left_out(step: Step) -> Outcome:
    """A step that has nothing to run, and says so."""
    return Outcome(step=step, succeeded=True, skipped=(f"{step.name}: {step.without}",))


def _read(report: Path) -> tuple[int, int, tuple[str, ...]]:
    passed = failed = 0
    skipped: list[str] = []
    # The file is our own runner's of a moment ago, so the plain parser is safe.
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif (skip := case.find("skipped")) is not None:
            skipped.append(f"{case.get('name')}: {skip.get('message') or 'no reason given'}")
        else:
            passed += 1
    return passed, failed, tuple(skipped)


def summary(outcomes: Sequence[Outcome]) -> str:
    """A table of the steps, what was skipped and why, and the sum as the last line."""
    lines = ["", f"{'step':<22}{'':<9}{'tests':>6}{'skipped':>9}{'seconds':>9}"]
    for each in outcomes:
        tests = str(each.passed + each.failed) if each.step.report else "-"
        skips = str(len(each.skipped))
        lines.append(
            f"{each.step.name:<22}{each.status:<9}{tests:>6}{skips:>9}{each.seconds:>9.1f}"
        )
    skipped = [reason for each in outcomes for reason in each.skipped]
    lines += ["", f"Skipped: {len(skipped) or 'nothing'}", *(f"  {each}" for each in skipped)]
    failed = [each.step.name for each in outcomes if not each.succeeded]
    if failed:
        lines.append(f"Failed: {', '.join(failed)}")
        lines.append(f"One step again: hatch run test --only {failed[0]}")
    passes, failures = (
        sum(getattr(each, what) for each in outcomes) for what in ("passed", "failed")
    )
    lines.append(f"{passes} passed, {failures} failed, {len(skipped)} skipped")
    return "\n".join(lines)
