"""How quick lists are at a million tasks: `python tools/bench/lists.py --database postgresql`.

Fills a fresh database, starts a real server on it, and asks over HTTP for pages of the task list
under each kind of filter, for searches and for the overview, each many times. Printed are p50 and
p99 of every question; the slowest p50 of a kind is its figure. A minute and a half at most.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from asking import Asker
from figures import Figure, add_option, quantile, tell
from machine import CLIENT, SERVER, cpu_s, pin
from seeding import EXCEPTIONS, NAMES, QUEUES, WORKERS, seed_tasks
from sqlalchemy import select
from stand import DATABASES, Stand, stand

from z4j_brain.store.schema import tasks

DAYS = 7.0
PAGES = 50
FILTERS = {
    "one state": "state:failed",
    "unfinished states": "state:queued,running",
    "not succeeded": "-state:succeeded",
    "succeeded": "state:succeeded",
    "a frequent queue": f"queue:{QUEUES[1]}",
    "a rare queue": f"queue:{QUEUES[-1]}",
    "a frequent name": f"name:{NAMES[1]}",
    "a rare name": f"name:{NAMES[-1]}",
    "a part of a name": "name:~invoice",
    "an exception": f"exception:{EXCEPTIONS[3]}",
    "queue and state": f"queue:{QUEUES[2]} state:failed",
    "name and state": f"name:{NAMES[2]} state:failed",
    "not a queue": f"-queue:{QUEUES[0]}",
    "a worker": f"worker:{WORKERS[1]}",
    "the last hour": "since:1h",
    "a day's failures": "since:1d state:failed",
    "an old page": "until:6d",
    "nothing": "name:~nowhere",
}
SEARCHES = {"a word": "invoice", "two words": "send photo", "a rare word": "ledger state:failed"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how quick lists are.")
    parser.add_argument("--database", choices=DATABASES, default="postgresql")
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=40, help="of every question")
    parser.add_argument("--seconds", type=float, default=3.0, help="at most, for one question")
    add_option(parser)
    options = parser.parse_args()
    with stand(options.database) as built:
        begin = time.perf_counter()
        pin(SERVER)
        seed_tasks(built.database, built.project_id(), options.tasks, DAYS, now())
        pin(CLIENT)
        print(f"{options.tasks:,} tasks in {time.perf_counter() - begin:.0f} s", flush=True)
        with Asker(built.client) as asker:
            figures = list(measure(built, asker, options))
    tell(f"{options.database}: lists at {options.tasks:,} tasks", figures, options.json)


def now() -> int:
    """Return microseconds since the epoch."""
    return time.time_ns() // 1_000


def measure(built: Stand, asker: Asker, options: argparse.Namespace) -> Iterator[Figure]:
    """Ask everything; yield the slowest of each kind."""
    with built.database.read() as connection:
        some_id = str(connection.execute(select(tasks.c.task_id).limit(1)).scalar_one())
    lists = {
        "page 1": "/tasks",
        f"page {PAGES}": page_path(asker, PAGES),
        **{what: task_path(words) for what, words in FILTERS.items()},
        "the beginning of an id": task_path(f"id:{some_id[:8]}"),
    }
    searches = {
        **{what: task_path(words) for what, words in SEARCHES.items()},
        "an id without its key": task_path(some_id[:10]),
    }
    kinds = {"list": lists, "search": searches, "overview": {"overview": "/overview"}}
    for kind, paths in kinds.items():
        found = [ask(built, asker, what, path, options) for what, path in paths.items()]
        for number, share in enumerate(("p50", "p99")):
            worst = max(pair[number] for pair in found)
            yield Figure(f"{kind}_{share}_{options.database}", worst * 1_000)


def ask(
    built: Stand, asker: Asker, what: str, path: str, options: argparse.Namespace
) -> tuple[float, float]:
    """Ask one thing again and again; print and return its p50 and p99 in seconds."""
    asker.get(path)
    before, times = cpu_s([built.pid]), list[float]()
    begin = time.perf_counter()
    while len(times) < options.repeats and time.perf_counter() - begin < options.seconds:
        times.append(asker.timed(path)[0])
    cpu = (cpu_s([built.pid]) - before) / len(times)
    p50, p99 = quantile(times, 0.5), quantile(times, 0.99)
    print(
        f"{what:>24}: p50 {p50 * 1_000:6.1f} ms, p99 {p99 * 1_000:6.1f} ms,"
        f" server CPU {cpu * 1_000:5.1f} ms",
        flush=True,
    )
    return p50, p99


def task_path(words: str, **more: str) -> str:
    """Return the path of a page of tasks under a filter."""
    return f"/tasks?{urlencode({'q': words, **more})}"


def page_path(asker: Asker, page: int) -> str:
    """Follow the cursors to a page far behind."""
    path = "/tasks"
    for _ in range(page - 1):
        path = task_path("", cursor=asker.get(path)["next"])
    return path


if __name__ == "__main__":
    main()
