"""Real workers on the tests' Redis. They run in the test's own process and fork their horses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

sys.path.insert(0, str(Path(__file__).parent / "apps"))

from stand import Stand


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """The tests' Redis, emptied."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client
    client.connection_pool.disconnect()


@pytest.fixture(params=["Worker", "SimpleWorker"])
def any_stand(request: pytest.FixtureRequest, client: redis.Redis) -> Iterator[Stand]:
    """Each kind of worker."""
    with Stand(client, request.param) as stand:
        yield stand


@pytest.fixture
def stand(client: redis.Redis) -> Iterator[Stand]:
    """A worker that forks."""
    with Stand(client, "Worker") as stand:
        yield stand


@pytest.fixture
def simple(client: redis.Redis) -> Iterator[Stand]:
    """A worker that does not fork."""
    with Stand(client, "SimpleWorker") as stand:
        yield stand
