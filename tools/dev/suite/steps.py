"""The steps of the test command, in the order in which they run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
REPORTS = ROOT / ".cache" / "suite"
SECONDS = {
    "z4j_brain": 200,
    "z4j_celery": 200,
    "z4j_dramatiq": 100,
    "e2e": 230,
    "faults": 215,
    "hostile": 95,
}
PARTS = {"z4j_brain": 3, "z4j_celery": 2, "e2e": 4, "faults": 2}
"""Into how many steps the files of a folder of tests are dealt, so that none is the longest."""
LONG_FOR_ITS_SIZE = {
    "tests/test_hostile_fields.py": 3,
    "tests/test_matrix.py": 2,
    "tests/test_serve.py": 4,
    "e2e/test_exactly_once.py": 14,
    "e2e/test_rq.py": 12,
    "e2e/test_dramatiq.py": 3,
    "e2e/test_unknown.py": 2,
    "e2e/test_worker_controls.py": 2,
    "faults/test_schedules.py": 10,
    "faults/test_celery.py": 6,
    "faults/test_pressure.py": 6,
    "faults/test_database_away.py": 6,
    "faults/test_clock.py": 3,
}
OLDEST = ("z4j_celery", "z4j_rq", "z4j_dramatiq", "z4j_apscheduler", "z4j_huey")

SOURCES = (
    *sorted(ROOT.glob("packages/*/src")),
    ROOT / "tests/services",
    ROOT / "tools/dev/suite",
    ROOT / "tools/docs",
    ROOT / "tests/architecture",
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Commands that each run in the hatch environment ``environment`` and must all succeed.

    ``report`` is the JUnit file that the last command writes, when it runs tests.
    ``beside`` is another environment that has to be there: the tests start its Python, of which
    ``Z4J_ARQ_PYTHON`` tells them the path.
    ``without`` says why the step has nothing to run, when that is so. Steps that follow each other
    and may run beside others do, those of many ``seconds`` (a rough figure) first.
    """

    name: str
    says: str
    environment: str
    commands: tuple[tuple[str, ...], ...]
    report: Path | None = None
    beside: str | None = None
    stops_the_rest: bool = False
    without: str | None = None
    may_run_beside: bool = False
    seconds: int = 30


def all_steps(pytest_options: Sequence[str]) -> list[Step]:
    """Every step; ``pytest_options`` go to each run of pytest except that of the services."""
    packages = sorted(path.parent for path in ROOT.glob("packages/*/pyproject.toml"))
    return [
        _pytest("services", "real services start", "suite", ["tests/services"], ["-x"], True),
        _plain("lint", "ruff, and its format", ("ruff check", "ruff format --check")),
        _plain("types", "mypy --strict", ("mypy " + " ".join(map(_relative, SOURCES)),)),
        _plain("imports", "who may import whom", ("lint-imports --no-cache",)),
        _dashboard(),
        *(step for folder in packages for step in _alone(folder, pytest_options)),
        *_oldest(pytest_options),
        *_whole(pytest_options),
    ]


def _plain(name: str, says: str, commands: Sequence[str]) -> Step:
    return Step(
        name=name,
        says=says,
        environment="suite",
        commands=tuple(tuple(command.split()) for command in commands),
        may_run_beside=True,
    )


def _pytest(
    name: str,
    says: str,
    environment: str,
    paths: Sequence[str],
    options: Sequence[str],
    stops_the_rest: bool = False,
    seconds: int = 0,
) -> Step:
    report = _report(name)
    command = ("python", "-m", "pytest", *paths, f"--junitxml={_relative(report)}", *options)
    return Step(
        name=name,
        says=says,
        environment=environment,
        commands=(command,),
        report=report,
        stops_the_rest=stops_the_rest,
        may_run_beside=seconds > 0,
        seconds=seconds,
    )


def _alone(package: Path, options: Sequence[str]) -> list[Step]:
    name, environment = f"alone:{package.name}", f"alone.{package.name}"
    says = "with only what it declares"
    tests = package / "tests"
    if not any(tests.rglob("test_*.py")):
        return [
            Step(
                name=name,
                says=says,
                environment=environment,
                commands=(),
                without="it has no tests of its own",
                may_run_beside=True,
            )
        ]
    seconds = SECONDS.get(package.name, 30)
    return [
        _pytest(f"{name}{suffix}", says, environment, paths, options, seconds=seconds)
        for suffix, paths in _parts(tests, PARTS.get(package.name, 1))
    ]


def _oldest(options: Sequence[str]) -> Iterator[Step]:
    """The contract kits of the plugins with the oldest engines that they support."""
    # Old engines leave sockets to the garbage collector, which warns in whatever test runs then.
    quiet = ["-W", "ignore::pytest.PytestUnraisableExceptionWarning", *options]
    for name in OLDEST:
        files = sorted((ROOT / "packages" / name / "tests").glob("test_*.py"))
        paths = [_relative(path) for path in files if "_contract import" in path.read_text()]
        says = "the contract kit with the oldest engine that is supported"
        yield _pytest(f"oldest:{name}", says, f"oldest.{name}", paths, quiet, seconds=60)


def _whole(options: Sequence[str]) -> Iterator[Step]:
    """The packages together, in steps that may run beside each other."""
    long = ("e2e", "faults", "hostile")
    says = "the packages together"
    for name in long:
        for suffix, paths in _parts(ROOT / "tests" / name, PARTS.get(name, 1)):
            step = f"whole:{name}{suffix}"
            made = _pytest(step, says, "suite", paths, options, seconds=SECONDS[name])
            # arq is in no environment with other engines, and its worker is seen in the browser.
            yield replace(made, beside="alone.z4j_arq") if name == "e2e" else made
    rest = ["tests", *(f"--ignore=tests/{name}" for name in ("services", *long))]
    yield _pytest("whole:rest", says, "suite", rest, options, seconds=80)


def _parts(tests: Path, count: int) -> list[tuple[str, list[str]]]:
    """Deal the files of a folder of tests into parts of like size, a measure of how long they take:
    the greatest first, each to the part that is the smallest so far.
    """
    if count == 1:
        return [("", [_relative(tests)])]
    parts: list[list[Path]] = [[] for _ in range(count)]
    sizes = [0] * count
    files = (
        (path.stat().st_size * LONG_FOR_ITS_SIZE.get(f"{tests.name}/{path.name}", 1), path)
        for path in tests.rglob("test_*.py")
    )
    for size, path in sorted(files, reverse=True):
        smallest = sizes.index(min(sizes))
        parts[smallest].append(path)
        sizes[smallest] += size
    return [(f":{number}", [*map(_relative, sorted(part))]) for number, part in enumerate(parts, 1)]


def _dashboard() -> Step:
    folder = ROOT / "packages/z4j_brain/dashboard"
    report = _report("dashboard")
    npm = ("npm", "--prefix", _relative(folder))
    steps: list[tuple[str, ...]] = []
    if not _is_installed(folder):
        steps.append((*npm, "ci", "--no-audit", "--no-fund"))
    steps.append((*npm, "run", "types:check"))
    # Not through npm: it takes options only behind a `--`, which hatch keeps for itself.
    vitest = ("node", _relative(folder / "node_modules/vitest/vitest.mjs"), "run")
    reporters = ("--reporter=default", "--reporter=junit", f"--outputFile.junit={report}")
    steps.append((*vitest, "--root", _relative(folder), *reporters))
    return Step(
        name="dashboard",
        says="types and unit tests",
        environment="dashboard",
        commands=tuple(steps) if folder.is_dir() else (),
        report=report,
        without=None if folder.is_dir() else "there is no dashboard",
        may_run_beside=True,
    )


def _is_installed(dashboard: Path) -> bool:
    """True when ``npm ci`` ran after the lock file last changed."""
    lock, installed = dashboard / "package-lock.json", dashboard / "node_modules/.package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime


def _report(name: str) -> Path:
    return REPORTS / f"{name.replace(':', '-')}.xml"


def _relative(path: Path) -> str:
    return os.path.relpath(path, ROOT)
