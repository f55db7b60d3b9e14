"""What z4j costs a Celery worker: CPU time per no-op task, without and with the agent.

    python tools/bench/celery_overhead.py [--pool solo|prefork] [--tasks N] [--runs N]

Runs alternate (without, with, without, with …) on a Redis of their own, and the ratio is the
median over the pairs, because a virtual machine's speed changes by a third from minute to minute.
Worker and children run on one core and everything else on the others, where the machine has two:
who pushes whom out of a core's caches would otherwise be most of what is seen.
Counted is the time on a processor of all threads of the worker and its children, from the first
task to the moment when the server has every event. The server is the loopback one
of `z4j_agent.testing`; `--url` and `--token` take a real one. This file is also the Celery app.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2] / "tests"))

import redis  # noqa: E402
from celery import Celery  # noqa: E402

import z4j_celery.auto  # noqa: E402, F401
from services.redis import running_redis  # noqa: E402
from z4j_agent.testing import LoopbackBrain  # noqa: E402

WARM_UP = 300
EVENTS_PER_TASK = 3
CORES = sorted(os.sched_getaffinity(0))
PATIENCE_S = 300
UNSEEN_DELAY_S = 2.0
Recorded = Callable[[], int] | None

app = Celery("overhead", broker=os.environ.get("OVERHEAD_BROKER", "memory://"))
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_ignore_result=True,
    task_default_queue="overhead",
    worker_prefetch_multiplier=16,
)


@app.task(name="overhead.nothing")  # type: ignore[untyped-decorator]
def nothing(number: int, name: str = "") -> None:
    """Do nothing, with arguments of a usual size."""


class Worker:
    """One worker process with its children."""

    def __init__(self, url: str, pool: str, environment: dict[str, str]) -> None:
        self.url = url
        kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
        options = ["-P", pool, *(["-c", "2"] if pool != "solo" else [])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", HERE.stem, "worker", "-l", "WARNING", *options],
            env={
                **kept,
                **environment,
                "OVERHEAD_BROKER": url,
                "PYTHONPATH": str(HERE.parent),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if len(CORES) > 1:
            os.sched_setaffinity(self.process.pid, CORES[:1])

    def cpu_s(self) -> float:
        """Return the seconds on a processor of all threads of the process group that live now."""
        total = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(FileNotFoundError, ProcessLookupError):
                if int(stat.read_text().rpartition(")")[2].split()[2]) == self.process.pid:
                    threads = (stat.parent / "task").glob("*/schedstat")
                    total += sum(int(thread.read_text().split()[0]) for thread in threads)
        return total / 1e9

    def stop(self) -> None:
        """Warm shutdown."""
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def publish(url: str, count: int, queue: str) -> None:
    """Put tasks into a queue, by a publisher without z4j."""
    client = Celery("client", broker=url, set_as_current=False)
    with client, client.connection_for_write() as connection:
        producer = client.amqp.Producer(connection, auto_declare=False)
        for number in range(count):
            client.send_task(
                "overhead.nothing",
                (number,),
                {"name": "somebody@example.org"},
                queue=queue,
                producer=producer,
            )


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look ten times a second."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"gave up waiting for {what}")
        time.sleep(0.1)


def measure(
    url: str, pool: str, tasks: int, environment: dict[str, str], recorded: Recorded
) -> float:
    """Return the CPU microseconds per task of one worker."""
    with redis.Redis.from_url(url) as broker:
        broker.flushall()

        def is_drained() -> bool:
            waiting = [broker.llen("overhead"), broker.llen("measured"), broker.hlen("unacked")]
            return not any(waiting)

        publish(url, WARM_UP, "overhead")
        publish(url, tasks, "measured")
        worker = Worker(url, pool, environment)
        try:
            wait_until(lambda: broker.llen("overhead") == 0 and broker.hlen("unacked") == 0, "warm")
            time.sleep(1.5)
            before, events = worker.cpu_s(), recorded() if recorded is not None else 0
            with Celery("control", broker=url, set_as_current=False) as control:
                control.control.add_consumer("measured")
            wait_until(lambda: broker.llen("measured") < tasks, "the first task")
            wait_until(is_drained, "the last task")
            if recorded is None:
                time.sleep(UNSEEN_DELAY_S)
            elif environment:
                goal = events + tasks * EVENTS_PER_TASK
                wait_until(lambda: recorded() >= goal, "the last event")
            return (worker.cpu_s() - before) / tasks * 1e6
        finally:
            worker.stop()


@contextmanager
def server(url: str | None, token: str | None) -> Iterator[tuple[dict[str, str], Recorded]]:
    """Yield the agent's environment and a count of the events that the server has."""
    if url is not None and token is not None:
        # A real server is not asked; its agent's usual delay is waited for instead.
        yield {"Z4J_URL": url, "Z4J_TOKEN": token}, None
        return
    with LoopbackBrain() as brain:
        yield brain.environment(Z4J_PLUGINS="celery"), lambda: len(brain.events)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pool", choices=["solo", "prefork", "threads"], default="prefork")
    parser.add_argument("--tasks", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=7, help="pairs of runs")
    parser.add_argument("--url", help="a real server instead of the loopback one")
    parser.add_argument("--token", help="an agent's token of that server")
    parser.add_argument("--spool", choices=["on", "off"], default="on", help="as Z4J_SPOOL")
    options = parser.parse_args()
    figures: dict[str, list[float]] = {"without": [], "with": []}
    if len(CORES) > 1:
        os.sched_setaffinity(0, CORES[1:])
    with (
        TemporaryDirectory() as folder,
        running_redis() as broker,
        server(options.url, options.token) as (environment, recorded),
    ):
        environment = {**environment, "Z4J_SPOOL": options.spool, "Z4J_SPOOL_DIR": folder}
        for _ in range(options.runs):
            for name, given in (("without", {}), ("with", environment)):
                cost = measure(broker.url, options.pool, options.tasks, given, recorded)
                figures[name].append(cost)
                print(f"{options.pool} {name:8} {cost:8.1f} µs per task", flush=True)
    report(figures["without"], figures["with"])


def report(without: list[float], loaded: list[float]) -> None:
    """Print the comparison of the pairs, and of the least disturbed runs."""
    ratios = sorted(after / before for before, after in zip(without, loaded, strict=True))
    print(
        f"median of {len(ratios)} pairs: ratio {statistics.median(ratios):.3f} "
        f"({ratios[0]:.3f} to {ratios[-1]:.3f})"
    )
    bare, most = min(without), min(loaded)
    print(
        f"least disturbed: {bare:.1f} µs without, {most:.1f} µs with z4j: "
        f"{most - bare:+.1f} µs per task, ratio {most / bare:.3f}"
    )


if __name__ == "__main__":
    main()
