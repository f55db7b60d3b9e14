"""Real workers on the tests' Redis; each worker, or pair of them, has a database of its own."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from services.redis import Redis

sys.path.insert(0, str(Path(__file__).parent / "apps"))

from harness import Worker

StartWorker = Callable[..., Worker]
SHARED = range(1, 7)
OWN = range(7, 16)


def empty_databases(server: Redis, numbers: range) -> Iterator[str]:
    """Return the URLs of these databases, over and over, each emptied."""
    for number in itertools.cycle(numbers):
        url = f"{server.url.rpartition('/')[0]}/{number}"
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        yield url


@pytest.fixture(scope="session")
def own_databases(redis_server: Redis) -> Iterator[str]:
    """Databases for workers of one test."""
    return empty_databases(redis_server, OWN)


@pytest.fixture
def first_database(redis_server: Redis) -> str:
    """A database for one test without processes that outlive it."""
    return next(empty_databases(redis_server, range(1)))


@pytest.fixture(scope="session")
def shared_workers(
    tmp_path_factory: pytest.TempPathFactory, redis_server: Redis
) -> Iterator[StartWorker]:
    """Workers that are started once for the session, one for each set of options."""
    workers: dict[tuple[str, ...], Worker] = {}
    databases = empty_databases(redis_server, SHARED)

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
def start_worker(tmp_path: Path, own_databases: Iterator[str]) -> Iterator[StartWorker]:
    """Start a worker for this test alone; `url` lets two share a database."""
    workers: list[Worker] = []

    def start(*options: str, url: str | None = None, **environment: str) -> Worker:
        folder = tmp_path / f"w{len(workers)}"
        workers.append(Worker(folder, url or next(own_databases), *options, **environment))
        return workers[-1].wait_until_ready()

    yield start
    for worker in workers:
        worker.stop()


@pytest.fixture
def prefork(shared_workers: StartWorker) -> Worker:
    """A prefork worker with two children."""
    return shared_workers("-P", "prefork", "-c", "2")


@pytest.fixture(params=["prefork", "threads", "solo", "gevent"])
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
