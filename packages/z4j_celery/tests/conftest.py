"""Real Redis, real workers. A missing service skips locally and fails in CI."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

sys.path.insert(0, str(Path(__file__).parent / "apps"))

from harness import Worker

StartWorker = Callable[..., Worker]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of this test session, without persistence; its URL has no database."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is missing; install it")
        pytest.skip("redis-server is missing; install it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--databases", "200"]
    process = subprocess.Popen(
        [program, *arguments, "--dir", str(folder)], stdout=subprocess.DEVNULL
    )
    url = f"redis://127.0.0.1:{port}"
    with redis.Redis.from_url(url) as client:
        for _ in range(200):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
    yield url
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="session")
def databases(redis_server: str) -> Iterator[str]:
    """URLs of empty Redis databases."""
    return (f"{redis_server}/{number}" for number in itertools.count())


@pytest.fixture(scope="session")
def shared_workers(
    tmp_path_factory: pytest.TempPathFactory, databases: Iterator[str]
) -> Iterator[StartWorker]:
    """Workers that are started once for the session, one for each set of options."""
    workers: dict[tuple[str, ...], Worker] = {}

    def start(*options: str) -> Worker:
        if options not in workers:
            folder = tmp_path_factory.mktemp("shared")
            workers[options] = Worker(folder, next(databases), *options)
        return workers[options].wait_until_ready()

    yield start
    for worker in workers.values():
        worker.process.terminate()
    for worker in workers.values():
        worker.stop()


@pytest.fixture
def start_worker(tmp_path: Path, databases: Iterator[str]) -> Iterator[StartWorker]:
    """Start a worker for this test alone; `url` lets two share a database."""
    workers: list[Worker] = []

    def start(*options: str, url: str | None = None, **environment: str) -> Worker:
        folder = tmp_path / f"w{len(workers)}"
        workers.append(Worker(folder, url or next(databases), *options, **environment))
        return workers[-1].wait_until_ready()

    yield start
    for worker in workers:
        worker.stop()


@pytest.fixture
def prefork(shared_workers: StartWorker) -> Worker:
    """A prefork worker with two children."""
    return shared_workers("-P", "prefork", "-c", "2")


@pytest.fixture(params=["prefork", "threads", "solo"])
def any_pool(request: pytest.FixtureRequest, shared_workers: StartWorker) -> Worker:
    """A worker of each pool."""
    if request.param == "solo":
        return shared_workers("-P", "solo")
    return shared_workers("-P", request.param, "-c", "2")


@pytest.fixture
def client_of() -> Iterator[Callable[[Worker], Celery]]:
    """Return a publisher without z4j for a worker's broker."""
    apps: list[Celery] = []

    def make(worker: Worker) -> Celery:
        app = Celery("client", broker=worker.url, set_as_current=False)
        app.conf.task_default_queue = "shop"
        apps.append(app)
        return app

    yield make
    for app in apps:
        app.close()
