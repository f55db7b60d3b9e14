"""How true the record's times are: `python tools/bench/engine_times.py --engine dramatiq`.

A publisher sends 2,000 tasks to real workers, of which some fail and some are retried. Publisher
and tasks write down by their own clocks when each run was due, began and ended. The program
compares the waits and run times of z4j's record, as a task's page shows them, with those: the share
within 5 ms, median and 99th percentile, and what the record says of the runs that are furthest off.
Celery: two workers with two processes each; RQ: two workers, forking or (`--simple`) not; Dramatiq:
one master with two processes of two threads. On a busy machine a task waits for a processor between
its clock and z4j's: compare the runs of quiet ones.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Iterable, Iterator

from figures import Figure, add_option, quantile, tell
from machine import ALL_CORES, description
from stand import DATABASES, stand

from celery_worker import Shop
from dramatiq_worker import DramatiqShop
from record import wait_for_events
from rq_worker import RqShop
from run_times import (
    RUN,
    WAIT,
    Difference,
    described,
    differences,
    measured,
    near,
    of,
    recorded_attempts,
)
from services.redis import running_redis

SHOPS: dict[str, tuple[type[Shop], int]] = {
    "celery": (Shop, 2),
    "rq": (RqShop, 2),
    "dramatiq": (DramatiqShop, 1),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--engine", choices=SHOPS, required=True)
    parser.add_argument("--database", choices=DATABASES, default="postgresql")
    parser.add_argument("--tasks", type=int, default=2_000)
    parser.add_argument("--simple", action="store_true", help="RQ's workers do not fork")
    parser.add_argument("--worst", type=int, default=0, help="show the runs furthest off")
    add_option(parser)
    options = parser.parse_args()
    with running_redis() as broker, stand(options.database) as built:
        kind, workers = SHOPS[options.engine]
        shop = kind(built.folder, broker.url, built.server.url, built.client.mint("bench"))
        if options.simple:
            shop.kind = "SimpleWorker"  # type: ignore[attr-defined]
        os.sched_setaffinity(0, ALL_CORES)
        try:
            run(shop, workers, options.tasks, built.database_url)
        finally:
            shop.stop()
        found = differences(shop.truth_lines(), built.database_url)
        show_worst(found, options.worst, shop.truth_lines(), built.database_url)
    print(described(found))
    title = f"{options.engine}, {options.database}; {description()}"
    tell(title, list(figures(options.engine, found)), options.json)


def run(shop: Shop, workers: int, tasks: int, database_url: str) -> None:
    """Have the tasks run, and the record checked: all of it, nothing twice."""
    for number in range(workers):
        shop.start_worker(f"w{number}")
    shop.publish_numbers(tasks)
    shop.wait_for_ends(tasks)
    wanted = shop.expected()
    found = wait_for_events(database_url, wanted)
    if found != wanted:
        raise SystemExit(f"lost {(wanted - found).total()}, surplus {(found - wanted).total()}")


def show_worst(
    found: list[Difference], count: int, truth: Iterable[str], database_url: str
) -> None:
    """Print truth and record of the runs that are furthest off."""
    if not count:
        return
    spans, attempts = measured(truth), recorded_attempts(database_url)
    for what in (WAIT, RUN):
        ordered = sorted((one for one in found if one.what == what), key=lambda one: -abs(one.us))
        for one in ordered[:count]:
            span, attempt = spans[one.run], attempts[one.run]
            told = (attempt.published_at, attempt.started_at, attempt.ended_at)
            by_clock = [None if at is None else at - span.began for at in told]
            print(
                f"{what} {one.us:+} µs: run {one.run[1]} of {one.run[0]}, {attempt.state}; µs after"
                f" it began: due {[at - span.began for at in span.due]},"
                f" ended {span.ended - span.began}; record:"
                f" published, started, ended {by_clock}, wait {attempt.wait_us},"
                f" run {attempt.run_us}"
            )


def figures(engine: str, found: list[Difference]) -> Iterator[Figure]:
    """Yield median, 99th percentile and share within 5 ms."""
    for what in (WAIT, RUN):
        off = of(what, found)
        yield Figure(f"times_{what}_p50_{engine}", statistics.median(off) / 1_000)
        yield Figure(f"times_{what}_p99_{engine}", quantile(off, 0.99) / 1_000)
        yield Figure(f"times_{what}_near_{engine}", near(off) * 100)


if __name__ == "__main__":
    main()
