"""The contract of forks, with RQ's own command, its work-horses and the real agent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rq_forks import RqForks, started_forks

from services.redis import Redis
from z4j_core.testing.fork_contract import ForkContract


@pytest.fixture(scope="module")
def forking(tmp_path_factory: pytest.TempPathFactory, redis_server: Redis) -> Iterator[RqForks]:
    with started_forks(tmp_path_factory.mktemp("forks"), redis_server) as forks:
        yield forks


class TestWorkHorses(ForkContract):
    """With the fixture `forking` of this module."""
