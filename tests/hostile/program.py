"""Hostile input for as long as one likes: `python -m tests.hostile --help`."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hostile import agent, fuzz, link
from services.postgres import running_postgres

MOST_GROWTH_KIB = 64 * 1024
"""After the warm-up. What a run allocates and gives back is not returned to the system at once."""


def main(arguments: list[str]) -> int:
    """Run; 0 when nothing was found."""
    options = _parser().parse_args(arguments)
    seed = secrets.randbelow(1 << 31) if options.seed is None else options.seed
    print(f"{options.what} on {options.database}, seed {seed}, {options.minutes:g} min", flush=True)
    with _database(options.database) as (url, home):
        if options.what == "api":
            return _api(url, home, seed, options.minutes * 60)
        return _fuzz(options.what, url, home, seed, options.minutes * 60)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("what", choices=["api", "link", "socket", "agent"])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--seed", type=int, help="the first round's seed; printed when not given")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    return parser


@contextmanager
def _database(kind: str) -> Iterator[tuple[str, Path]]:
    with TemporaryDirectory(prefix="z4j-hostile-") as folder:
        home = Path(folder)
        if kind == "sqlite":
            yield f"sqlite:///{home / 'z4j.db'}", home
            return
        with running_postgres() as server:
            yield server.create_database(), home


def _api(url: str, home: Path, seed: int, seconds: float) -> int:
    from hostile import api
    from hostile.house import running, worker

    begun, calls, number, faults = time.monotonic(), 0, 0, []
    with running(url, home) as house, worker(house):
        while time.monotonic() - begun < seconds and not faults:
            report = api.run(
                house, count=5, seed=seed + number, until=lambda: time.monotonic() - begun > seconds
            )
            calls, number, faults = calls + report.calls, number + 1, report.faults
            print(
                f"round {number}: {calls} calls, {dict(sorted(report.statuses.items()))}",
                flush=True,
            )
    print(*faults[:20], sep="\n")
    print(f"{calls} calls in {time.monotonic() - begun:.0f} s, {len(faults)} faults")
    return 1 if faults else 0


def _fuzz(what: str, url: str, home: Path, seed: int, seconds: float) -> int:
    messages, figures = asyncio.run(_run(what, url, home, seed, seconds))
    print(*figures.troubles[:20], sep="\n")
    print(
        f"{figures.plans} connections, {messages} messages in {figures.seconds:.0f} s,"
        f" {len(figures.troubles)} troubles; memory {figures.rss_begun // 1024} MiB after"
        f" {fuzz.WARM_UP} rounds, {figures.rss_ended // 1024} MiB at the end"
    )
    return 1 if figures.troubles or (figures.rss_begun and figures.growth > MOST_GROWTH_KIB) else 0


async def _run(
    what: str, url: str, home: Path, seed: int, seconds: float
) -> tuple[int, fuzz.Figures]:
    if what == "agent":
        async with agent.target() as host:
            figures = await fuzz.rounds(
                agent.plans, host.play, host.is_well, seed=seed, seconds=seconds
            )
            return host.messages, figures
    async with link.target(url, home, over_socket=what == "socket") as found:
        figures = await fuzz.rounds(
            link.plans, found.play, found.is_well, seed=seed, seconds=seconds
        )
        return found.messages, figures
