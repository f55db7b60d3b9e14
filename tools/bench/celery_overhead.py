"""What z4j costs a Celery worker: CPU time per no-op task, without and with the agent.

    python tools/bench/celery_overhead.py [--pool solo|prefork] [--tasks N] [--turns N] [--pairs N]

Two workers, one without and one with z4j, take turns of half a second, and the ratio is the median
over neighbouring turns, because a virtual machine's speed changes by a third within seconds. Then
come other pairs of workers, because two processes of the same program differ by some per cent.
The workers run on one core and everything else on the others, where the machine has two.
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
from typing import Self

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2] / "tests"))

import redis  # noqa: E402
from celery import Celery  # noqa: E402

import z4j_celery.auto  # noqa: E402, F401
from services.process import guarded  # noqa: E402
from services.redis import running_redis  # noqa: E402
from z4j_agent.testing import LoopbackBrain  # noqa: E402

WARM_UP = 300
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

    def __init__(self, url: str, pool: str, queue: str, environment: dict[str, str]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
        self.process = subprocess.Popen(
            guarded(self.command(url, pool, queue)),
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

    @staticmethod
    def command(url: str, pool: str, queue: str) -> list[str]:
        """Return what starts a worker of that queue."""
        options = ["-Q", queue, "-n", queue, "-P", pool, *(["-c", "2"] if pool != "solo" else [])]
        celery = [sys.executable, "-m", "celery", "-A", HERE.stem]
        return [*celery, "worker", "-l", "WARNING", *options]

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
    """Look fifty times a second."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"gave up waiting for {what}")
        time.sleep(0.02)


class Bench:
    """One broker, and the worker without and the worker with z4j, which take turns.

    `rq_overhead.py` and `dramatiq_overhead.py` derive theirs from this one.
    """

    pools = ("solo", "prefork")
    plugin = "celery"
    events_per_task = 3

    def __init__(self, url: str, pool: str, environment: dict[str, str], recorded: Recorded):
        self.url = url
        self.broker = redis.Redis.from_url(url)
        self.broker.flushall()
        self.recorded = recorded
        self.workers = {
            "without": self.start(pool, "without", {}),
            "with": self.start(pool, "with", environment),
        }

    def start(self, pool: str, queue: str, environment: dict[str, str]) -> Worker:
        """Start a worker of that queue."""
        return Worker(self.url, pool, queue, environment)

    def park(self, name: str, tasks: int) -> None:
        """Publish tasks for a worker where it does not see them yet."""
        publish(self.url, tasks, "parked")

    def release(self, name: str) -> None:
        """Let the worker have what is parked."""
        self.broker.rename("parked", name)

    def __enter__(self) -> Self:
        for name in self.workers:
            self.slice(name, WARM_UP)
        time.sleep(1.5)
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            worker.stop()
        self.broker.close()

    def slice(self, name: str, tasks: int) -> float:
        """Let one worker run so many tasks; return its CPU microseconds per task."""
        self.park(name, tasks)
        worker, events = self.workers[name], self.recorded() if self.recorded is not None else 0
        before = worker.cpu_s()
        self.release(name)
        wait_until(lambda: self.is_drained(name), "the last task")
        if name == "with":
            self.wait_for_events(events + tasks * self.events_per_task)
        return (worker.cpu_s() - before) / tasks * 1e6

    def is_drained(self, queue: str) -> bool:
        """Tell whether no task waits or runs."""
        return not (self.broker.llen(queue) or self.broker.hlen("unacked"))

    def wait_for_events(self, goal: int) -> None:
        """Wait until the server has so many events, or for its agent's usual delay."""
        recorded = self.recorded
        if recorded is None:
            time.sleep(UNSEEN_DELAY_S)
        else:
            wait_until(lambda: recorded() >= goal, "the last event")


@contextmanager
def server(
    url: str | None, token: str | None, plugin: str
) -> Iterator[tuple[dict[str, str], Recorded]]:
    """Yield the agent's environment and a count of the events that the server has."""
    if url is not None and token is not None:
        # A real server is not asked; its agent's usual delay is waited for instead.
        yield {"Z4J_URL": url, "Z4J_TOKEN": token}, None
        return
    with LoopbackBrain() as brain:
        yield brain.environment(Z4J_PLUGINS=plugin), lambda: len(brain.events)


def main(kind: type[Bench] = Bench, description: str = __doc__) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--pool", choices=kind.pools, default=kind.pools[-1])
    parser.add_argument("--tasks", type=int, default=400, help="in a turn")
    parser.add_argument("--turns", type=int, default=20, help="of a pair of workers")
    parser.add_argument("--pairs", type=int, default=3, help="of workers, one after the other")
    parser.add_argument("--url", help="a real server instead of the loopback one")
    parser.add_argument("--token", help="an agent's token of that server")
    parser.add_argument("--spool", choices=["on", "off"], default="on", help="as Z4J_SPOOL")
    parser.add_argument("--json", type=Path, help="also write the figure to this file")
    options = parser.parse_args()
    # Whoever ends this program early ends its workers, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    turns: list[dict[str, float]] = []
    if len(CORES) > 1:
        os.sched_setaffinity(0, CORES[1:])
    for _ in range(options.pairs):
        with (
            TemporaryDirectory() as folder,
            running_redis() as broker,
            server(options.url, options.token, kind.plugin) as (environment, recorded),
        ):
            environment = {**environment, "Z4J_SPOOL": options.spool, "Z4J_SPOOL_DIR": folder}
            with kind(broker.url, options.pool, environment, recorded) as bench:
                names = list(bench.workers)
                for turn in range(options.turns):
                    # Who is first changes, so that a drift of the machine favours neither.
                    order = names if turn % 2 == 0 else names[::-1]
                    turns.append({name: bench.slice(name, options.tasks) for name in order})
        report(f"{options.pool}, pair of workers", turns[-options.turns :])
    ratio = report(f"{options.pool}, all", turns)
    if options.json is not None:
        options.json.write_text(f'[{{"key": "overhead_{options.pool}", "value": {ratio}}}]')


def report(what: str, turns: list[dict[str, float]]) -> float:
    """Print the medians, and how far the ratios of neighbouring turns lie apart; return theirs."""
    bare, loaded = (statistics.median(turn[name] for turn in turns) for name in ("without", "with"))
    ratios = sorted(turn["with"] / turn["without"] for turn in turns)
    quarter = len(ratios) // 4
    print(
        f"{what}: {bare:.0f} µs a task without, {loaded:.0f} µs with z4j; median ratio of "
        f"{len(ratios)} turns {statistics.median(ratios):.3f} "
        f"(middle half {ratios[quarter]:.3f} to {ratios[-1 - quarter]:.3f})",
        flush=True,
    )
    return statistics.median(ratios)


if __name__ == "__main__":
    main()
